"""The HTTP paths of the gateway's calls, below the server's base URL, and their content types."""

from __future__ import annotations

from typing import Final

from collegium_wire.forms import require_uuid

ENROL: Final = "/gateway/v1/enrol"
HEARTBEAT: Final = "/gateway/v1/heartbeat"
LINE: Final = "/gateway/v1/line"
"""Takes bytes without meaning, so that a gateway can measure its line; answered when all have come."""
DELIVERY: Final = "/gateway/v1/deliveries/{delivery_id}"
DELIVERY_OBJECTS: Final = DELIVERY + "/objects"
DELIVERY_COMPLETE: Final = DELIVERY + "/complete"

JSON_TYPE: Final = "application/json"
OCTETS_TYPE: Final = "application/octet-stream"
OBJECT_TYPE: Final = "application/dicom"
UPLOAD_TYPE: Final = 'multipart/related; type="application/dicom"; boundary='


def delivery(delivery_id: str) -> str:
    require_uuid(delivery_id, "delivery_id")
    return DELIVERY.format(delivery_id=delivery_id)


def delivery_objects(delivery_id: str) -> str:
    return delivery(delivery_id) + "/objects"


def delivery_complete(delivery_id: str) -> str:
    return delivery(delivery_id) + "/complete"
