"""Peers that have no place: not asked yet, refused, or hanging up. Each holds a thread, and they are bounded.

When one more comes than are waited for, the address that has most of them loses the one that is there for longest.
A PACS asks within milliseconds of connecting, so it is not the one that goes.
"""

import socket
from collections import Counter
from dataclasses import dataclass
from typing import Final

from collegium_connect.receive.association import Association
from collegium_connect.receive.crowd import CrowdedGate

MOST_WAITING: Final = 64


@dataclass(eq=False)
class Visit:
    """A connection and what it became."""

    connection: socket.socket
    address: str
    gate: CrowdedGate
    association: Association | None = None


def one_too_many(visits: list[Visit]) -> Visit | None:
    """Of all visits, in the order in which they came, the one that has to go; None while there is room."""
    waiting = [visit for visit in visits if not visit.gate.is_in]
    if len(waiting) <= MOST_WAITING:
        return None
    (address, _), *_ = Counter(visit.address for visit in waiting).most_common(1)
    return next(visit for visit in waiting if visit.address == address)
