"""Why somebody did it, in their own words."""

from typing import Final

from collegium_connect.quarantine.errors import ReasonMissing

_LENGTH: Final = range(10, 501)


def checked(reason: str) -> str:
    """The reason in one line.

    Raises:
        ReasonMissing: it says too little, or too much.
    """
    reason = " ".join(reason.split())
    if len(reason) not in _LENGTH:
        raise ReasonMissing
    return reason
