"""Facts about reads that others may react to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID  # noqa: TC003  `kit.events` reads the hints at run time

from collegium.kit.events import Event


@dataclass(frozen=True, slots=True)
class ReadSigned(Event):
    """A version of a read was signed. Holds ids only: no answer leaves by an event."""

    name: ClassVar[str] = "research.read_signed"

    space_id: UUID
    read_id: UUID
    task_id: UUID
    version: int
