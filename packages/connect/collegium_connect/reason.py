"""Why somebody did it, in their own words."""

from typing import Final

from collegium_connect.errors import ConnectError

_LENGTH: Final = range(10, 501)


class ReasonMissing(ConnectError):
    code = "connect.reason_missing"
    message = "Say why, in 10 to 500 characters."


def checked(reason: str) -> str:
    """The reason in one line.

    Raises:
        ReasonMissing: it says too little, or too much.
    """
    reason = " ".join(reason.split())
    if len(reason) not in _LENGTH:
        raise ReasonMissing
    return reason
