"""Let the pixel bytes of a cleaned object through, untouched, and nothing that lies behind them.

Data elements behind the pixel data (private groups, trailing padding, signatures) are dropped: Annex E
removes all of them. Works on a stream in pieces of any size and keeps at most 12 bytes.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from collegium_deid.engine.elements import ITEM, LONG, SEQUENCE_END, UNDEFINED
from collegium_deid.engine.pixelplan import Look
from collegium_deid.errors import DeidError, Rejected

if TYPE_CHECKING:
    from collegium_deid.engine.clean import Cleaned

_EXPLICIT: Final = Struct("<HH2s2xI").unpack_from
_IMPLICIT: Final = Struct("<HHI").unpack_from
_ITEM: Final = Struct("<II").unpack_from
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
        self._state = "head" if cleaned.has_pixels else "done"
        self._left = 0  # bytes of the current value still to pass
        self._kept = b""  # a head that was cut by the end of a chunk

    def feed(self, chunk: bytes | bytearray | memoryview) -> list[bytes | memoryview]:
        """The parts of `chunk` that belong to the pixel data, in order; views of it, not copies.

        Raises:
            Rejected: the pixel data is malformed.
        """
        view = memoryview(chunk)
        out: list[bytes | memoryview] = []
        pos, size = 0, len(view)
        while pos < size and self._state != "done":
            if self._left:
                taken = min(self._left, size - pos)
                out.append(view[pos : pos + taken])
                pos, self._left = pos + taken, self._left - taken
                if not self._left and self._state == "value":
                    self._state = "done"
                continue
            wanted = (12 if self._explicit else 8) if self._state == "head" else 8
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
        return self._left

    def skip(self) -> None:
        """Say that the `passing` bytes went their way unseen: a caller that can point at them need not read them."""
        self._left = 0
        if self._state == "value":
            self._state = "done"

    def finish(self) -> None:
        """Say that the input ended.

        Raises:
            Rejected: in the middle of the pixel data.
        """
        if self._state != "done":
            raise Rejected("deid.truncated", "The file ends in the middle of its pixel data.")

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
            return
        mark, length = _ITEM(head)
        if mark == SEQUENCE_END:
            self._state = "done"
        elif mark != ITEM or length == UNDEFINED:
            raise Rejected("deid.malformed", "The compressed pixel data holds something that is no fragment.")
        else:
            self._left = length
