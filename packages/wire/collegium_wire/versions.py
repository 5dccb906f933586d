"""The number of the protocol. A server speaks this one and, later, the one before it."""

from __future__ import annotations

from typing import Final

from collegium_wire.errors import WireError

PROTOCOL: Final = 1
SUPPORTED: Final = frozenset({PROTOCOL})


def require_protocol(protocol: int) -> None:
    """Refuse a message of a protocol this side does not speak.

    Raises:
        WireError: code `wire.protocol.unsupported`.
    """
    if protocol not in SUPPORTED:
        raise WireError(
            "wire.protocol.unsupported",
            f"This side speaks protocol {PROTOCOL}, the message {protocol}. Update the older side.",
        )
