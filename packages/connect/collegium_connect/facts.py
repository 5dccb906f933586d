"""Read from a cleaned header how its object was acquired, for the trial's acquisition requirements.

Only numbers and codes of closed lists come out of here, so that they may be kept and told: no free text
of a header, not even of a cleaned one.
"""

import math
import re
from struct import Struct
from typing import Final

from collegium_connect.journal.facts import Facts
from collegium_deid import DeidError, FileHead, parse_file
from collegium_wire import BODY_PARTS, MODALITIES

_MODALITY, _BODY_PART, _FRAMES = 0x00080060, 0x00180015, 0x00280008
_THICKNESS, _SPACING = 0x00180050, 0x00180088
_POSITION, _ORIENTATION = 0x00200032, 0x00200037
_CONTRAST: Final = (0x00180010, 0x00180012)  # agent, agent sequence
_FUNCTIONAL_GROUPS: Final = (0x52009229, 0x52009230)  # shared, then of each frame
_TAG: Final = Struct("<HH").pack
_SHORT, _LONG = Struct("<H").unpack_from, Struct("<I").unpack_from
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_MOST: Final = 1e6
"""No length in a body, in mm, and no number of frames is larger."""


def facts_of(head: bytes) -> Facts:
    """The facts of a cleaned header; none where it cannot be read, because that is not for here to judge."""
    try:
        found = parse_file(head, complete=True)
    except DeidError:
        return Facts()
    position, normal = _place(found)
    thickness, spacing = _length(found, _THICKNESS), _length(found, _SPACING)
    if thickness is None:  # a multi-frame object says it in its functional groups
        thickness, spacing = _measure(found, _THICKNESS), _measure(found, _SPACING)
    frames = _numbers(found.text(_FRAMES))
    return Facts(
        modality=_of(MODALITIES, found.text(_MODALITY)),
        body_part=_of(BODY_PARTS, found.text(_BODY_PART).replace(" ", "")),
        images=max(1, int(frames[0])) if frames else 1,
        thickness_mm=thickness,
        spacing_mm=spacing,
        position_mm=position,
        normal=normal,
        has_contrast=any(found.raw(tag).strip(b"\0 ") for tag in _CONTRAST),
    )


def _of(known: frozenset[str], value: str) -> str:
    return value.upper() if value.upper() in known else ""


def _numbers(text: str) -> list[float]:
    """Of a decimal or integer string (PS3.5 table 6.2-1); empty if any of it is no number."""
    parts = [part.strip() for part in text.split("\\")]
    if not all(_NUMBER.fullmatch(part) for part in parts):
        return []
    values = [float(part) for part in parts]
    return values if all(abs(value) <= _MOST for value in values) else []


def _length(found: FileHead, tag: int) -> float | None:
    values = _numbers(found.text(tag))
    return round(abs(values[0]), 3) if values and values[0] else None


def _place(found: FileHead) -> tuple[float | None, tuple[float, ...]]:
    """Where the image lies along its normal (PS3.3 section C.7.6.2.1.1), and the normal."""
    position, cosines = _numbers(found.text(_POSITION)), _numbers(found.text(_ORIENTATION))
    if len(position) != 3 or len(cosines) != 6:
        return None, ()
    (a, b, c), (d, e, f) = cosines[:3], cosines[3:]
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    length = math.hypot(*normal)
    if not 0.9 < length < 1.1:
        return None, ()
    along = math.fsum(x * y for x, y in zip(position, normal, strict=True)) / length
    return round(along, 3), tuple(round(x / length, 2) + 0.0 for x in normal)


def _measure(found: FileHead, tag: int) -> float | None:
    """A length of the pixel measures (PS3.3 section C.7.6.16.2.1), the first that the functional groups name.

    Looked for by its tag: a hit that is no such element is hardly ever a number too.
    """
    for groups in map(found.raw, _FUNCTIONAL_GROUPS):
        at = groups.find(_TAG(tag >> 16, tag & 0xFFFF))
        if at < 0 or at + 8 > len(groups):
            continue
        size = _SHORT(groups, at + 6) if found.explicit else _LONG(groups, at + 4)
        values = _numbers(groups[at + 8 : at + 8 + min(size[0], 64)].decode("latin-1").strip("\0 "))
        if values and values[0]:
            return round(abs(values[0]), 3)
    return None
