"""What a gateway and a server say to each other. Standard library only.

Every message is a frozen dataclass with `to_json()` (canonical bytes), `from_json()` (strict) and
`digest()`. A message that is not what the protocol says raises `WireError`. Paths are in `paths`.
"""

from collegium_wire import paths
from collegium_wire.acquisition import (
    BODY_PARTS,
    MODALITIES,
    AcquisitionRequirement,
    AcquisitionRequirements,
    Unmet,
)
from collegium_wire.channel import Allocation, ChannelSetup
from collegium_wire.enrolment import EnrolmentAnswer, EnrolmentRequest
from collegium_wire.errors import WireError
from collegium_wire.heartbeat import (
    NO_ENTRY,
    TRAIL_ENTRIES,
    Alarm,
    ChannelBeat,
    ChannelConfiguration,
    Heartbeat,
    HeartbeatAnswer,
    TrailEntry,
)
from collegium_wire.manifest import MOST_UNMET, TEST_SIDE, DeidSummary, Manifest, ManifestObject
from collegium_wire.message import Message
from collegium_wire.problem import Problem
from collegium_wire.receipt import Outcome, Receipt, ReceiptItem
from collegium_wire.transfer import Missing, ObjectsAnswer, RefusedObject, delivery_state
from collegium_wire.versions import NEWEST, PROTOCOL, require_protocol

__all__ = [
    "BODY_PARTS",
    "MODALITIES",
    "MOST_UNMET",
    "NEWEST",
    "NO_ENTRY",
    "PROTOCOL",
    "TEST_SIDE",
    "TRAIL_ENTRIES",
    "AcquisitionRequirement",
    "AcquisitionRequirements",
    "Alarm",
    "Allocation",
    "ChannelBeat",
    "ChannelConfiguration",
    "ChannelSetup",
    "DeidSummary",
    "EnrolmentAnswer",
    "EnrolmentRequest",
    "Heartbeat",
    "HeartbeatAnswer",
    "Manifest",
    "ManifestObject",
    "Message",
    "Missing",
    "ObjectsAnswer",
    "Outcome",
    "Problem",
    "Receipt",
    "ReceiptItem",
    "RefusedObject",
    "TrailEntry",
    "Unmet",
    "WireError",
    "delivery_state",
    "paths",
    "require_protocol",
]
