"""Exit codes of every command, and what they promise; how a command is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    import argparse

DONE: Final = 0
"""Everything done and clean."""
SOME_REJECTED: Final = 1
"""Some files were rejected or do not conform; each is listed with its reason."""
WRONG_USE: Final = 2
"""Wrong use, recipe or key: nothing was done."""
NOT_READ: Final = 141
"""Whoever read the output closed it before the end, as `head` does; what the shell says of SIGPIPE."""
INTERRUPTED: Final = 130
"""Stopped by Ctrl-C: what is done is kept, and the same command goes on from there."""


class Commands(Protocol):
    """The part of argparse to which a command adds its parser."""

    def add_parser(
        self,
        name: str,
        *,
        help: str,  # noqa: A002 - argparse calls it so
        description: str,
    ) -> argparse.ArgumentParser: ...
