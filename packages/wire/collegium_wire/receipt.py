"""The server's answer to a delivery, instance by instance; only this makes an exam "delivered"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - `Message` reads the hints at run time
from enum import StrEnum

from collegium_wire import forms
from collegium_wire.message import Message, require_unique


class Outcome(StrEnum):
    """What became of one instance. The first three are delivered: the server keeps them."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    HELD = "held"
    REFUSED = "refused"
    PROVEN = "proven"
    """It came whole and was forgotten: an answer to a manifest that is a test, and to no other."""


@dataclass(frozen=True, kw_only=True)
class ReceiptItem(Message):
    sop_instance_uid: str
    sha256: str
    outcome: Outcome
    reason: str
    """Empty, or words without any value of the header."""

    def __post_init__(self) -> None:
        forms.require_uid(self.sop_instance_uid, "sop_instance_uid")
        forms.require_sha256(self.sha256, "sha256")


@dataclass(frozen=True, kw_only=True)
class Receipt(Message):
    protocol: int
    delivery_id: str
    manifest_digest: str
    exam_id: str | None
    items: tuple[ReceiptItem, ...]
    at: datetime

    def __post_init__(self) -> None:
        forms.require_uuid(self.delivery_id, "delivery_id")
        forms.require_sha256(self.manifest_digest, "manifest_digest")
        require_unique((item.sop_instance_uid for item in self.items), "An instance")

    @property
    def delivered(self) -> bool:
        """Nothing was refused and the list is not empty: every item is with the server, or was a test."""
        return bool(self.items) and all(item.outcome is not Outcome.REFUSED for item in self.items)
