"""What a browser may send: of bounded size, held in memory; a patient's file never lies on a disk in clear."""

from typing import Final

from starlette.formparsers import MultiPartParser
from starlette.requests import Request
from starlette.types import Message

from collegium_connect.errors import ConnectError

FORM_BYTES: Final = 256 << 10

# Left alone, Starlette writes what is larger than 1 MB to a file of the system's temporary folder; 0 never does.
MultiPartParser.spool_max_size = 0


class BodyTooLarge(ConnectError):
    code = "connect.local_ui.too_large"
    message = "That is larger than this page takes. Nothing of it was kept."


def bounded(request: Request, most_bytes: int = FORM_BYTES) -> Request:
    """The same request, whose body raises BodyTooLarge once more than this was read of it."""
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        message = await request.receive()
        taken += len(message.get("body", b""))
        if taken > most_bytes:
            raise BodyTooLarge
        return message

    return Request(request.scope, receive)
