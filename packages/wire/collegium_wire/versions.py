"""The number of the protocol. Both sides speak the newest one and the one before it.

A message says the lowest number that knows everything it holds, so that an older side understands
whatever it can. A heartbeat alone says the newest number its sender speaks: the answer is made for that.
"""

from __future__ import annotations

from typing import Final

from collegium_wire.errors import WireError

PROTOCOL: Final = 1
NEWEST: Final = 2
"""Knows acquisition requirements, what did not meet them, and a gateway's pinned version."""
SUPPORTED: Final = frozenset({PROTOCOL, NEWEST})


def require_protocol(protocol: int) -> None:
    """Refuse a message of a protocol this side does not speak.

    Raises:
        WireError: code `wire.protocol.unsupported`.
    """
    if protocol not in SUPPORTED:
        raise WireError(
            "wire.protocol.unsupported",
            f"This side speaks protocol {NEWEST}, the message {protocol}. Update the older side.",
        )
