"""One object on its way in: sealed while it streams, read while it is sealed, judged at its end.

Every door uses this: gateway, STOW-RS, later browser and SFTP. Nothing here knows a
database. Memory: the header of one object, which `header` limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium.imaging.archive import frames
from collegium.imaging.archive.document import Attributes, instance_document
from collegium.imaging.archive.errors import ObjectInvalid
from collegium.imaging.archive.header import HEADER_LIMIT_BYTES, Header, NeedMore, walk
from collegium.imaging.archive.services import StoredBlob
from collegium.imaging.ingest.errors import DigestWrong
from collegium.kit import ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium.kit.blobs import BlobWriter

_FIRST_LOOK = 1 << 14


@dataclass(frozen=True, slots=True)
class Arrived:
    """A checked object: its blob is durable, its rows are not written yet."""

    blob: StoredBlob
    study_uid: str
    series_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    subject_code: str
    document: Attributes
    frame_table: bytes


class Arrival:
    """Takes one object's bytes in pieces; `finish` says what it is or why it is refused."""

    def __init__(
        self,
        open_blob: Callable[[], BlobWriter],
        judge: Callable[[Header], None] | None = None,
        *,
        expected_sha256: str = "",
    ) -> None:
        """Begin.

        Args:
            open_blob: makes the sealed file this object goes into.
            judge: raises ObjectInvalid when the header must not come in (recipe, identity).
            expected_sha256: what the sender says its digest is; empty when it said nothing.
        """
        self._writer = open_blob()
        self._judge = judge
        self._expected = expected_sha256
        self._raw: bytearray | None = bytearray()
        self._look_at = _FIRST_LOOK
        self._header: Header | None = None
        self._pixels: frames.PixelReader | None = None
        self._document: Attributes = {}
        self.error: ObjectInvalid | None = None

    @property
    def sop_instance_uid(self) -> str:
        """As far as it is known."""
        return self._header.text(0x00080018) if self._header else ""

    @property
    def sop_class_uid(self) -> str:
        """As far as it is known."""
        return self._header.text(0x00080016) if self._header else ""

    def write(self, piece: memoryview) -> None:
        """Take the next bytes. After a fault the rest only passes by.

        Raises:
            StorageFull: the store took nothing.
        """
        if self.error:
            return
        try:
            self._writer.write(piece)
            self._read(piece)
        except ObjectInvalid as error:
            self._refuse(error)
        except BaseException:
            self._writer.abort()
            raise

    def finish(self) -> Arrived:
        """Say that the object ended; its blob is durable afterwards.

        Raises:
            ObjectInvalid: why it is refused; nothing of it is kept.
        """
        try:
            if self.error:
                raise self.error
            if self._header is None:
                assert self._raw is not None
                self._begin(bytes(self._raw), is_complete=True)
            assert self._header is not None
            assert self._pixels is not None
            if self._expected and self._writer.sha256 != self._expected:
                raise DigestWrong
            self._pixels.finish()
            sha256 = self._writer.finish()
        finally:
            self._writer.abort()
        blob_id = ids.parse(self._writer.key.rsplit("/", 1)[-1])
        assert blob_id is not None
        header = self._header
        return Arrived(
            StoredBlob(blob_id, sha256, self._writer.size_bytes),
            header.text(0x0020000D),
            header.text(0x0020000E),
            header.text(0x00080018),
            header.text(0x00080016),
            header.transfer_syntax_uid,
            header.text(0x00100020),
            self._document,
            frames.pack(self._pixels.table),
        )

    def abort(self) -> None:
        """Forget it."""
        self._writer.abort()

    def _refuse(self, error: ObjectInvalid) -> None:
        self.error = error
        self._raw = None
        self._writer.abort()

    def _read(self, piece: memoryview) -> None:
        while piece and self._pixels is None:
            assert self._raw is not None
            taken = self._look_at - len(self._raw)  # what is no header needs no copy
            self._raw += piece[:taken]
            piece = piece[taken:]
            if len(self._raw) < self._look_at:
                return
            try:
                self._begin(bytes(self._raw), is_complete=False)
            except NeedMore:
                self._look_at = min(len(self._raw) * 4, HEADER_LIMIT_BYTES)
        if piece and self._pixels is not None:
            self._pixels.feed(piece)

    def _begin(self, raw: bytes, *, is_complete: bool) -> None:
        """Once the header is complete: judge it and keep what the archive keeps of it."""
        header = self._header = walk(raw, is_complete=is_complete)
        if self._judge:
            self._judge(header)
        self._pixels = frames.read_pixels(header)
        self._document = instance_document(header)
        self._raw = None
        self._pixels.feed(memoryview(raw)[header.end :])
