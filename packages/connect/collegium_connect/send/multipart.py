"""The body of one upload: multipart/related, each part with its length and its digest as Content-ID.

Read from the spool as it is sent; memory bound: one piece of it.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from collegium_wire.paths import OBJECT_TYPE, UPLOAD_TYPE

BATCH_BYTES: Final = 24 << 20
"""Each upload costs the server two transactions; what was whole when one is cut need not be sent again."""


@dataclass(frozen=True)
class Part:
    sha256: str
    size_bytes: int
    read: Callable[[], Iterable[bytes]]


@dataclass(frozen=True)
class Upload:
    """A body with a known length that can be sent once or many times."""

    parts: Sequence[Part]
    boundary: str

    @property
    def content_type(self) -> str:
        return UPLOAD_TYPE + self.boundary

    @property
    def length(self) -> int:
        heads = sum(len(self._head(part)) + part.size_bytes for part in self.parts)
        return heads + len(self._tail())

    def body(self) -> Iterator[bytes]:
        for part in self.parts:
            yield self._head(part)
            yield from part.read()
        yield self._tail()

    def _head(self, part: Part) -> bytes:
        return (
            f"\r\n--{self.boundary}\r\n"
            f"Content-Type: {OBJECT_TYPE}\r\n"
            f"Content-Length: {part.size_bytes}\r\n"
            f"Content-ID: {part.sha256}\r\n\r\n"
        ).encode()

    def _tail(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode()


def batches(parts: Sequence[Part]) -> Iterator[Upload]:
    """Parts in uploads of about BATCH_BYTES; a larger object goes alone."""
    group: list[Part] = []
    size = 0
    for part in parts:
        if group and size + part.size_bytes > BATCH_BYTES:
            yield Upload(group, secrets.token_hex(16))
            group, size = [], 0
        group.append(part)
        size += part.size_bytes
    if group:
        yield Upload(group, secrets.token_hex(16))
