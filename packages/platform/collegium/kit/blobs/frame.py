"""The form of a stored object: a 128-byte header, then chunks that decrypt alone.

Version 1, final. Integers are little endian.

| Offset | Bytes | What |
| --- | --- | --- |
| 0 | 8 | `CLGMBLB1` |
| 8 | 1 | mode: 0 plain, 1 AES-256-GCM |
| 9 | 3 | zero |
| 12 | 4 | clear bytes of a chunk: 262144 |
| 16 | 16 | id of the wrapping key |
| 32 | 12 | nonce of the wrapping |
| 44 | 48 | data key, wrapped (AES-256-GCM; additional data: bytes 0-32 and the blob id) |
| 92 | 16 | blob id |
| 108 | 20 | zero |

A chunk is its clear bytes encrypted, then the 16-byte tag. Its nonce is seven zero
bytes, its number (u32) and 1 for the last chunk, else 0; its additional data is the
header. So a chunk can neither move, nor change its file, nor be the last if it is
not. An empty object is one empty last chunk. A plain object is its clear bytes.
The data key is random and used for one object alone, so nonces never repeat.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeAlias
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from collegium.kit.blobs.errors import BlobDamaged, BlobRange, BlobWrongKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

MAGIC = b"CLGMBLB1"
HEADER_BYTES = 128
CHUNK_BYTES = 262_144
TAG_BYTES = 16
_LAYOUT = struct.Struct("<8sB3xI16s12s48s16s20x")
_SEALED_CHUNK = CHUNK_BYTES + TAG_BYTES
_MAX_CHUNKS = 1 << 32
_NO_KEY = UUID(int=0)

Piece: TypeAlias = bytes | bytearray | memoryview


class Mode(IntEnum):
    """How the clear bytes lie on the disk."""

    PLAIN = 0
    AES_256_GCM = 1


class WrappingKey(Protocol):
    """The key that wraps the data keys of an organisation's objects."""

    @property
    def id(self) -> UUID: ...

    @property
    def secret(self) -> bytes: ...


