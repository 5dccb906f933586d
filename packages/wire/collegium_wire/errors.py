"""What is wrong with a message, in a form both ends can act on."""

from __future__ import annotations


class WireError(ValueError):
    """A message that is not what the protocol says.

    Args:
        code: stable, such as `wire.field.missing`.
        message: for a person; names the field, never its value.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message
