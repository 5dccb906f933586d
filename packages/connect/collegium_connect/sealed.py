"""Seal bytes that still carry identity: AES-256-GCM in chunks, bound to one object.

A sealed file is `CLGS1`, then for each chunk a nonce, a length and the ciphertext. Each chunk is
authenticated together with the object's id, its number and whether it is the last, so that chunks
cannot be swapped, dropped or moved to another object. Memory bound: one chunk.
"""

import os
import struct
from collections.abc import Callable, Iterator
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from collegium_connect.errors import SealBroken

_MAGIC: Final = b"CLGS1"
_CHUNK: Final = 4 << 20
_HEAD: Final = struct.Struct(">12sI")
BEGINNING: Final = len(_MAGIC) + _HEAD.size + _CHUNK + 16
"""Bytes of a seal that hold its first chunk."""


def seal(key: bytes, object_id: str, data: bytes | memoryview) -> Iterator[bytes]:
    """The sealed form of `data`, piece by piece."""
    sealing, view = Sealing(key, object_id), memoryview(data)
    yield _MAGIC
    last = max(0, (len(view) - 1) // _CHUNK)
    for number in range(last + 1):
        yield from sealing.chunk(view[number * _CHUNK : (number + 1) * _CHUNK], is_last=number == last)


class Sealing:
    """Seal what comes in pieces of any size; the same form as `seal`'s. Memory bound: one chunk and a piece."""

    def __init__(self, key: bytes, object_id: str) -> None:
        self._cipher, self._object_id = AESGCM(key), object_id
        self._number, self._waiting = 0, bytearray()

    def begin(self) -> list[bytes]:
        return [_MAGIC]

    def feed(self, data: bytes | memoryview) -> list[bytes]:
        """Sealed pieces, for as many chunks as are full; one is held back, as it may be the last."""
        self._waiting += data
        sealed: list[bytes] = []
        while len(self._waiting) > _CHUNK:
            sealed += self.chunk(bytes(self._waiting[:_CHUNK]), is_last=False)
            del self._waiting[:_CHUNK]
        return sealed

    def finish(self) -> list[bytes]:
        """The last chunk, sealed as such."""
        return self.chunk(bytes(self._waiting), is_last=True)

    def chunk(self, chunk: bytes | memoryview, *, is_last: bool) -> list[bytes]:
        """One chunk of the full size, or the last."""
        nonce = os.urandom(12)
        sealed = self._cipher.encrypt(nonce, chunk, _bound(self._object_id, self._number, is_last))
        self._number += 1
        return [_HEAD.pack(nonce, len(sealed)), sealed]


def unseal(key: bytes, object_id: str, sealed: bytes | memoryview) -> bytes:
    """The bytes that were sealed for this object.

    Raises:
        SealBroken: another key or object, or any byte changed, missing or added.
    """
    view = memoryview(sealed)
    return b"".join(unseal_pieces(key, object_id, lambda start, size: view[start : start + size], len(view)))


def unseal_pieces(
    key: bytes, object_id: str, read: Callable[[int, int], bytes | memoryview], sealed_bytes: int
) -> Iterator[bytes]:
    """The same, chunk by chunk: believe none of it before the last has come.

    Args:
        key: the sealing key.
        object_id: whose seal it is.
        read: bytes of the seal, by start and size.
        sealed_bytes: the whole size of the seal.

    Raises:
        SealBroken: as `unseal`.
    """
    cipher, position, number = AESGCM(key), len(_MAGIC), 0
    if bytes(read(0, position)) != _MAGIC or sealed_bytes == position:
        raise SealBroken
    while position < sealed_bytes:
        head = read(position, _HEAD.size)
        if len(head) < _HEAD.size:
            raise SealBroken
        nonce, length = _HEAD.unpack(head)
        position += _HEAD.size
        end = position + length
        if end > sealed_bytes:
            raise SealBroken
        try:
            yield cipher.decrypt(
                nonce, read(position, length), _bound(object_id, number, end == sealed_bytes)
            )
        except (InvalidTag, ValueError) as error:
            raise SealBroken from error
        position, number = end, number + 1


def unseal_beginning(key: bytes, object_id: str, sealed: bytes, sealed_bytes: int) -> bytes:
    """What the first chunk holds, of a seal whose first `BEGINNING` bytes, or all, are here. Raises as `unseal`."""
    start = len(_MAGIC) + _HEAD.size
    if sealed[: len(_MAGIC)] != _MAGIC or len(sealed) < start:
        raise SealBroken
    nonce, length = _HEAD.unpack_from(sealed, len(_MAGIC))
    is_last = start + length >= sealed_bytes
    try:
        return AESGCM(key).decrypt(nonce, sealed[start : start + length], _bound(object_id, 0, is_last))
    except (InvalidTag, ValueError) as error:
        raise SealBroken from error


def _bound(object_id: str, number: int, is_last: bool) -> bytes:
    return f"{object_id}/{number}/{'last' if is_last else 'more'}".encode()
