"""Decide from the header whether pixels may pass untouched. Everything that is not certain may not.

First cut: the plan is "none" or the object is rejected to quarantine. Finding and removing burned-in
text is a later part of this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collegium_deid.dictionary import show
from collegium_deid.errors import Rejected

if TYPE_CHECKING:
    from collegium_deid.engine.elements import FileHead
    from collegium_deid.rules.recipe import Recipe

# Words of Image Type (0008,0008) that scanners give to pictures of screens, protocols and reports.
_SCREENS: Final = (
    "SCREEN", "CAPTURE", "PROT", "DOSE_INFO", "DOSE INFO", "REPORT", "RESULT", "TEXT", "SNAPSHOT",
    "GRAPH", "CHART", "TABLE",
)  # fmt: skip
_COLOUR: Final = ("RGB", "YBR", "PALETTE", "HSV", "ARGB", "CMYK")


def require_no_pixel_work(head: FileHead, recipe: Recipe) -> None:
    """Refuse an object whose pixels or content a person or the pixel part would have to look at.

    Raises:
        Rejected: with the attribute that decided, never its value.
    """
    if head.text(0x00080016) not in recipe.objects:
        raise Rejected("deid.object", "The recipe does not take this kind of object (SOP Class UID).")
    if head.text(0x00280301).upper() not in {"", "NO"}:
        _refuse(0x00280301, "says that identity may be burned into the pixels")
    image_type = head.text(0x00080008).upper()
    if any(word in part for part in image_type.split("\\")[2:] for word in _SCREENS):
        _refuse(0x00080008, "says that the picture may be a screen or a report")
    if 0x00080064 in head.elements:
        _refuse(0x00080064, "says that the picture was made by conversion or capture")
    if head.text(0x00280004).upper().startswith(_COLOUR):
        _refuse(0x00280004, "says that the picture is in colour, as screens and reports are")
    for tag in head.elements:
        if tag >> 24 == 0x60 and tag & 0xFFFF == 0x0102 and head.raw(tag).strip(b"\0"):
            _refuse(tag, "says that an overlay is kept inside the pixels")
        if tag in {0x00420011, 0x54000100}:
            _refuse(tag, "holds a document or a curve that cannot be judged")


def _refuse(tag: int, why: str) -> None:
    raise Rejected("deid.pixels", f"{show(tag)} {why}.")
