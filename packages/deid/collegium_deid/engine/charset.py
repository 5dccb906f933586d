"""Decode text in the character set its object names; encode what is left of it.

Source: DICOM PS3.5 section 6.1 and PS3.3 section C.12.1.1.2. Only pydicom's tables are used: its
functions warn, and changing warning filters is not safe in a program with threads.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from pydicom.charset import CODES_TO_ENCODINGS, python_encoding

from collegium_deid.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

_ESCAPE: Final = re.compile(rb"(\x1b[$().-]{1,2}[0-9A-Z])")
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


def _pieces(value: bytes, first: str) -> list[str]:
    """Each run behind an escape sequence in the character set the sequence names."""
    runs = _ESCAPE.split(value)
    texts = [runs[0].decode(first)]
    for escape, run in zip(runs[1::2], runs[2::2], strict=True):
        codec = CODES_TO_ENCODINGS[escape]
        # Python's iso2022 codecs want to see the escape, the others want the bytes behind it.
        texts.append((escape + run if codec.startswith("iso2022") else run).decode(codec))
    return texts


def encode(text: str, codecs: Sequence[str]) -> bytes:
    """Text back to bytes; characters that the first character set lacks are left out."""
    if text.isascii():
        return text.encode("ascii")
    return text.encode("ascii" if len(codecs) > 1 else codecs[0], "ignore")
