"""Decode text in the character set its object names; encode what is left of it.

Source: DICOM PS3.5 section 6.1 and PS3.3 section C.12.1.1.2. Only pydicom's tables are used: its
functions warn, and changing warning filters is not safe in a program with threads.
"""

from __future__ import annotations

import contextlib
import functools
import re
from typing import TYPE_CHECKING, Final

from pydicom.charset import CODES_TO_ENCODINGS, ENCODINGS_TO_CODES, python_encoding

from collegium_deid.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

_ESCAPE: Final = re.compile(rb"(\x1b[$().-]{1,2}[0-9A-Z])")
_DELIMITER: Final = re.compile(rb"[\\^=\r\n\t\f]")
_BETWEEN_DELIMITERS: Final = re.compile(r"([\\^=\r\n\t\f])")
_SPELLING: Final = re.compile(r"ISO[ _-]*(2022[ _-]*)?IR[ _-]*(\d+)")


@functools.lru_cache(maxsize=256)
def encodings(declared: bytes) -> tuple[str, ...]:
    """Python codecs of a (0008,0005) value.

    Raises:
        Rejected: a character set nobody defined, so text in it cannot be judged.
    """
    found = []
    for name in declared.decode("latin-1").strip("\0 ").split("\\"):
        codec = python_encoding.get(_spelled(name.strip()))
        if codec is None:
            raise Rejected("deid.charset", "The specific character set is not one DICOM defines.")
        found.append(codec)
    return tuple(found)


def _spelled(name: str) -> str:
    """The defined term behind the spellings in the field (`ISO-IR 100`, `ISO IR 100`)."""
    found = _SPELLING.fullmatch(name.upper())
    if found is None:
        return name
    return f"ISO 2022 IR {found[2]}" if found[1] else f"ISO_IR {found[2]}"


def decode(value: bytes, codecs: Sequence[str]) -> str | None:
    """The text of a value without padding; None when its bytes are not text of that character set."""
    value = value.rstrip(b"\0 ")
    try:
        if b"\x1b" not in value:
            return value.decode("ascii" if value.isascii() else codecs[0])
        return "".join(_pieces(value, codecs[0]))
    except (UnicodeDecodeError, LookupError):
        return None


def readings(value: bytes, codecs: Sequence[str]) -> frozenset[str]:
    """Every text the bytes may have been meant as, for searching: the right one and the careless ones.

    A name whose escape sequences are missing, or that is UTF-8 under another declared character set,
    must still be known when it comes back elsewhere written well.
    """
    text = decode(value, codecs)
    if text is not None and value.isascii() and b"\x1b" not in value:
        return frozenset((text,))
    found = set() if text is None else {text}
    bare = _ESCAPE.sub(b"", value.rstrip(b"\0 "))
    for codec in (*codecs, "utf-8"):
        if not codec.startswith("iso2022"):
            with contextlib.suppress(UnicodeDecodeError):
                found.add(bare.decode(codec))
    return frozenset(found or (bare.decode("latin-1"),))


def _pieces(value: bytes, first: str) -> list[str]:
    """Each run behind an escape sequence in the character set the sequence names.

    A delimiter ends what an escape sequence began (PS3.5 section 6.1.2.5.3).
    """
    runs = _ESCAPE.split(value)
    texts = [runs[0].decode(first)]
    for escape, run in zip(runs[1::2], runs[2::2], strict=True):
        codec = CODES_TO_ENCODINGS[escape]
        if codec.startswith("iso2022"):
            # Python wants to see these escapes; every byte behind one is half a character.
            texts.append((escape + run).decode(codec))
            continue
        delimiter = _DELIMITER.search(run)
        stop = delimiter.start() if delimiter else len(run)
        texts += (run[:stop].decode(codec), run[stop:].decode(first))
    return texts


def encode(text: str, codecs: Sequence[str]) -> bytes:
    """Text back to bytes; characters that the character sets lack are left out."""
    if text.isascii():
        return text.encode("ascii")
    if len(codecs) == 1:
        return text.encode(codecs[0], "ignore")
    return b"".join(_encoded(part, codecs) for part in _BETWEEN_DELIMITERS.split(text))


def _encoded(part: str, codecs: Sequence[str]) -> bytes:
    """One run without delimiters in the first of several character sets that has all its characters."""
    if part.isascii():
        return part.encode("ascii")
    for number, codec in enumerate(codecs):
        with contextlib.suppress(UnicodeEncodeError):
            coded = part.encode(codec)
            if codec == "iso8859" or (codec == "shift_jis" and len(coded) != len(part)):
                continue  # declared are ASCII, or half-width characters, alone
            if codec.startswith("iso2022"):
                if set(_ESCAPE.findall(coded)) <= CODES_TO_ENCODINGS.keys():
                    return coded
            elif number == 0 or codec in ENCODINGS_TO_CODES:
                return coded if number == 0 else ENCODINGS_TO_CODES[codec] + coded
    return part.encode("ascii", "ignore")
