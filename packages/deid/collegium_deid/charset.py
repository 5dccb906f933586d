"""Decode text in the character set its object names; encode what is left of it.

Source: DICOM PS3.5 section 6.1 and PS3.3 section C.12.1.1.2.
"""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Final

from pydicom.charset import convert_encodings, decode_bytes

from collegium_deid.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

# Characters at which PS3.5 section 6.1.2.5.3 resets the code extension.
_DELIMITERS: Final = {"\n", "\r", "\t", "\f", "\\", "^", "="}


@functools.lru_cache(maxsize=256)
def encodings(declared: bytes) -> tuple[str, ...]:
    """Python codecs of a (0008,0005) value.

    Raises:
        Rejected: a character set nobody defined, so text in it cannot be judged.
    """
    names = [name.strip() for name in declared.decode("latin-1").strip("\0 ").split("\\")]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return tuple(convert_encodings(list(names)))
        except (LookupError, UserWarning, ValueError):
            raise Rejected("deid.charset", "The specific character set is not one DICOM defines.") from None


def decode(value: bytes, codecs: Sequence[str]) -> str | None:
    """The text of a value without padding; None when its bytes are not text of that character set."""
    value = value.rstrip(b"\0 ")
    if value.isascii() and b"\x1b" not in value and codecs[0] not in {"utf-16", "utf-7"}:
        return value.decode("ascii")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return decode_bytes(value, list(codecs), _DELIMITERS)
        except (UnicodeError, LookupError, UserWarning, ValueError):
            return None


def encode(text: str, codecs: Sequence[str]) -> bytes:
    """Text back to bytes; characters that the first character set lacks are left out."""
    if text.isascii():
        return text.encode("ascii")
    with_escapes = len(codecs) > 1
    return text.encode("ascii" if with_escapes else codecs[0], "ignore")
