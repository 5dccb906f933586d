"""What happens at the way in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID  # noqa: TC003 - `kit.events` reads the hints at run time

from collegium.kit.events import Event


@dataclass(frozen=True, slots=True)
class ExamArrived(Event):
    """Instances of an exam were stored: its first ones, or a supplement."""

    name: ClassVar[str] = "imaging.exam_arrived"

    space_id: UUID
    exam_id: UUID
    subject_code: str
    channel_id: str
    """Empty when it came by another door than a channel."""
    supplement: bool
