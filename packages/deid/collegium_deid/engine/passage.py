"""Let the pixel bytes of a cleaned object through, untouched, and nothing that lies behind them.

Data elements behind the pixel data (private groups, trailing padding, signatures) are dropped: Annex E
removes all of them. What says something beside the picture (bytes behind the last sample, comments inside
compressed frames) is refused. Works on a stream in pieces of any size; keeps the header and the last bytes
of one frame at most.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from collegium_deid.engine import frametalk
from collegium_deid.engine.elements import ITEM, LONG, SEQUENCE_END, UNDEFINED
from collegium_deid.engine.pixelplan import Look
from collegium_deid.errors import DeidError, Rejected

if TYPE_CHECKING:
    from collegium_deid.engine.clean import Cleaned

_EXPLICIT: Final = Struct("<HH2s2xI").unpack_from
_IMPLICIT: Final = Struct("<HHI").unpack_from
_ITEM: Final = Struct("<II").unpack_from
# The header of most frames is shorter.
_LEAD_BYTES: Final = 4096
_TAIL_BYTES: Final = 1024 * 1024
_UNCOMPRESSED: Final = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"})


class PixelPassage:
    """Feed it the input from `Cleaned.pixel_start` on; write what it gives back.

    Raises:
        DeidError: the pixel plan says that somebody must look at these pixels first.

    Example:
        passage = PixelPassage(cleaned)
        out.write(cleaned.head)
        for chunk in chunks:
            for piece in passage.feed(chunk):
                out.write(piece)
        passage.finish()
    """

    def __init__(self, cleaned: Cleaned) -> None:
        if cleaned.has_pixels and cleaned.plan.look is not Look.NONE:
            raise DeidError("deid.pixels_not_done", "These pixels must be looked at before they may pass.")
        self._explicit = cleaned.explicit
        self._native = cleaned.transfer_syntax_uid in _UNCOMPRESSED
        self._has_marks = cleaned.transfer_syntax_uid in frametalk.SYNTAXES
        self._is_rle = cleaned.transfer_syntax_uid == frametalk.RLE
        self._pixel_bytes, self._tokens = cleaned.pixel_bytes, cleaned.tokens
        self._state = "head" if cleaned.has_pixels else "done"
        self._left = 0  # bytes of the current value still to pass
        self._kept = b""  # a head that was cut by the end of a chunk
        self._lead: bytearray | None = None  # the header of a frame, while it is looked at
        self._watched = 0  # so many of the last bytes of a value are looked at
        self._tail = bytearray()
        self._items = 0  # so many were begun; the first holds offsets
        self._is_open = False  # a code stream goes on in the next fragment

    def feed(self, chunk: bytes | bytearray | memoryview) -> list[bytes | memoryview]:
        """The parts of `chunk` that belong to the pixel data, in order; views of it, not copies.

        Raises:
            Rejected: the pixel data is malformed, or says something beside the picture.
        """
        view = memoryview(chunk)
        out: list[bytes | memoryview] = []
        pos, size = 0, len(view)
        while pos < size and self._state != "done":
            if self._left:
                taken = min(self._left, size - pos)
                out.append(view[pos : pos + taken])
                self._look(view[pos : pos + taken])
                pos, self._left = pos + taken, self._left - taken
                if not self._left:
                    self._end()
                continue
            wanted = self._head_bytes
            taken = min(wanted - len(self._kept), size - pos)
            self._kept += bytes(view[pos : pos + taken])
            pos += taken
            if len(self._kept) == wanted:
                out.append(self._kept)
                head, self._kept = self._kept, b""
                self._begin(head)
        return out

    @property
    def passing(self) -> int:
        """How many of the next bytes pass whatever they are; they may be skipped instead of fed."""
        return 0 if self._lead is not None else max(0, self._left - self._watched)

    @property
    def wanted(self) -> int:
        """How many bytes to feed next, where those that are `passing` are skipped."""
        if not self._left:
            return self._head_bytes
        return min(self._left, _LEAD_BYTES if self._lead is not None else _TAIL_BYTES)

    def skip(self) -> None:
        """Say that the `passing` bytes went their way unseen: a caller that can point at them need not read them."""
        passing = self.passing
        self._left -= passing
        if passing and not self._left:
            self._end()

    def finish(self) -> None:
        """Say that the input ended.

        Raises:
            Rejected: in the middle of the pixel data.
        """
        if self._state != "done":
            raise Rejected("deid.truncated", "The file ends in the middle of its pixel data.")

    @property
    def _head_bytes(self) -> int:
        return (12 if self._explicit else 8) if self._state == "head" else 8

    def _begin(self, head: bytes) -> None:
        if self._state == "head":
            if self._explicit:
                _, _, vr, length = _EXPLICIT(head)
                if vr not in LONG or vr in (b"SQ", b"UT", b"UC", b"UR"):
                    raise Rejected("deid.malformed", "The pixel data has no VR of pixel data.")
            else:
                length = _IMPLICIT(head)[2]
            if (length == UNDEFINED) == self._native:
                raise Rejected("deid.malformed", "The length of the pixel data does not fit its syntax.")
            self._left = 0 if length == UNDEFINED else length
            self._state = "items" if length == UNDEFINED else "value" if length else "done"
            if self._pixel_bytes is not None and self._left > self._pixel_bytes:
                self._watched = self._left - self._pixel_bytes
            return
        self._begin_item(*_ITEM(head))

    def _begin_item(self, mark: int, length: int) -> None:
        if mark == SEQUENCE_END:
            if self._is_open:
                raise Rejected(
                    "deid.pixels_say_more", "A frame's end cannot be found, so words may stand behind it."
                )
            self._state = "done"
        elif mark != ITEM or length == UNDEFINED:
            raise Rejected("deid.malformed", "The compressed pixel data holds something that is no fragment.")
        elif self._items == 0 and length > frametalk.MAX_TABLE:
            raise _says_more()
        else:
            self._left, self._items = length, self._items + 1
            if self._items == 1:
                self._watched = length
            elif self._has_marks or self._is_rle:
                self._watched = min(length, frametalk.TAIL) if self._has_marks else 0
                self._lead = bytearray() if length else None

    def _look(self, piece: memoryview) -> None:
        """See what passes, as far as it may say something."""
        if self._lead is not None:
            self._lead += piece[: frametalk.MAX_LEAD]
            self._judge_lead(is_whole=len(piece) == self._left)
        seen = piece[max(0, self._left - self._watched) :] if self._watched else b""
        if self._state == "items":
            self._tail += seen
        elif bytes(seen).strip(b"\0"):
            raise _says_more()

    def _judge_lead(self, *, is_whole: bool) -> None:
        lead = bytes(self._lead or b"")
        if len(lead) < (frametalk.RLE_LEAD if self._is_rle else 2) and not is_whole:
            return
        begins = frametalk.begins_frame(lead)
        says: bool | None
        if self._is_rle:
            says = frametalk.rle_says_more(lead[: frametalk.RLE_LEAD])
        elif self._is_open:
            says = begins  # a new frame where the last one has not ended
        else:
            says = frametalk.says_more(lead, self._tokens) if begins else True
        if says is None and len(lead) < frametalk.MAX_LEAD:
            return
        if says is not False:
            raise _says_more()
        self._lead = None

    def _end(self) -> None:
        """One value, or one fragment, has passed."""
        tail, self._tail, self._watched = bytes(self._tail), bytearray(), 0
        if self._state == "value":
            self._state = "done"
        elif self._items == 1:
            if frametalk.table_says(tail):
                raise _says_more()
        elif self._has_marks and tail:
            self._is_open = not frametalk.is_closed(tail)
            # The header of a frame that does not end within its fragment cannot be judged either.
            if self._lead is not None or frametalk.says_behind(tail):
                raise _says_more()


def _says_more() -> Rejected:
    return Rejected("deid.pixels_say_more", "The pixel data says something beside the picture.")
