"""Take an object that is too large for memory, piece by piece, into a segment of its own.

The header is gathered and rewritten as ever. If the pixels may pass unseen they go straight to the
disk; else, and where anything is wrong with the object, what came is sealed whole: a refusal in the
middle of the pixels seals what passed so far, read back from the disk, and all that follows. What
cannot be read piece by piece (deflated, big endian, a header without end) is sealed whole too, and
cleaned by inspection. Memory bound: the header, at most `_HEAD_LIMIT`, and one chunk to be sealed.
"""

import hashlib
import time
import uuid
from collections.abc import Iterator
from typing import Final, Protocol

from collegium_connect.channels import Channel
from collegium_connect.deidentify import Codes, Waits, clean_header, require_no_person
from collegium_connect.keys import Secrets
from collegium_connect.spool import OwnRecord, Stored, Stores
from collegium_connect.spool.stores import CHUNK
from collegium_deid import Cleaned, NeedMoreBytes, PixelPassage, Rejected
from collegium_deid.engine.pixelplan import Look

_HEAD_LIMIT: Final = 32 << 20
_FIRST_TRY: Final = 128 << 10
_WHOLE_ONLY: Final = frozenset({"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"})
"""Transfer syntaxes of which nothing can be read piece by piece: deflated, explicit VR big endian."""
_CUT_MOST: Final = 64
"""More than a passage keeps of an element's head that a piece cut."""


class Keeper(Protocol):
    """Where the finished object goes; what came whole after all is taken the ordinary way."""

    def take_whole(self, channel: Channel, data: memoryview) -> None: ...

    def take_clean(self, channel: Channel, stream: "CleanStream") -> None: ...

    def take_sealed(self, channel: Channel, stream: "SealedStream") -> None: ...


class SealedStream:
    """An original, sealed whole while it comes."""

    def __init__(self, stores: Stores, secrets: Secrets, object_id: str) -> None:
        self.object_id = object_id
        self.cleaned: Cleaned | None = None
        """Its new header, where only its pixels are still to be looked at."""
        self.reason_code = self.reason = ""
        self._record, self._sealing = OwnRecord(stores), stores.sealing(object_id)
        self._mac = secrets.lookup_in_pieces()
        self._record.append(self._sealing.begin())

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        for start in range(0, len(data), CHUNK):
            piece = memoryview(data)[start : start + CHUNK]
            self._mac.update(piece)
            self._record.append(self._sealing.feed(piece))

    def close(self) -> bytes:
        """Nothing more comes; the keyed digest of what came."""
        self._record.append(self._sealing.finish())
        return self._mac.digest()

    def finish(self, note: bytes) -> Stored:
        return self._record.finish(note, sealed=self._record.size)

    def discard(self) -> None:
        self._record.discard()


