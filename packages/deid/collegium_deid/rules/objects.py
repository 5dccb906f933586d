"""The kinds of objects a recipe can name: DICOM's storage classes, as people call them."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from pydicom._uid_dict import UID_dictionary

_CLASS: Final = "1.2.840.10008.5.1.4.1.1."
_SHORT: Final = {
    "Positron Emission Tomography Image": "PET Image",
    "Digital X-Ray Image - For Presentation": "Digital X-Ray Image",
    "Digital Mammography X-Ray Image - For Presentation": "Digital Mammography X-Ray Image",
    "X-Ray Angiographic Image": "XA Image",
    "X-Ray Radiofluoroscopic Image": "RF Image",
}

OBJECTS: Final[dict[str, str]] = {
    _SHORT.get(name, name): uid
    for uid, (full, kind, _, retired, _) in UID_dictionary.items()
    if uid.startswith(_CLASS) and kind == "SOP Class" and " Storage" in full and not retired
    for name in [full.replace(" Storage", "")]
}


def near(name: str) -> str:
    """A few names that may have been meant."""
    begin = [known for known in OBJECTS if name and known.lower().startswith(name.lower())]
    names = dict.fromkeys([*begin, *get_close_matches(name, OBJECTS, 4, 0.5)])
    return ", ".join(list(names)[:4]) or "CT Image, MR Image"


# Pixels that carry no text by their nature, unless the header says otherwise, and objects without pixels.
# Every other kind can only be taken by a recipe that also cleans pixels.
NO_TEXT_IN_PIXELS: Final = frozenset(
    OBJECTS[name]
    for name in (
        "CT Image",
        "Enhanced CT Image",
        "MR Image",
        "Enhanced MR Image",
        "PET Image",
        "Enhanced PET Image",
        "RT Structure Set",
        "RT Dose",
        "RT Plan",
        "Segmentation",
        "Spatial Registration",
        "Deformable Spatial Registration",
        "Real World Value Mapping",
        "Basic Text SR",
        "Enhanced SR",
        "Comprehensive SR",
        "Comprehensive 3D SR",
        "X-Ray Radiation Dose SR",
        "Key Object Selection Document",
        "Grayscale Softcopy Presentation State",
    )
)
