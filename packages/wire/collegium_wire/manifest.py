"""What a gateway is about to deliver: the objects of one exam by digest, and how they were cleaned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - `Message` reads the hints at run time
from typing import Final

from collegium_wire import forms
from collegium_wire.errors import WireError
from collegium_wire.message import Message, added, require_unique
from collegium_wire.versions import NEWEST

TEST_SIDE: Final = 128
"""Rows and columns of a test's picture. Each of its pixels is 0: a picture that shows something is no test."""
MOST_UNMET: Final = 50
"""At most so many unmet requirements are told of one exam."""


@dataclass(frozen=True, kw_only=True)
class ManifestObject(Message):
    """One de-identified instance; all UIDs are the new ones."""

    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    series_uid: str
    size_bytes: int
    sha256: str

    def __post_init__(self) -> None:
        forms.require_uid(self.sop_instance_uid, "sop_instance_uid")
        forms.require_uid(self.sop_class_uid, "sop_class_uid")
        forms.require_uid(self.transfer_syntax_uid, "transfer_syntax_uid")
        forms.require_uid(self.series_uid, "series_uid")
        forms.require_count(self.size_bytes, "size_bytes")
        forms.require_sha256(self.sha256, "sha256")


@dataclass(frozen=True, kw_only=True)
class DeidSummary(Message):
    """How often each action was taken over the whole exam, and how long it took; no identifier."""

    counts: dict[str, int]
    """By action code of PS3.15; `areas`: rectangles of pictures that were hidden."""
    seconds: float

    def __post_init__(self) -> None:
        forms.require_count(self.seconds, "seconds")
        forms.require_count(min(self.counts.values(), default=0), "counts")


@dataclass(frozen=True, kw_only=True)
class Manifest(Message):
    """One delivery: all of an exam that was complete by quiet time, or a later supplement to it."""

    protocol: int
    delivery_id: str
    study_uid: str
    subject_code: str
    supplement: bool
    channel_id: str
    recipe_name: str
    recipe_version: str
    recipe_digest: str
    software: str
    received_at: datetime
    """The gateway's clock: recorded, never trusted."""
    objects: tuple[ManifestObject, ...]
    report: DeidSummary
    unmet: tuple[str, ...] = added(since=NEWEST, default=())
    """What of the acquisition requirements the exam did not meet, each in words without any identifier."""
    met: bool = added(since=NEWEST, default=False)
    """With this supplement the exam meets all of them; otherwise nothing in `unmet` says nothing of it."""

    is_test: bool = added(since=NEWEST, default=False)
    """The one object is the gateway's own invented picture: the server checks it, says so and forgets it. It
    refuses any other picture (`TEST_SIDE`)."""

    def __post_init__(self) -> None:
        if self.is_test and (self.protocol < NEWEST or len(self.objects) != 1 or self.supplement):
            raise WireError(
                "wire.field.value", "A test is one object of the newest protocol, and no supplement."
            )
        forms.require_uuid(self.delivery_id, "delivery_id")
        forms.require_uid(self.study_uid, "study_uid")
        forms.require_text(self.subject_code, "subject_code")
        forms.require_text(self.channel_id, "channel_id")
        forms.require_sha256(self.recipe_digest, "recipe_digest")
        forms.require_count(
            MOST_UNMET - len(self.unmet), f"{MOST_UNMET} less the number of unmet requirements"
        )
        for words in self.unmet:
            forms.require_words(words, "unmet", 300)
        if self.met and self.unmet:
            raise WireError("wire.field.value", "What is met lacks nothing: unmet must be empty.")
        forms.require_count(len(self.objects) - 1, "The number of objects less one")
        require_unique((item.sop_instance_uid for item in self.objects), "An instance")
        require_unique((item.sha256 for item in self.objects), "A digest")