@dataclass(frozen=True)
class Header:
    """The first 128 bytes of a stored object."""

    mode: Mode
    key_id: UUID
    wrap_nonce: bytes
    wrapped_key: bytes
    blob_id: UUID

    @cached_property
    def packed(self) -> bytes:
        return _LAYOUT.pack(
            MAGIC,
            self.mode,
            CHUNK_BYTES,
            self.key_id.bytes,
            self.wrap_nonce,
            self.wrapped_key,
            self.blob_id.bytes,
        )

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read a header.

        Raises:
            BlobDamaged: not one of ours, or of a form this version does not know.
        """
        if len(raw) != HEADER_BYTES:
            raise BlobDamaged
        magic, mode, chunk, key_id, nonce, wrapped, blob_id = _LAYOUT.unpack(raw)
        if magic != MAGIC or chunk != CHUNK_BYTES or mode not in (Mode.PLAIN, Mode.AES_256_GCM):
            raise BlobDamaged
        header = cls(Mode(mode), UUID(bytes=key_id), nonce, wrapped, UUID(bytes=blob_id))
        if header.packed != raw:
            raise BlobDamaged  # padding that is not zero
        if header.mode is Mode.PLAIN and (key_id, nonce, wrapped) != (bytes(16), bytes(12), bytes(48)):
            raise BlobDamaged  # a sealed object made to look plain
        return header


def _wrap_data(key_id: UUID, mode: Mode, blob_id: UUID) -> bytes:
    return struct.pack("<8sB3xI16s", MAGIC, mode, CHUNK_BYTES, key_id.bytes) + blob_id.bytes


def _nonce(number: int, *, last: bool) -> bytes:
    return bytes(7) + number.to_bytes(4, "little") + bytes([last])


class Sealer:
    """Turn clear bytes, in pieces of any size, into the bytes to store.

    Memory: two chunks. `put` is called with each piece in order; a piece is only
    valid during the call.
    """

    def __init__(self, key: WrappingKey | None, blob_id: UUID, put: Callable[[Piece], None]) -> None:
        self._put = put
        self._number = 0
        self._filled = 0
        if key is None:
            self._cipher = None
            self.header = Header(Mode.PLAIN, _NO_KEY, bytes(12), bytes(48), blob_id)
        else:
            data_key, wrap_nonce = AESGCM.generate_key(256), os.urandom(12)
            wrapped = AESGCM(key.secret).encrypt(
                wrap_nonce, data_key, _wrap_data(key.id, Mode.AES_256_GCM, blob_id)
            )
            self._cipher = AESGCM(data_key)
            self._clear = bytearray(CHUNK_BYTES)
            self._sealed = bytearray(_SEALED_CHUNK)
            self.header = Header(Mode.AES_256_GCM, key.id, wrap_nonce, wrapped, blob_id)
        put(self.header.packed)

    def write(self, piece: Piece) -> None:
        if self._cipher is None:
            self._put(piece)
            return
        view = memoryview(piece).cast("B")
        while view:
            if self._filled == CHUNK_BYTES:  # more follows, so this one was not the last
                self._flush(last=False)
            taken = min(CHUNK_BYTES - self._filled, len(view))
            self._clear[self._filled : self._filled + taken] = view[:taken]
            self._filled += taken
            view = view[taken:]

    def finish(self) -> None:
        """Write the last chunk; nothing may be written after it."""
        if self._cipher is not None:
            self._flush(last=True)

    def _flush(self, *, last: bool) -> None:
        assert self._cipher is not None
        if self._number >= _MAX_CHUNKS:
            raise BlobRange("An object may not be larger than 1 PiB.")
        clear = memoryview(self._clear)[: self._filled]
        sealed = memoryview(self._sealed)[: self._filled + TAG_BYTES]
        self._cipher.encrypt_into(_nonce(self._number, last=last), clear, self.header.packed, sealed)
        self._put(sealed)
        self._number += 1
        self._filled = 0


class Opener:
    """Knows which stored bytes a clear range needs, and turns them back. Immutable, safe in threads."""

    def __init__(self, header: Header, stored_bytes: int, key_of: Callable[[UUID], WrappingKey]) -> None:
        """Check the header against the object's size and unwrap its key.

        Raises:
            BlobDamaged: the object was cut, or its header changed.
            BlobWrongKey: it was sealed with another key.
        """
        body = stored_bytes - HEADER_BYTES
        self.header = header
        if header.mode is Mode.PLAIN:
            self._cipher = None
            self.size = body
            self._chunks = 0
            return
        self._chunks = max(1, -(-body // _SEALED_CHUNK))
        self.size = body - self._chunks * TAG_BYTES
        last_chunk = body - (self._chunks - 1) * _SEALED_CHUNK
        if last_chunk < TAG_BYTES or (last_chunk == TAG_BYTES and self._chunks > 1):
            raise BlobDamaged
        key = key_of(header.key_id)
        if key.id != header.key_id:
            raise BlobWrongKey
        try:
            data_key = AESGCM(key.secret).decrypt(
                header.wrap_nonce, header.wrapped_key, _wrap_data(key.id, header.mode, header.blob_id)
            )
        except InvalidTag:
            raise BlobWrongKey from None
        self._cipher = AESGCM(data_key)

    def stored_range(self, start: int, length: int) -> tuple[int, int]:
        """Offset and length of the stored bytes that hold `length` clear bytes from `start`.

        Raises:
            BlobRange: the object has no such bytes.
        """
        if start < 0 or length < 0 or start + length > self.size:
            raise BlobRange
        if self._cipher is None:
            return HEADER_BYTES + start, length
        first, last = self._span(start, length)
        offset = first * _SEALED_CHUNK
        end = min((last + 1) * _SEALED_CHUNK, self.size + self._chunks * TAG_BYTES)
        return HEADER_BYTES + offset, end - offset

    def open(self, start: int, length: int, stored: Piece) -> bytes | memoryview:
        """The clear bytes of a range, from exactly the stored bytes `stored_range` named.

        Raises:
            BlobDamaged: a byte was flipped, or the object was cut or lengthened.
        """
        view = memoryview(stored)
        if self._cipher is None:
            if len(view) != length:
                raise BlobDamaged
            return bytes(view)
        first, last = self._span(start, length)
        clear = bytearray(len(view) - (last - first + 1) * TAG_BYTES)
        target = memoryview(clear)
        header = self.header.packed
        try:
            for number in range(first, last + 1):
                at = (number - first) * _SEALED_CHUNK
                sealed = view[at : at + _SEALED_CHUNK]
                into = (number - first) * CHUNK_BYTES
                self._cipher.decrypt_into(
                    _nonce(number, last=number == self._chunks - 1),
                    sealed,
                    header,
                    target[into : into + len(sealed) - TAG_BYTES],
                )
        except (InvalidTag, ValueError):
            raise BlobDamaged from None
        skip = start - first * CHUNK_BYTES
        return target[skip : skip + length].toreadonly()

    def _span(self, start: int, length: int) -> tuple[int, int]:
        first = min(start // CHUNK_BYTES, self._chunks - 1)
        last = max(first, (start + length - 1) // CHUNK_BYTES) if length else first
        return first, last
