"""What a header says about the person, for the engine: the local id and the tokens no text may keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collegium_deid.engine import charset
from collegium_deid.engine.text import KnownTokens, known_tokens
from collegium_deid.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collegium_deid.engine.elements import FileHead

PATIENT_ID: Final = 0x00100020
CHARACTER_SET: Final = 0x00080005

# Persons: the patient, relatives, and everybody who cared, because a name in a description may be any of them.
_NAMES: Final = (
    0x00080090, 0x0008009C, 0x00081048, 0x00081050, 0x00081060, 0x00081070, 0x00100010, 0x00101001,
    0x00101005, 0x00101060, 0x00102297, 0x00321032, 0x00400006, 0x00401010, 0x00402008, 0x0040A075,
    0x0040A123, 0x00700084, 0x300600A6, 0x300E0008,
)  # fmt: skip
# Numbers and phrases that point at a person, an order, a place or one machine.
_NUMBERS: Final = (
    0x00080050, 0x00080080, 0x00080081, 0x00080092, 0x00080094, 0x00081010, 0x00081040, 0x00100020,
    0x00100021, 0x00101000, 0x00101040, 0x00101050, 0x00101090, 0x00102154, 0x00102155, 0x00102299,
    0x00181000, 0x00181002, 0x00181008, 0x00200010, 0x00321033, 0x00380010, 0x00380060, 0x00380300, 0x00380400,
    0x00400009, 0x00400253, 0x00401001, 0x00402010, 0x00402016, 0x00402017, 0x00120020, 0x00120030,
    0x00120031, 0x00120040,
)  # fmt: skip
_SIGNATURE: Final = (CHARACTER_SET, *_NAMES, *_NUMBERS)


def signature(head: FileHead) -> tuple[bytes, ...]:
    """The raw bytes everything here is made from; equal through a series."""
    return tuple(map(head.raw, _SIGNATURE))


def codecs_of(head: FileHead) -> tuple[str, ...]:
    return charset.encodings(head.raw(CHARACTER_SET))


def local_id(head: FileHead, codecs: Sequence[str]) -> str:
    """PatientID as the site uses it.

    Raises:
        Rejected: there is none; without it nobody can say whose exam this is.
    """
    text = charset.decode(head.raw(PATIENT_ID), codecs)
    if text is None:
        raise Rejected("deid.patient_id", "The Patient ID is not text of the object's character set.")
    if not text.strip("\0 "):
        raise Rejected("deid.patient_id", "The object has no Patient ID, so it belongs to nobody.")
    return text.strip("\0 ")


def tokens(head: FileHead, codecs: Sequence[str]) -> KnownTokens:
    """The folded tokens of names and numbers of the top level."""

    def texts(tags: Sequence[int]) -> list[str]:
        found = [charset.decode(raw, codecs) for raw in map(head.raw, tags) if raw]
        return [part for text in found if text for part in text.split("\\")]

    return known_tokens(texts(_NAMES), texts(_NUMBERS))
