"""What compressed frames say beside the picture: comments and application data of JPEG, JPEG-LS, JPEG 2000.

Scanners and converters write there too: a name, a path, the time of a photograph. A decoder does not
show it and no header names it, so a frame that says anything but which program wrote it is refused; and so
is a frame behind which another picture hides, which nobody would look at.

Source: ITU-T T.81 annex B, T.87 annex C, T.800 annex A; PS3.5 annex A.4 and annex G.
"""

from __future__ import annotations

import re
import struct
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collegium_deid.engine.text import KnownTokens

SYNTAXES: Final = frozenset(
    f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 53, 55, 57, 70, 80, 81, 90, 91, 92, 93, 201, 202, 203)
)
MAX_LEAD: Final = 256 * 1024
"""No header of a frame is longer."""
TAIL: Final = 512
"""So many bytes at the end of a fragment are searched for what was written behind the picture."""
RLE: Final = "1.2.840.10008.1.2.5"
RLE_LEAD: Final = 64
"""The header of a run length frame."""
MAX_TABLE: Final = 4 * 1024 * 1024
"""No table of offsets is longer: a million frames."""

_JPEG, _JPEG_2000 = b"\xff\xd8", b"\xff\x4f"
_END: Final = b"\xff\xd9"
_STARTS: Final = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51")
_SCAN, _TILE = b"\xff\xda", b"\xff\x93"
_COMMENT, _COMMENT_2000 = 0xFE, 0x64
_NO_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_DATA: Final = frozenset({0xDA, 0xD9, 0x90})  # a scan, the end, a tile part
# Application data that every reader knows and that holds numbers only.
_KNOWN_DATA: Final = re.compile(
    rb"JFIF\0.{7}\0\0|Adobe.{7}|SPIFF\0.*|\0\0\0\x01.{0,4}|mrfx.*|ICC_PROFILE\0.*", re.DOTALL
)
_PROGRAM: Final = re.compile(
    r"(?:(?:Creat(?:or|ed by):? ?)?(?:GDCM/|DCMTK/)?"
    r"(?:Kakadu|OpenJPEG|OpenJPH|JasPer|LEAD Technologies|Lavc|gd-jpeg|JPEG Encoder Copyright|Aware|AccuSoft"
    r"|Pegasus|Intel|CharLS|GDCM|DCMTK|HandMade Software)[\w .,:;()/+-]{0,80})?\s*\0*",
    re.IGNORECASE,
)
# Left-overs of a buffer look like this once in two hundred.
_WORDS: Final = re.compile(rb"[A-Za-z ^.,'-]{8,}|\d{6,}")


def begins_frame(lead: bytes) -> bool:
    """True where a fragment begins with a code stream."""
    return lead[:2] in (_JPEG, _JPEG_2000)


def says_more(lead: bytes, tokens: KnownTokens) -> bool | None:
    """Whether the header of a frame says more than how to decode it; None while more of it is needed."""
    pos, is_2000 = 2, lead[:2] == _JPEG_2000
    while True:
        while pos + 2 < len(lead) and lead[pos] == lead[pos + 1] == 0xFF:
            pos += 1
        if pos + 4 > len(lead):
            return None
        mark = lead[pos + 1]
        if lead[pos] != 0xFF or mark in _DATA:
            return False
        if mark in _NO_LENGTH and not is_2000:
            pos += 2
            continue
        end = pos + 2 + int.from_bytes(lead[pos + 2 : pos + 4], "big")
        if end > len(lead):
            return None
        if _says(mark, lead[pos + 4 : end], tokens, is_2000=is_2000):
            return True
        pos = end


def is_closed(tail: bytes) -> bool:
    """True when the end of a code stream is near the end of a fragment."""
    return _END in tail


def says_behind(tail: bytes) -> bool:
    """True when there are words behind the end of a code stream; left-overs of a buffer are not."""
    return _WORDS.search(tail, tail.rfind(_END) + 2) is not None if _END in tail else False


def goes_on(frame: bytes) -> bool:
    """True when another picture or words follow behind the end of a whole frame's code stream.

    The mark of the end cannot stand within coded samples: a byte FF is never followed by so high a byte there.
    """
    begin = max(0, frame.find(_TILE if frame[:2] == _JPEG_2000 else _SCAN))
    end = frame.find(_END, begin)
    behind = frame[begin if end < 0 else end + len(_END) :]
    return any(start in behind for start in _STARTS) or (end >= 0 and _WORDS.search(behind) is not None)


def table_says(table: bytes) -> bool:
    """True for an offset table that holds words: its numbers do not rise from nothing, as offsets do."""
    offsets = struct.unpack_from(f"<{len(table) // 4}I", table)
    rises = offsets[:1] in {(), (0,)} and all(one < other for one, other in pairwise(offsets))
    return not rises and _WORDS.search(table) is not None


def rle_says_more(lead: bytes) -> bool:
    """True when the header of a run length frame holds more than the places of its segments."""
    used = 4 + 4 * int.from_bytes(lead[:4], "little")
    return not 4 < used <= len(lead) == RLE_LEAD or lead[used:].strip(b"\0") != b""


def _says(mark: int, content: bytes, tokens: KnownTokens, *, is_2000: bool) -> bool:
    if is_2000:
        return mark == _COMMENT_2000 and not _names_program(content[2:], tokens)
    if mark == _COMMENT:
        return not _names_program(content, tokens)
    return 0xE0 <= mark <= 0xEF and _KNOWN_DATA.fullmatch(content) is None


def _names_program(content: bytes, tokens: KnownTokens) -> bool:
    text = content.decode("latin-1")
    return _PROGRAM.fullmatch(text) is not None and not tokens.in_text(text)
