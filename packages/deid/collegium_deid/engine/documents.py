"""Content items that say what they are: the concept name decides about the value beside it.

The table of Annex E knows tags, but in a structured report, a protocol or an annotation the tag is
always the same (Text Value, Date, Numeric Value) and the code beside it says whether it is a finding,
the patient's birth date or an age. Everything else about documents is compiled into the rules.

Source: DICOM PS3.16, TID 1001 to 1010; PS3.15 section E.3.4, Clean Structured Content.
"""

from __future__ import annotations

from typing import Final

from collegium_deid.engine.elements import ITEM, ITEM_HEAD, UNDEFINED, element_at
from collegium_deid.errors import Rejected

CONCEPT_NAME: Final = 0x0040A043
UNITS: Final = 0x004008EA
MEASURED_VALUE: Final = 0x0040A300
NUMERIC_VALUE: Final = 0x0040A30A
# Date time, date, time, person name, text, numeric value.
VALUES: Final = frozenset({0x0040A120, 0x0040A121, 0x0040A122, 0x0040A123, 0x0040A160, NUMERIC_VALUE})

IDENTITY: Final = "identity"
AGE: Final = "age"
_IDENTITY: Final = frozenset(
    {
        "110182",  # Node ID
        "110190",  # Issuer of Identifier
        "111700",  # Specimen Container Identifier
        "111705",  # Parent Specimen Identifier
        "111706",  # Issuer of Parent Specimen Identifier
        "111718",  # Location of Specimen
        "111724",  # Issuer of Specimen Identifier
        "113511",  # Radiopharmaceutical Dispense Unit Identifier
        "113512",  # Radiopharmaceutical Lot Identifier
        "113513",  # Reagent Vial Identifier
        "113514",  # Radionuclide Vial Identifier
        "113516",  # Prescription Identifier
        "113870",  # Person Name
        "113871",  # Person ID
        "113872",  # Person ID Issuer
        "113873",  # Organization Name
        "113877",  # Device Name
        "113880",  # Device Serial Number
        "121000",  # Unique Device Identifiers
        "121008",  # Person Observer Name
        "121009",  # Person Observer's Organization Name
        "121013",  # Device Observer Name
        "121016",  # Device Observer Serial Number
        "121017",  # Device Observer Physical Location
        "121022",  # Accession Number
        "121029",  # Subject Name
        "121030",  # Subject ID
        "121031",  # Subject Birth Date
        "121040",  # Specimen Accession Number
        "121041",  # Specimen Identifier
        "121043",  # Slide Identifier
        "121114",  # Performing Physician
        "121148",  # Unit Serial Identifier
        "121149",  # Lot Identifier
        "121152",  # Person administering drug/contrast
        "121193",  # Device Subject Name
        "121196",  # Device Subject Serial Number
        "121197",  # Device Subject Physical Location
        "121434",  # Service Delivery Location
        "122043",  # Page Sent To
        "122143",  # Acquisition Device ID
        "125010",  # Identifier
        "128774",  # Person Observer's Login Name
        "128775",  # Identifier within Person Observer's Role
    }
)
_AGES: Final = frozenset(
    {"121033", "397669002", "424144002"}
)  # Subject Age; Age and Current age of SNOMED CT
_UNITS_PER_YEAR: Final = {"a": 1.0, "mo": 12.0, "wk": 52.1775, "d": 365.2425, "h": 8765.82}


def concept(content: bytes, *, explicit: bool) -> str:
    """`identity` or `age` when a concept name says so, else nothing.

    Args:
        content: the value of (0040,A043): a sequence of one item.
        explicit: the form of its elements.
    """
    code = code_value(content, explicit=explicit)
    return IDENTITY if code in _IDENTITY else AGE if code in _AGES else ""


def code_value(content: bytes, *, explicit: bool) -> str:
    """The Code Value of the first item; empty when there is none or it cannot be read."""
    if len(content) < 8:
        return ""
    mark, length = ITEM_HEAD(content, 0)
    pos, end = 8, len(content) if length == UNDEFINED else min(8 + length, len(content))
    try:
        while mark == ITEM and pos < end:
            element = element_at(content, pos, end, explicit=explicit)
            if element.tag >= 0x00080100:
                value = content[element.value : element.end]
                return value.decode("latin-1").strip("\0 ") if element.tag == 0x00080100 else ""
            pos = element.end
    except Rejected:
        return ""  # whoever rewrites the sequence says what is wrong with it
    return ""


def years(value: float, unit: str) -> float:
    """An age in years; an unknown unit is taken for years."""
    return value / _UNITS_PER_YEAR.get(unit, 1.0)
