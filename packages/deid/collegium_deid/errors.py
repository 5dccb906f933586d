"""What can go wrong. No message ever holds a value of a header: only tags, offsets and reasons."""

from __future__ import annotations


class DeidError(Exception):
    """Base of every error of this package.

    Args:
        code: stable, such as `deid.truncated`.
        message: one sentence a person can act on, free of any identifier.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Rejected(DeidError):
    """The object cannot be cleaned with certainty: it belongs in quarantine, unchanged and unsent."""


class RecipeError(DeidError):
    """The recipe is not one; `line` counts from 1, 0 when the whole text is meant."""

    def __init__(self, code: str, message: str, *, source: str, line: int = 0) -> None:
        where = f"{source}, line {line}" if line else source
        super().__init__(code, f"{where}: {message}")
        self.source, self.line = source, line


class NeedMoreBytes(DeidError):
    """The header goes on beyond the bytes given; call again with at least `at_least` bytes."""

    def __init__(self, at_least: int) -> None:
        super().__init__("deid.need_more_bytes", f"The header needs at least {at_least} bytes.")
        self.at_least = at_least
