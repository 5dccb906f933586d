"""The JSON body of every refused gateway call."""

from __future__ import annotations

from dataclasses import dataclass

from collegium_wire.message import Message


@dataclass(frozen=True, kw_only=True)
class Problem(Message):
    code: str
    """Stable, such as `connections.enrolment.used`."""
    message: str
    """One sentence a person can act on."""
    reference: str
    """Where the server's log tells more; may be empty."""
