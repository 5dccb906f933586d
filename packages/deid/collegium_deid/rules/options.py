"""The options of PS3.15 section E.3: their columns in the table and their codes, in the order they apply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Option:
    """One option: its column in the table ("" for none), its code in CID 7050, and what it is for."""

    column: str
    code: str
    meaning: str
    plain: str


BASIC: Final = Option("basic", "113100", "Basic Application Confidentiality Profile", "the basic profile")

# Clean first, then retain; of two that speak about one attribute the later one has the word, so a date
# that is also a fact about a device is still moved.
OPTIONS: Final = {
    "clean_pixel_data": Option(
        "", "113101", "Clean Pixel Data Option", "text burned into pictures is found and hidden"
    ),
    "clean_recognizable_visual_features": Option(
        "",
        "113102",
        "Clean Recognizable Visual Features Option",
        "objects that may show a face are refused",
    ),
    "clean_descriptors": Option(
        "descriptors",
        "113105",
        "Clean Descriptors Option",
        "descriptions and comments keep their medical words",
    ),
    "clean_structured_content": Option(
        "structured",
        "113104",
        "Clean Structured Content Option",
        "structured reports and their kin keep their tree, with cleaned text",
    ),
    "clean_graphics": Option(
        "graphics",
        "113103",
        "Clean Graphics Option",
        "drawings of presentation states stay, with cleaned text",
    ),
    "retain_uids": Option("uids", "113110", "Retain UIDs Option", "UIDs stay as they are"),
    "retain_device_identity": Option(
        "device",
        "113109",
        "Retain Device Identity Option",
        "names and serial numbers of machines stay",
    ),
    "retain_institution_identity": Option(
        "institution",
        "113112",
        "Retain Institution Identity Option",
        "names and addresses of institutions stay",
    ),
    "retain_patient_characteristics": Option(
        "characteristics",
        "113108",
        "Retain Patient Characteristics Option",
        "sex, age, size, weight and the like stay",
    ),
    "retain_longitudinal_full_dates": Option(
        "full_dates",
        "113106",
        "Retain Longitudinal Temporal Information Full Dates Option",
        "dates and times stay as they are",
    ),
    "retain_longitudinal_modified_dates": Option(
        "modified_dates",
        "113107",
        "Retain Longitudinal Temporal Information Modified Dates Option",
        "dates move by one number of days per patient; times stay",
    ),
    "retain_safe_private": Option(
        "safe_private",
        "113111",
        "Retain Safe Private Option",
        "private attributes known to be safe stay",
    ),
}
MODIFIED: Final = "retain_longitudinal_modified_dates"
FULL: Final = "retain_longitudinal_full_dates"
PIXELS: Final = "clean_pixel_data"
FACES: Final = "clean_recognizable_visual_features"
