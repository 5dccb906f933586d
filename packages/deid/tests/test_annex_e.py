"""Every row of Table E.1-1 planted, for every option and the shipped combinations.

The expected action is worked out here from the columns of the table, the types of the CT Image IOD and
the order of the options; nothing of `rules` is asked.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.datadict import dictionary_has_tag
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from collegium_deid import parse_recipe, verify_conformance
from collegium_deid.table import DATA, annex_e
from collegium_testkit import real_data

if TYPE_CHECKING:
    from collegium_deid import Recipe

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
MOVED, FULL = "retain_longitudinal_modified_dates", "retain_longitudinal_full_dates"
# In the order in which they apply; the table's column of each.
COLUMNS = {
    "clean_descriptors": "descriptors",
    "clean_structured_content": "structured",
    "clean_graphics": "graphics",
    "retain_uids": "uids",
    "retain_device_identity": "device",
    "retain_institution_identity": "institution",
    "retain_patient_characteristics": "characteristics",
    FULL: "full_dates",
    MOVED: "modified_dates",
    "retain_safe_private": "safe_private",
}
COMBINATIONS = {
    "basic": [],
    **{name: [name] for name in COLUMNS},
    "trial": ["clean_descriptors", MOVED, "retain_patient_characteristics", "retain_safe_private"],
    "teaching": [
        "clean_descriptors", "clean_structured_content", "clean_graphics", "retain_patient_characteristics", MOVED,
    ],
    "onward": [
        "clean_descriptors", "clean_structured_content", "clean_graphics", "retain_device_identity",
        "retain_institution_identity", "retain_patient_characteristics", FULL, "retain_safe_private",
    ],
    "device, moved": ["retain_device_identity", "retain_uids", MOVED],
}  # fmt: skip
# PS3.15 Table E.1-1a, by the type of the attribute in the IOD; "" when it is not known.
COMPOUND = {
    "X/Z": {"1": "Z", "2": "Z", "3": "X", "": "Z"},
    "X/D": {"1": "D", "2": "D", "3": "X", "": "D"},
    "Z/D": {"1": "D", "2": "Z", "3": "Z", "": "D"},
    "X/Z/D": {"1": "D", "2": "Z", "3": "X", "": "D"},
    "X/Z/U*": dict.fromkeys(["1", "2", "3", ""], "U"),
}
VALUES: dict[str, Any] = {  # Any: whatever pydicom takes for the VR
    "PN": "Zorbinski^Ada",
    "DA": "20240229",
    "DT": "20240229101112",
    "TM": "101112",
    "DS": "77.5",
    "IS": "77",
    "AS": "045Y",
    "CS": "YES",
    "AE": "QUILLHAVN",
    "UR": "http://quillhavn.example.org",
    "US": 7,
    "OB": b"Quillhavn!",
    "UN": b"Quillhavn!",
}
ZONE = 0x00080201
SUBJECT = {0x00100010, 0x00100020, 0x00120040}
WRITTEN = {0x00120010, 0x00120020, 0x00120021, 0x00120030, 0x00120031}  # by every recipe, at the top


def read_table(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


# Not data set elements of an image: commands, file meta, directories; and what lies behind the pixels. An
# encapsulated document is rejected as a whole.
ROWS = [
    row
    for row in read_table("annex_e.csv")
    if row["tag"][:4] not in {"0000", "0002", "0004", "FFFA", "FFFC"}
    and "x" not in row["tag"]
    and row["tag"] != "0042,0011"
]
TYPES = next(row for row in read_table("types.csv") if row["sop_class"] == CT_IMAGE)


def tag_of(row: dict[str, str]) -> int:
    return int(row["tag"].replace(",", ""), 16)


def word(row: dict[str, str]) -> str:
    """A word of its own for each row, which no list knows."""
    return "".join(chr(ord("g") + int(digit, 16)) for digit in row["tag"].replace(",", ""))


def value_for(row: dict[str, str]) -> Any:
    tag, vr = tag_of(row), row["vr"]
    if vr == "SQ":
        item = Dataset()
        item.PersonName = "Zorbinski^Ada"
        item.TextValue = f"thorax {word(row)}"
        return [item]
    if vr == "UI":
        return f"1.2.3.{tag}"
    return {0x00100020: "MRN-771204", ZONE: "+0100"}.get(tag, VALUES.get(vr, f"thorax {word(row)}"))


def planted(*, deep: bool) -> Dataset:
    """A CT with every row of the table, at the top or in the second sequence."""
    ds = Dataset()
    for row in ROWS:
        ds.add_new(tag_of(row), row["vr"], value_for(row))
    if deep:
        middle, inner = Dataset(), ds
        middle.PurposeOfReferenceCodeSequence = [inner]
        ds = Dataset()
        ds.SourceImageSequence = [middle]
        for keyword in (
            "PatientName",
            "PatientID",
            "SOPInstanceUID",
            "StudyInstanceUID",
            "SeriesInstanceUID",
        ):
            setattr(ds, keyword, inner[keyword].value)
    ds.SOPClassUID = CT_IMAGE
    return ds


def expected(row: dict[str, str], options: list[str], *, deep: bool) -> str:
    kind = "" if deep else TYPES.get(row["tag"]) or ""
    action = COMPOUND[row["basic"]][kind] if "/" in row["basic"] else row["basic"]
    if row["vr"] in {"OB", "AE"} and "K" not in {row[COLUMNS[option]] for option in options}:
        return action  # nobody can clean bytes or the one word of a network name
    for option, column in COLUMNS.items():
        if option in options and row[column]:
            action = row[column]
    return action


def recipe_of(options: list[str]) -> Recipe:
    dates = "dates: {shift_days: [-3650, -365]}\n" if MOVED in options else ""
    return parse_recipe(
        f'recipe: t\nversion: "1"\nprofile: basic\noptions: {options}\nobjects: [CT Image]\n{dates}'
    )


@pytest.mark.requirement("C05", "C06")
@pytest.mark.parametrize("deep", [False, True], ids=["top", "deep"])
@pytest.mark.parametrize("choice", list(COMBINATIONS))
def test_each_row_gets_the_action_its_profile_and_options_name(
    *, write: Tool, clean: Tool, read: Tool, choice: str, deep: bool
) -> None:
    options = COMBINATIONS[choice]
    recipe = recipe_of(options)

    head = clean(write(planted(deep=deep), implicit=deep), recipe=recipe).head

    ds = read(head)
    if deep:
        ds = ds.SourceImageSequence[0].PurposeOfReferenceCodeSequence[0]
    problems = {
        f"{row['tag']} {row['keyword']}": judge(ds, row, expected(row, options, deep=deep))
        for row in ROWS
        if deep or tag_of(row) not in WRITTEN
    }
    assert {row: problem for row, problem in problems.items() if problem} == {}
    assert verify_conformance(recipe, head, pixels_done=False) == ()
    assert b"zorbinski" not in head.lower()


def judge(ds: Dataset, row: dict[str, str], action: str) -> str:
    """What is wrong with one element, or nothing."""
    tag, vr = Tag(tag_of(row)), row["vr"]
    if tag in SUBJECT:
        return "" if ds[tag].value == "S-001" else "not the subject code"
    if vr == "UR" and action == "K":
        action = "X"  # an address of the web never stays, whatever an option says
    if action == "X":
        return "still there" if tag in ds else ""
    if tag not in ds:
        return "gone"
    value = value_of(ds, tag)
    if action == "Z":
        return "not empty" if value else ""
    return JUDGES[vr](value, action, row) if vr in JUDGES else judge_text(value, action, row)


def value_of(ds: Dataset, tag: BaseTag) -> Any:
    if dictionary_has_tag(tag):
        return ds[tag].value
    raw = ds.get_item(tag)  # newer than pydicom's dictionary: in implicit VR it cannot know the VR
    return raw.value.decode("latin-1").strip("\0 ") if isinstance(raw.value, bytes) else raw.value


def judge_text(value: Any, action: str, row: dict[str, str]) -> str:
    wanted = {"K": value_for(row), "C": "+0100" if tag_of(row) == ZONE else "thorax"}
    if row["vr"] in VALUES:
        wanted["C"] = VALUES[row["vr"]]
    if action == "D":
        return "" if value not in {"", value_for(row)} and word(row) not in str(value) else "no dummy"
    return "" if str(value) == str(wanted[action]) else f"{action} gave {value!r}"


def judge_uid(value: Any, action: str, row: dict[str, str]) -> str:
    kept = str(value) == value_for(row)
    return "" if kept == (action == "K") and (kept or str(value).startswith("2.25.")) else "wrong UID"


def judge_date(value: Any, action: str, row: dict[str, str]) -> str:
    old, new = value_for(row), str(value)
    right = {
        "K": new == old,
        "C": len(new) == len(old) and (new == old) == (row["vr"] == "TM") and new[8:] == old[8:],
        "D": new.rstrip("0") in {"19000101", ""},
    }
    return "" if right[action] else f"wrong date {new}"


def judge_sequence(value: Any, action: str, row: dict[str, str]) -> str:
    text = value if isinstance(value, str) else str(value[0].TextValue)
    wanted = "REMOVED" if action == "D" else "thorax"
    return "" if wanted in text and word(row) not in text else f"holds {text!r}"


JUDGES = {
    "UI": judge_uid,
    "SQ": judge_sequence,
    "DA": judge_date,
    "DT": judge_date,
    "TM": judge_date,
}


# CID 7050, in the order of the options in PS3.15 section E.3.
CODES = {
    "clean_recognizable_visual_features": "113102",
    "clean_graphics": "113103",
    "clean_structured_content": "113104",
    "clean_descriptors": "113105",
    FULL: "113106",
    MOVED: "113107",
    "retain_patient_characteristics": "113108",
    "retain_device_identity": "113109",
    "retain_uids": "113110",
    "retain_safe_private": "113111",
    "retain_institution_identity": "113112",
}


@pytest.mark.requirement("C09")
@pytest.mark.parametrize("choice", [name for name in COMBINATIONS if name != "basic"])
def test_every_applied_option_puts_its_code_into_the_object(
    *, write: Tool, clean: Tool, read: Tool, ct: Dataset, choice: str
) -> None:
    options = COMBINATIONS[choice]

    ds = read(clean(write(ct), recipe=recipe_of(options)).head)

    codes = [item.CodeValue for item in ds.DeidentificationMethodCodeSequence]
    assert codes == sorted(["113100", *(CODES[name] for name in options)])
    dates = {FULL: "UNMODIFIED", MOVED: "MODIFIED"}
    assert ds.LongitudinalTemporalInformationModified == next(
        (word for name, word in dates.items() if name in options), "REMOVED"
    )


@pytest.mark.requirement("C05")
@pytest.mark.parametrize("group", [0x5000, 0x501E, 0x6000, 0x6002, 0x601E])
def test_curves_and_overlays_go_in_every_group(
    *, write: Tool, clean: Tool, read: Tool, ct: Dataset, group: int
) -> None:
    ct.add_new(group << 16 | 0x3000, "OW", b"Quillhavn!")
    ct.add_new(group << 16 | 0x0022, "LO", "Quillhavn")

    ds = read(clean(write(ct)).head)

    assert [element.tag for element in ds if element.tag.group == group] == []


SAFE = read_table("safe_private.csv")
FITTING: dict[str, Any] = {"CS": "YES", "DS": "1.5", "IS": "7", "LO": "thorax", "SH": "axial"}


def with_private_values() -> Dataset:
    ds = Dataset()
    for row in SAFE:
        group, element = int(row["tag"][:4], 16), int(row["tag"][7:], 16)
        block = ds.private_block(group, row["creator"], create=True)
        item = Dataset()
        item.PatientName = "Zorbinski^Ada"
        block.add_new(element, row["vr"], [item] if row["vr"] == "SQ" else FITTING.get(row["vr"], 7))
    return ds


@pytest.mark.requirement("C05", "C06")
@pytest.mark.parametrize("implicit", [False, True], ids=["explicit", "implicit"])
def test_every_private_attribute_the_standard_calls_safe_stays_when_asked(
    *, write: Tool, clean: Tool, read: Tool, ct: Dataset, implicit: bool
) -> None:
    safe = with_private_values()
    ct.update(safe)

    kept = read(clean(write(ct, implicit=implicit), recipe=recipe_of(["retain_safe_private"])).head)
    basic = read(clean(write(ct, implicit=implicit), recipe=recipe_of([])).head)

    names = {(row["creator"], row["tag"][:4], row["tag"][7:]) for row in SAFE}
    assert {
        (kept[tag.group, tag.element >> 8].value, f"{tag.group:04X}", f"{tag.element & 0xFF:02X}")
        for tag in kept.keys()  # noqa: SIM118 - iterating a data set reads each value, by pydicom's VR
        if tag.is_private and not tag.is_private_creator
    } == names
    assert [tag for tag in basic.keys() if tag.is_private] == []  # noqa: SIM118 - as above
    assert b"Zorbinski" not in clean(write(ct), recipe=recipe_of(["retain_safe_private"])).head


def test_the_package_s_table_is_the_whole_table() -> None:
    # The row counts of the edition: 621 of 2024b and 35 added until 2026c, less the row for private attributes.
    assert len(ROWS) > 640
    assert len(annex_e()) == 652


@pytest.mark.skipif(real_data.folder() is None, reason="the table as delivered is not on this machine")
def test_the_package_s_table_agrees_with_the_table_as_delivered() -> None:
    folder = real_data.folder()
    assert folder is not None
    with (folder / "ps315-annex-e.csv").open(encoding="utf-8") as file:
        delivered = {
            line["tag"].split("\n")[0]: [
                line[name] for name in line if name.startswith(("basic", "retain", "clean"))
            ]
            for line in csv.DictReader(file)
        }
    with (DATA / "annex_e.csv").open(encoding="utf-8") as file:
        ours = {
            line["tag"]: sorted(
                line[name] for name in line if name not in {"tag", "keyword", "vr", "since"} and line[name]
            )
            for line in csv.DictReader(file)
        }

    expected_rows = {
        tag: sorted(cell for cell in cells if cell) for tag, cells in delivered.items() if "gggg" not in tag
    }
    assert ours == expected_rows
