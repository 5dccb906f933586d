"""A multipart body through the corridor: chunks in, checked and sealed objects out.

Used from one thread at a time; the caller moves chunks, this moves bytes. What is whole is put on the
disk beside that, a few objects at a time: their syncs share what one of them costs.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from collegium.imaging.archive.errors import ObjectInvalid
from collegium.kit.blobs import StorageFull
from collegium.kit.multipart import Limits, MultipartParser, PartBegins, PartBytes, PartEnds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from concurrent.futures import Future

    from collegium.imaging.ingest.corridor import Arrival, Arrived


_AT_ONCE: Final = 8
"""Objects of one upload that are being put on the disk while the next arrive."""
_SYNCING: Final = ThreadPoolExecutor(2 * _AT_ONCE, thread_name_prefix="sync")


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A part that is not taken in."""

    content_id: str
    sop_class_uid: str
    sop_instance_uid: str
    error: ObjectInvalid


@dataclass
class Upload:
    """What came in through one request so far."""

    parser: MultipartParser
    begin: Callable[[Mapping[str, str]], Arrival]
    finished: Callable[[str, Arrived], None] = lambda _content_id, _arrived: None
    """Called with each checked object; raising ObjectInvalid turns it away."""

    arrived: list[Arrived] = field(default_factory=list)
    refused: list[TurnedAway] = field(default_factory=list)
    _open: Arrival | None = None
    _content_id: str = ""
    _ending: deque[tuple[str, Arrival, Future[Arrived]]] = field(default_factory=deque)

    @classmethod
    def of(
        cls, boundary: bytes, begin: Callable[[Mapping[str, str]], Arrival], *, parts: int = 10_000
    ) -> Upload:
        return cls(MultipartParser(boundary, Limits(parts=parts)), begin)

    def feed(self, chunks: Iterable[bytes]) -> None:
        """Take some chunks.

        Raises:
            MultipartError: the body is broken; objects that were whole stay in `arrived`.
            StorageFull: the store took nothing more.
        """
        try:
            for chunk in chunks:
                for happening in self.parser.feed(chunk):
                    match happening:
                        case PartBytes():
                            assert self._open
                            self._open.write(happening.piece)
                        case PartBegins():
                            self._content_id = happening.headers.get("content-id", "").strip("<>")
                            self._open = self.begin(happening.headers)
                        case PartEnds():
                            self._end_part()
        except BaseException:
            self.abort()
            raise

    def close(self) -> None:
        """Say that the body ended.

        Raises:
            MultipartCut: it should not have.
            StorageFull: the store took not all of it.
        """
        try:
            self.parser.close()
            self._settle(0)
        finally:
            self.abort()

    def abort(self) -> None:
        """Forget the part that is under way; what was whole before is in `arrived`."""
        if self._open:
            self._open.abort()
            self._open = None
        while self._ending:
            with suppress(StorageFull):  # told already, or the body is at fault
                self._settle(0)

    def _end_part(self) -> None:
        arrival, self._open = self._open, None
        assert arrival
        self._ending.append((self._content_id, arrival, _SYNCING.submit(arrival.finish)))
        self._settle(_AT_ONCE)

    def _settle(self, most: int) -> None:
        """Wait until no more than `most` objects are still on their way to the disk, oldest first."""
        while len(self._ending) > most:
            content_id, arrival, future = self._ending.popleft()
            try:
                self.arrived.append(future.result())
            except ObjectInvalid as error:
                self.refused.append(
                    TurnedAway(content_id, arrival.sop_class_uid, arrival.sop_instance_uid, _bare(error))
                )


def _bare(error: ObjectInvalid) -> ObjectInvalid:
    """Without the frames it came through: they would keep the arrival, with half a megabyte of buffers."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
