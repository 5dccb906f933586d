"""What a header says about persons, for the engine: the local id and the tokens no text may keep."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Final, NamedTuple

from collegium_deid.dictionary import VRS
from collegium_deid.engine import charset
from collegium_deid.engine.elements import (
    ITEM,
    ITEM_END_TAG,
    ITEM_HEAD,
    MAX_DEPTH,
    UNDEFINED,
    element_at,
    skip_undefined,
)
from collegium_deid.engine.text import KnownTokens, known_tokens
from collegium_deid.errors import DeidError, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collegium_deid.engine.elements import Element, FileHead

PATIENT_ID: Final = 0x00100020
CHARACTER_SET: Final = 0x00080005

# Persons: the patient, relatives, and everybody who cared, because a name in a description may be any of them.
_NAMES: Final = frozenset(tag for tag, vr in VRS.items() if vr == "PN") | {
    0x00102297, 0x0040A075, 0x0040A123, 0x00700084, 0x300600A6, 0x300E0008,
}  # fmt: skip
# Numbers and phrases that point at a person or an order.
_NUMBERS: Final = frozenset(
    (
        0x00080050, 0x00080092, 0x00080094, 0x00100020, 0x00101000, 0x00101040, 0x00101090, 0x00102154,
        0x00102155, 0x00102299, 0x00200010, 0x00380010, 0x00380060, 0x00400253, 0x00401001, 0x00402010,
        0x00402016, 0x00402017, 0x00400009, 0x00101050, 0x00120020, 0x00120040,
        0x00401103, 0x00120042,
    )
)  # fmt: skip
# The same for a place or one machine: an option may keep what these say in their own place.
_PLACES: Final = frozenset(
    (
        0x00080080, 0x00080081, 0x00081010, 0x00081040, 0x00100021, 0x00181000, 0x00181002, 0x00181008,
        0x00321033, 0x00380300, 0x00380400, 0x00120030, 0x00120031,
    )
)  # fmt: skip
_TOLD: Final = _NAMES | _NUMBERS | _PLACES
# In implicit VR a nested name or number is found by these bytes; explicit VR says PN itself.
_MARKS: Final = tuple(
    tag.to_bytes(4, "little")[2:] + tag.to_bytes(4, "little")[:2]
    for tag in (0x00100010, 0x00100020, 0x00080050, 0x00401001, 0x00402016, 0x00402017, 0x00101000)
)
_NAME_MARKS: Final = (b"PN", *_MARKS[1:])
NESTED: Final = frozenset((b"SQ", b"UN"))
EMPTY_ITEM_BYTES: Final = 16
_REMEMBERED_BYTES: Final = 4096

Inside = tuple[tuple[int, str], ...]


class Known(NamedTuple):
    """What text may not say: `every` token, and those `of_persons`, without places and machines."""

    every: KnownTokens
    of_persons: KnownTokens


def signature(head: FileHead) -> tuple[object, ...]:
    """What everything here is made from; equal through a series."""
    told = sorted(head.elements.keys() & _TOLD)
    return (head.raw(CHARACTER_SET), tuple(told), *map(head.raw, told), _inside(head))


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


def known(head: FileHead, codecs: Sequence[str]) -> Known:
    """The folded tokens of names and numbers, of the top level and of every sequence."""
    found = [
        (tag, text)
        for tag in sorted(head.elements.keys() & _TOLD)
        if (raw := head.raw(tag))
        for text in charset.readings(raw, codecs)
    ]
    found += _inside(head)
    texts = [(tag, part) for tag, text in found for part in text.split("\\")]
    names = [text for tag, text in texts if tag in _NAMES]
    numbers = [text for tag, text in texts if tag in _NUMBERS]
    places = [text for tag, text in texts if tag in _PLACES]
    return Known(known_tokens(names, numbers + places), known_tokens(names, numbers))


def tokens(head: FileHead, codecs: Sequence[str]) -> KnownTokens:
    """Every token of a header: what no text of it may keep."""
    return known(head, codecs).every


def _inside(head: FileHead) -> Inside:
    """Names and numbers within sequences: an old identity, an order, the author of a report."""
    found: set[tuple[int, str]] = set()
    declared, explicit, buf = head.raw(CHARACTER_SET), head.explicit, head.buf
    nested = [element for element in head.elements.values() if element[1] in NESTED]
    for _, vr, _, value, end, _ in nested:
        if end - value > EMPTY_ITEM_BYTES:
            told = _told_in if end - value <= _REMEMBERED_BYTES else _told_in.__wrapped__
            found.update(told(buf[value:end], explicit=explicit and vr == b"SQ", declared=declared))
    return tuple(sorted(found))


# The same sequences stand in every slice of a series.
@functools.lru_cache(maxsize=512)
def _told_in(content: bytes, *, explicit: bool, declared: bytes) -> Inside:
    found: set[tuple[int, str]] = set()
    if any(mark in content for mark in (_NAME_MARKS if explicit else _MARKS)):
        # What is malformed is refused by whoever rewrites it, or not written at all.
        with contextlib.suppress(DeidError):
            found.update(_items(content, explicit=explicit, declared=declared, depth=1))
    return tuple(found)


def _items(buf: bytes, *, explicit: bool, declared: bytes, depth: int) -> Iterator[tuple[int, str]]:
    pos, size = 0, len(buf)
    while depth <= MAX_DEPTH and pos + 8 <= size:
        mark, length = ITEM_HEAD(buf, pos)
        if mark != ITEM:
            return
        pos += 8
        end = size if length == UNDEFINED else min(pos + length, size)
        while pos < end:
            element = element_at(buf, pos, end, explicit=explicit)
            if element.tag == ITEM_END_TAG:
                pos = element.value
                break
            if element.tag == CHARACTER_SET:
                declared = buf[element.value : element.end]
            pos = _behind(buf, element, explicit=explicit)
            yield from _told(
                buf[element.value : pos], element, explicit=explicit, declared=declared, depth=depth
            )


def _told(
    value: bytes, element: Element, *, explicit: bool, declared: bytes, depth: int
) -> Iterator[tuple[int, str]]:
    if element.vr == b"SQ" or (element.vr == b"UN" and value[:4] == b"\xfe\xff\x00\xe0"):
        inside = explicit and element.vr == b"SQ"
        yield from _items(value, explicit=inside, declared=declared, depth=depth + 1)
    elif value and (element.tag in _TOLD or element.vr == b"PN"):
        tag = element.tag if element.tag in _TOLD else 0x00100010
        for text in charset.readings(value, charset.encodings(declared)):
            yield tag, text


def _behind(buf: bytes, element: Element, *, explicit: bool) -> int:
    if not element.undefined:
        return element.end
    inside = explicit and element.vr == b"SQ"
    return skip_undefined(buf, element.value, fragments=False, explicit=inside)