class CleanStream:
    """A cleaned object whose pixels pass to the disk while they come."""

    def __init__(self, stores: Stores, object_id: str, cleaned: Cleaned, original: bytes) -> None:
        self.object_id, self.cleaned, self.original = object_id, cleaned, original
        self._passage, self._record = PixelPassage(cleaned), OwnRecord(stores)
        self._record.append(
            stores.sealed_block(object_id, head=cleaned.head, original=original, is_whole=False)
        )
        self._sealed = self._record.size
        self._digest, self._fed, self._cut = hashlib.sha256(cleaned.head), 0, b""
        self.seconds = cleaned.report.seconds

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Let pixel bytes pass. Raises Rejected; then nothing of `data` was taken."""
        began = time.perf_counter()
        passed = self._passage.feed(data)
        self.seconds += time.perf_counter() - began
        for piece in passed:
            self._digest.update(piece)
        self._record.append(passed)
        self._fed += len(data)
        kept = self._fed - self._passed_bytes
        self._cut = (self._cut + bytes(data[-_CUT_MOST:]))[-kept:] if 0 < kept <= _CUT_MOST else b""

    def close(self) -> None:
        """Nothing more comes. Raises Rejected."""
        self._passage.finish()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    @property
    def size_bytes(self) -> int:
        return len(self.cleaned.head) + self._passed_bytes

    def finish(self, note: bytes) -> Stored:
        return self._record.finish(note, sealed=self._sealed)

    def as_it_came(self) -> Iterator[bytes]:
        """All that was taken, as it was received."""
        yield self.original
        for start in range(0, self._passed_bytes, CHUNK):
            yield self._record.read(self._sealed + start, min(CHUNK, self._passed_bytes - start))
        yield self._cut

    def discard(self) -> None:
        self._record.discard()

    @property
    def _passed_bytes(self) -> int:
        return self._record.size - self._sealed


class LargeObject:
    """One object under way: `write` its pieces, then `finish` or `abandon`. For one thread."""

    def __init__(  # noqa: PLR0913 - what one object needs
        self, channel: Channel, keeper: Keeper, *, stores: Stores, secrets: Secrets, codes: Codes,
        transfer_syntax_uid: str,
    ) -> None:  # fmt: skip
        self._channel, self._keeper, self._object_id = channel, keeper, str(uuid.uuid4())
        self._stores, self._secrets, self._codes = stores, secrets, codes
        self._is_readable = transfer_syntax_uid not in _WHOLE_ONLY
        self._head, self._try_at = bytearray(), _FIRST_TRY
        self._stream: CleanStream | SealedStream | None = None

    def write(self, data: bytes | memoryview) -> None:
        if isinstance(self._stream, CleanStream):
            self._pass(self._stream, data)
        elif self._stream is not None:
            self._stream.feed(data)
        else:
            self._head += data
            if len(self._head) >= self._try_at:
                self._rewrite()

    def finish(self) -> None:
        """Put it on the disk and into the journal."""
        if self._stream is None:
            self._keeper.take_whole(self._channel, memoryview(self._head))
            return
        stream = self._stream
        if isinstance(stream, CleanStream):
            try:
                stream.close()
            except Rejected as rejected:
                stream = self._seal_instead(stream, rejected)
        if isinstance(stream, CleanStream):
            self._keeper.take_clean(self._channel, stream)
        else:
            self._keeper.take_sealed(self._channel, stream)

    def abandon(self) -> None:
        """Keep nothing of it."""
        if self._stream is not None:
            self._stream.discard()
            self._stream = None

    def _rewrite(self) -> None:
        """Try to read the header as far as it has come."""
        if not self._is_readable:
            self._seal(None, "", "")
            return
        try:
            cleaned = self._cleaned()
        except NeedMoreBytes:
            self._try_at *= 2
            if self._try_at > _HEAD_LIMIT:
                self._seal(None, "", "")
        except Waits as waits:
            self._seal(waits.cleaned, waits.code, waits.message)
        except Rejected as rejected:
            self._seal(None, rejected.code, rejected.message)
        else:
            if cleaned.plan.look is Look.NONE:
                self._let_pass(cleaned)
            else:
                self._seal(cleaned, "", "")

    def _cleaned(self) -> Cleaned:
        cleaned = clean_header(self._channel, bytes(self._head), self._codes, complete=False)
        require_no_person(self._channel, cleaned)
        return cleaned

    def _let_pass(self, cleaned: Cleaned) -> None:
        original, rest = bytes(self._head[: cleaned.pixel_start]), bytes(self._head[cleaned.pixel_start :])
        self._head = bytearray()
        self._stream = stream = CleanStream(self._stores, self._object_id, cleaned, original)
        self._pass(stream, rest)

    def _pass(self, stream: CleanStream, data: bytes | memoryview) -> None:
        try:
            stream.feed(data)
        except Rejected as rejected:
            self._seal_instead(stream, rejected).feed(data)

    def _seal(self, cleaned: Cleaned | None, code: str, words: str) -> None:
        head, self._head = self._head, bytearray()
        self._stream = stream = SealedStream(self._stores, self._secrets, self._object_id)
        stream.cleaned, stream.reason_code, stream.reason = cleaned, code, words
        stream.feed(head)

    def _seal_instead(self, clean: CleanStream, rejected: Rejected) -> SealedStream:
        """What came so far, sealed whole; the record with clear pixels goes."""
        sealed = SealedStream(self._stores, self._secrets, self._object_id)
        try:
            sealed.reason_code, sealed.reason = rejected.code, rejected.message
            for piece in clean.as_it_came():
                sealed.feed(piece)
        except BaseException:
            sealed.discard()
            raise
        clean.discard()
        self._stream = sealed
        return sealed
