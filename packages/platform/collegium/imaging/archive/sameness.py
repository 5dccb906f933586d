"""Whether two headers of one instance say the same, whatever their syntax: only asked on a conflict.

The pixels have their own digest (`pixels`). What an archive writes anew with each send, how the header is encoded,
and elements without a value say nothing.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from pydicom import dcmread
from pydicom.datadict import dictionary_description, dictionary_has_tag
from pydicom.multival import MultiValue
from pydicom.values import convert_SQ

from collegium.imaging.archive.pixels import FLOAT_PIXELS

if TYPE_CHECKING:
    from pydicom import DataElement, Dataset
    from pydicom.tag import BaseTag

# Character set; level and view of a query, where and whether it can be had; what else is in its exam, and how far
# that is; times and marks of a coercion; media.
_PER_SEND = frozenset({
    0x00080005, 0x00080015, 0x00080052, 0x00080053, 0x00080054, 0x00080056, 0x00080061, 0x00080062, 0x00081190,
    0x00081195, 0x0018A001, 0x00201200, 0x00201202, 0x00201204, 0x00201206, 0x00201208, 0x00201209, 0x0032000A,
    0x0032000C, 0x0040E010, 0x00880130, 0x00880140, 0x04000550, 0x04000561,
})  # fmt: skip
_PIXELS = frozenset({0x7FE00001, 0x7FE00002, 0x7FE00003, 0x7FE00010, *FLOAT_PIXELS})
_NOT_COMPARED = _PER_SEND | _PIXELS
_TRAILING = 0xFFFA
"""Digital signatures and padding, and nothing after them."""
_ITEM = b"\xfe\xff\x00\xe0"
_PLANAR, _PHOTOMETRIC = 0x00280006, 0x00280004
# These are one picture once they are decoded (PS3.3 C.7.6.3.1.2).
_COLOUR = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT"})

Content = dict[int, Any]  # Any: what a header may hold, made comparable


def differing(before: bytes | memoryview, now: bytes | memoryview) -> tuple[str, ...]:
    """Names of the attributes that one header of an instance has otherwise than the other, in the order of their tags.

    A private one, and one of no name, is named by its tag. No value is in it. Memory: both objects, once more.
    """
    one, other = _content_of(before), _content_of(now)
    return tuple(_name(tag) for tag in sorted(one.keys() | other.keys()) if one.get(tag) != other.get(tag))


def _content_of(data: bytes | memoryview) -> Content:
    dataset = dcmread(io.BytesIO(data))
    return _content(dataset)


def _content(dataset: Dataset) -> Content:
    found: Content = {}
    for tag in dataset.keys():  # noqa: SIM118 - a value is read apart, because it may be broken
        number = int(tag)
        if number in _NOT_COMPARED or number >> 16 >= _TRAILING or not number & 0xFFFF or number == _PLANAR:
            continue
        try:
            value = _private(dataset, tag) if tag.is_private else _comparable(dataset[tag])
        except Exception:  # noqa: BLE001 - pydicom raises what the bytes make it raise, and may quote them
            value = object()  # it agrees with none
        if value not in (None, "", b"", ()):
            found[number] = value
    return found


def _private(dataset: Dataset, tag: BaseTag) -> Any:  # Any: as `Content`
    """A sequence as any other, else the bytes that are stored: only an explicit syntax says what they are.

    They are little endian in every syntax that the archive takes.
    """
    element = dataset.get_item(tag)
    value = element.value
    if element.VR == "SQ":
        return _comparable(dataset[tag])
    if not isinstance(value, bytes):
        return None if value is None else _scalar(value)
    if value.startswith(_ITEM):  # what says no VR, or UN, is implicit within (PS3.5 6.2.2)
        return tuple(_content(item) for item in convert_SQ(value, True, True))
    return _unpadded(value)


def _comparable(element: DataElement) -> Any:  # Any: as `Content`
    value = element.value
    if element.VR == "SQ":
        return tuple(_content(item) for item in value)
    if isinstance(value, MultiValue | list | tuple):
        return tuple(_scalar(one) for one in value)
    single = _scalar(value)
    return "colour" if int(element.tag) == _PHOTOMETRIC and single in _COLOUR else single


def _scalar(value: Any) -> Any:  # Any: as `Content`
    if isinstance(value, bytes):
        return _unpadded(value)
    if isinstance(value, float):
        return repr(float(value))  # as text a value that is no number equals itself
    return value if value is None or isinstance(value, int) else str(value).strip()


def _unpadded(value: bytes) -> bytes:
    """Less the one byte that makes a length even: what else is at the end belongs to the value."""
    return value[:-1] if len(value) % 2 == 0 and value.endswith((b"\0", b" ")) else value


def _name(tag: int) -> str:
    known = dictionary_description(tag) if dictionary_has_tag(tag) else ""  # a few have no name there
    return known or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
