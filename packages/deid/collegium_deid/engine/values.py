"""Bytes of elements: how they are written, dummies by VR, and what a value of a VR may look like."""

from __future__ import annotations

import re
import struct
from typing import Final

from collegium_deid.dictionary import show
from collegium_deid.engine.elements import LONG
from collegium_deid.errors import Rejected

DUMMY_TEXT: Final = b"REMOVED"
_DUMMIES: Final = {
    "AS": b"000D",
    "CS": b"REMOVED",
    "DA": b"19000101",
    "DS": b"0",
    "DT": b"19000101000000",
    "IS": b"0",
    "TM": b"000000",
    "UR": b"urn:removed",
    "AE": b"REMOVED",
}

# Shapes per VR, PS3.5 table 6.2-1; a little wider where real scanners are. `\` separates values. Nothing is
# ever given back (`+` behind a quantifier), so that no value takes long to be refused.
_SHAPES: Final = {
    "AS": re.compile(rb"(?:\d{3}[DWMY](?:\\\d{3}[DWMY])*)?"),
    "CS": re.compile(rb"[A-Z0-9_ \\]*"),
    "DS": re.compile(
        rb"(?: *+[+-]?(?:\d{1,20}+(?:\.\d{0,20}+)?|\.\d{1,20}+)(?:[eE][+-]?\d{1,3}+)? *+(?:\\|$))*+"
    ),
    "UI": re.compile(rb"(?:[0-9.]{1,64}(?:\\|$))*"),
    "IS": re.compile(rb"(?: *+[+-]?\d{1,11}+ *+(?:\\|$))*+"),
}
_UID: Final = re.compile(rb"[0-9]+(?:\.[0-9]+)+")
# For a fixed size VR: how many bytes one value has.
SIZES: Final = {"AT": 4, "FD": 8, "FL": 4, "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8}


def dummy(vr: str) -> bytes:
    """A value that stands for nothing and is valid for its VR; two zero bytes for bulk."""
    if vr in SIZES:
        return bytes(SIZES[vr])
    return b"\0\0" if vr[0] == "O" or vr == "UN" else _DUMMIES.get(vr, DUMMY_TEXT)


def fits(vr: str, value: bytes) -> bool:
    """True when a value looks like its VR says; True for every VR whose values have no shape."""
    if vr in SIZES:
        return len(value) % SIZES[vr] == 0
    shape = _SHAPES.get(vr)
    return shape is None or shape.fullmatch(value.rstrip(b"\0 ")) is not None


def is_uid(value: bytes) -> bool:
    """Digits in components, at most 64 characters; leading zeros, which some scanners write, are let through."""
    return len(value) <= 64 and _UID.fullmatch(value) is not None


def element(tag: int, vr: bytes, value: bytes, *, explicit: bool) -> bytes:
    """One data element, little endian, its value padded to even length.

    Raises:
        Rejected: the value is too long for its VR.
    """
    if len(value) & 1:
        value += b"\0" if vr in (b"UI", b"UN") or vr[:1] == b"O" else b" "
    group, number = tag >> 16, tag & 0xFFFF
    if not explicit:
        return struct.pack("<HHI", group, number, len(value)) + value
    if vr in LONG:
        return struct.pack("<HH2s2xI", group, number, vr, len(value)) + value
    if len(value) > 0xFFFF:
        raise Rejected("deid.too_long", f"{show(tag)} grows beyond what its VR can hold.")
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


def item(content: bytes) -> bytes:
    """One item of defined length."""
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(content)) + content
