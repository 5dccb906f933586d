"""Decide from the header alone how closely the pixels must be looked at. No pixel is touched here.

Three answers: not at all (no pixels, or pixels that are no picture), by the cheap gate, by reading.
What no pixel part could make certain is rejected. Without a pixel policy in the recipe nothing is
looked at, so everything doubtful is rejected. (0028,0301) saying NO is no proof: scanners write it
by default.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from collegium_deid.dictionary import show
from collegium_deid.engine.faces import may_show_a_face
from collegium_deid.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collegium_deid.engine.elements import FileHead
    from collegium_deid.rules.recipe import Recipe

# Words of Image Type (0008,0008) that scanners give to pictures of screens, protocols and reports.
_SCREENS: Final = (
    "SCREEN", "CAPTURE", "PROT", "DOSE_INFO", "DOSE INFO", "REPORT", "RESULT", "TEXT", "SNAPSHOT",
    "GRAPH", "CHART", "TABLE", "LABEL",
)  # fmt: skip
_COLOUR: Final = ("RGB", "YBR", "PALETTE", "HSV", "ARGB", "CMYK", "XYB")
# Devices and people write onto these by habit.
_WRITTEN_ON: Final = (
    "1.2.840.10008.5.1.4.1.1.1",  # CR, DX, mammography, intra-oral
    "1.2.840.10008.5.1.4.1.1.3",  # ultrasound, several frames
    "1.2.840.10008.5.1.4.1.1.6",  # ultrasound
    "1.2.840.10008.5.1.4.1.1.7",  # secondary capture
    "1.2.840.10008.5.1.4.1.1.12",  # XA and RF
    "1.2.840.10008.5.1.4.1.1.13",  # XA in three dimensions, tomosynthesis
    "1.2.840.10008.5.1.4.1.1.77",  # visible light
)
_NO_PICTURE: Final = (
    "1.2.840.10008.5.1.4.1.1.66",  # segmentations, surfaces, registrations, raw data
    "1.2.840.10008.5.1.4.1.1.481",  # radiotherapy: a dose grid is numbers; RT Image is below
    "1.2.840.10008.5.1.4.1.1.30",  # parametric map
)
_CURVE: Final = 0x54000100
_RT_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.481.1"
# Video streams, JPEG XL and whatever comes next: no frame of them can be changed in place.
_SYNTAXES: Final = frozenset(
    {
        "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5",
        *(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203)),
    }
)  # fmt: skip


class Look(StrEnum):
    """How closely pixels must be looked at."""

    NONE = "none"
    GATE = "gate"
    """The cheap gate looks; where it sees something like writing, it is read."""
    READ = "read"
    """Text is searched and read whatever the gate says."""


@dataclass(frozen=True)
class PixelPlan:
    """The answer, and the reason as words without any value."""

    look: Look
    why: str


def pixel_plan(head: FileHead, recipe: Recipe) -> PixelPlan:
    """How the pixels of this object must be looked at under this recipe.

    Raises:
        Rejected: nothing could make them certain; the message names the attribute, never its value.
    """
    _refuse_outright(head, recipe)
    doubt = next(_doubts(head), None)
    if doubt is None and places_of_device(head, recipe):
        doubt = 0x00081090, "names a device on whose pictures the recipe hides places"
    if recipe.pixels is None:
        if doubt is not None:
            raise Rejected("deid.pixels", f"{show(doubt[0])} {doubt[1]}.")
        return PixelPlan(Look.NONE, "The recipe looks at no pixels.")
    if head.pixel_start is None:
        return PixelPlan(Look.NONE, "The object has no pixels.")
    if doubt is None and _is_no_picture(head):
        return PixelPlan(Look.NONE, "The pixels are numbers, not a picture.")
    if doubt is None and recipe.pixels.look == "doubtful":
        return PixelPlan(Look.NONE, "Nothing in the header is doubtful.")
    if head.transfer_syntax_uid not in _SYNTAXES:
        raise Rejected("deid.pixels", f"{show(0x00020010)} names a syntax whose frames cannot be looked at.")
    if doubt is None:
        return PixelPlan(Look.GATE, "The recipe looks at every picture.")
    return PixelPlan(Look.READ, f"{show(doubt[0])} {doubt[1]}.")


def places_of_device(head: FileHead, recipe: Recipe) -> tuple[tuple[int, int, int, int], ...]:
    """What the recipe hides unread on pictures of this device and size: left, top, right, bottom."""
    if recipe.pixels is None or not recipe.pixels.devices:
        return ()
    rows, columns = (int.from_bytes(head.raw(tag)[:2], "little") for tag in (0x00280010, 0x00280011))
    return recipe.pixels.places_of(head.text(0x00080070), head.text(0x00081090), rows, columns)


def _refuse_outright(head: FileHead, recipe: Recipe) -> None:
    if head.text(0x00080016) not in recipe.objects:
        raise Rejected("deid.object", "The recipe does not take this kind of object (SOP Class UID).")
    if 0x00420011 in head.elements and recipe.documents.encapsulated == "reject":
        raise Rejected("deid.pixels", f"{show(0x00420011)} holds a document that cannot be judged.")
    if recipe.refuses_faces and may_show_a_face(head):
        raise Rejected("deid.face", "A face may be made out of the pictures, and the recipe refuses that.")


def _doubts(head: FileHead) -> Iterator[tuple[int, str]]:
    """The attributes that speak for writing in the picture, and how."""
    if head.text(0x00280301).upper() not in {"", "NO"}:
        yield 0x00280301, "says that identity may be burned into the pixels"
    image_type = head.text(0x00080008).upper()
    if any(word in part for part in image_type.split("\\")[2:] for word in _SCREENS):
        yield 0x00080008, "says that the picture may be a screen or a report"
    if 0x00080064 in head.elements:
        yield 0x00080064, "says that the picture was made by conversion or capture"
    if head.text(0x00280004).upper().startswith(_COLOUR):
        yield 0x00280004, "says that the picture is in colour, as screens and reports are"
    if _is_kind(head.text(0x00080016), _WRITTEN_ON):
        yield 0x00080016, "names a kind of picture that people and devices write on"
    for tag in reversed(head.elements):  # they are in order, and most headers end below
        if tag < _CURVE:
            break
        if tag >> 24 == 0x60 and tag & 0xFFFF == 0x0102 and head.raw(tag).strip(b"\0"):
            yield tag, "says that an overlay is kept inside the pixels"
        if tag == _CURVE:
            yield tag, "holds a curve that cannot be judged"


def _is_no_picture(head: FileHead) -> bool:
    sop_class = head.text(0x00080016)
    return _is_kind(sop_class, _NO_PICTURE) and sop_class != _RT_IMAGE


def _is_kind(sop_class: str, roots: tuple[str, ...]) -> bool:
    return any(sop_class == root or sop_class.startswith(f"{root}.") for root in roots)
