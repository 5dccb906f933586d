"""Look for words inside compressed frames: comment and application segments may carry an identity.

What encoders are known to write is let through; anything else is refused, because
nobody can tell what it says. The main header is read; in what follows, comments and application
segments are looked for as it streams by, and nothing but filling may follow the end.

Source: ITU-T T.81 annex B (JPEG), T.87 (JPEG-LS), T.800 annex A (JPEG 2000).
"""

from __future__ import annotations

import re

from collegium.imaging.archive.errors import CodestreamSpeaks, FramesUnreadable

LOOK_BYTES = 8_192
"""A main header is shorter than this; one that is not is refused."""

JPEG, JPEG_2000 = b"\xff\xd8", b"\xff\x4f"
_JPEG_ENDS = frozenset({0xDA, 0xD9})
_JPEG_2000_ENDS = frozenset({0x90, 0x93, 0xD9})
_ENCODER = re.compile(
    rb"(?:Creator: JasPer Version|Kakadu-|Created by (?:GDCM/)?OpenJPEG version|OpenJPH Ver|Lavc|CharLS"
    rb"|LEAD Technologies Inc\.|Intel\(R\) (?:IPP )?JPEG|FFmpeg)[ vV]{0,2}(?:[0-9]{1,5}(?:\.[0-9]{1,4}){0,4})?\.?\0?"
)
"""A name and a version; behind a known name a version is all that may stand."""
_LATER = {
    # After the first scan header, 0xFF stands before 0, a restart or a marker (T.81 B.1.1.5, T.87 annex A).
    JPEG: re.compile(rb"\xff[\xd9\xe0-\xef\xfe]"),
    # Packets hold nothing from 0xFF90 up (T.800 B.10.1), but may hold 0xFF64: a comment is one with its text.
    JPEG_2000: re.compile(rb"\xff\xd9|\xff\x64[\x00-\x7f][\x00-\xff]\x00[\x00\x01][ -~\xa0-\xff]{4}"),
}
_END = b"\xff\xd9"
_OVERLAP = {JPEG: 1, JPEG_2000: 9}


class Watch:
    """Follows a codestream from the end of its main header."""

    def __init__(self, kind: bytes) -> None:
        self._pattern, self._overlap = _LATER[kind], _OVERLAP[kind]
        self._tail = b""
        self._has_ended = False

    def feed(self, piece: bytes) -> None:
        """The next bytes, in any cut. Raises CodestreamSpeaks."""
        if not self._has_ended:
            piece = self._tail + piece
            found = self._pattern.search(piece)
            self._tail = piece[-self._overlap :]
            if not found:
                return
            if found[0] != _END:
                raise CodestreamSpeaks
            self._has_ended, piece = True, piece[found.end() :]
        if piece.strip(b"\0\xff"):  # some encoders fill up with either
            raise CodestreamSpeaks


def require_no_words(start: bytes) -> int:
    """Check the beginning of a frame; returns where its main header ends.

    Args:
        start: the first `LOOK_BYTES` of a codestream, or all of a shorter one.

    Raises:
        CodestreamSpeaks: a segment says what no known encoder writes.
        FramesUnreadable: the header cannot be followed to its end.
    """
    kind, position = start[:2], 2
    if kind not in (JPEG, JPEG_2000):
        return 0
    ends = _JPEG_ENDS if kind == JPEG else _JPEG_2000_ENDS
    while position + 4 <= len(start):
        if start[position] != 0xFF:
            raise FramesUnreadable
        marker = start[position + 1]
        if marker in ends:
            return position
        if marker == 0xFF:  # fill bytes before a marker (T.81 B.1.1.2)
            position += 1
            continue
        length = int.from_bytes(start[position + 2 : position + 4], "big")
        content = start[position + 4 : position + 2 + length]
        if length < 2 or (kind == JPEG and not _is_silent(marker, content)):
            raise CodestreamSpeaks
        if kind == JPEG_2000 and marker == 0x64 and not _ENCODER.fullmatch(content[2:]):
            raise CodestreamSpeaks
        position += 2 + length
    raise FramesUnreadable


def _is_silent(marker: int, content: bytes) -> bool:
    """Whether a JPEG segment says nothing beyond what its format needs."""
    if marker == 0xFE:
        return bool(_ENCODER.fullmatch(content))
    if marker == 0xE0:  # without a thumbnail
        return content.startswith(b"JFIF\0") and len(content) == 14
    if marker == 0xE8:  # SPIFF, or the colour transform of JPEG-LS
        return content.startswith((b"SPIFF\0", b"mrfx")) and len(content) <= 30
    if marker == 0xEE:
        return content.startswith(b"Adobe") and len(content) == 12
    return not 0xE0 <= marker <= 0xEF
