"""Every row of Table E.1-1 planted, at the top and two sequences deep; the expected action worked out here."""

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
NAME = "Zorbinski"
MOVED = "retain_longitudinal_modified_dates"
OPTIONS = {
    "basic": [],
    "clean": ["clean_descriptors", MOVED],
    "characteristics": ["retain_patient_characteristics", "clean_descriptors", MOVED],
    "device": ["retain_device_identity", "retain_institution_identity", MOVED],
}
# In the order in which they apply; the table's column of each.
COLUMNS = {
    "clean_descriptors": "descriptors",
    "retain_patient_characteristics": "characteristics",
    "retain_device_identity": "device",
    "retain_institution_identity": "institution",
    MOVED: "modified_dates",
}
VALUES: dict[str, Any] = {  # Any: whatever pydicom takes for the VR
    "PN": f"{NAME}^Ada",
    "DA": "20240229",
    "DT": "20240229101112",
    "TM": "101112",
    "DS": "77.5",
    "IS": "77",
    "AS": "045Y",
    "CS": "YES",
    "AE": "ZORBINSKI",
    "UR": "http://zorbinski.example.org",
    "US": 7,
    "OB": b"Zorbinski!",
    "UN": b"Zorbinski!",
}


def rows() -> list[dict[str, str]]:
    with (DATA / "annex_e.csv").open(encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    # Not data set elements of an image: commands, file meta, directories; and what lies behind the pixels.
    return [
        r
        for r in found
        if r["tag"][:4] not in {"0000", "0002", "0004", "FFFA", "FFFC"} and "x" not in r["tag"]
    ]


def tag_of(row: dict[str, str]) -> int:
    return int(row["tag"].replace(",", ""), 16)


def plant(ds: Dataset, row: dict[str, str]) -> None:
    vr, tag = row["vr"], tag_of(row)
    if vr == "SQ":
        item = Dataset()
        item.PersonName = f"{NAME}^Ada"
        item.TextValue = f"thorax {NAME}"
        ds.add_new(tag, "SQ", [item])
    elif vr == "UI":
        ds.add_new(tag, "UI", f"1.2.3.{tag}")
    else:
        ds.add_new(tag, vr, VALUES.get(vr, f"thorax {NAME}"))


def expected(row: dict[str, str], options: list[str]) -> str:
    action = row["basic"].split("/")[-1].rstrip("*")
    for option, column in COLUMNS.items():
        if option in options and row[column]:
            action = row[column]
    return action


def recipe_of(options: list[str]) -> Recipe:
    dates = "dates: {shift_days: [-3650, -365]}\n" if MOVED in options else ""
    return parse_recipe(
        f'recipe: t\nversion: "1"\nprofile: basic\noptions: {options}\nobjects: [CT Image]\n{dates}'
    )


_ROWS = rows()


def planted(*, deep: bool) -> Dataset:
    """A CT with every row of the table, at the top or in the second sequence."""
    ds = Dataset()
    for row in _ROWS:
        plant(ds, row)
    if deep:
        middle = Dataset()
        middle.PurposeOfReferenceCodeSequence = [ds]
        ds = Dataset()
        ds.SourceImageSequence = [middle]
        ds.PatientName = f"{NAME}^Ada"
    else:
        del ds[0x00420011]  # an encapsulated document is rejected as a whole
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.PatientID = "1.2.3.5", "1.2.3.6", "MRN-771204"
    return ds


@pytest.mark.requirement("C05", "C06")
@pytest.mark.parametrize("implicit", [False, True], ids=["explicit", "implicit"])
@pytest.mark.parametrize("deep", [False, True], ids=["top", "deep"])
@pytest.mark.parametrize("choice", list(OPTIONS))
def test_each_row_gets_the_action_its_profile_and_options_name(
    *, write: Tool, clean: Tool, read: Tool, choice: str, deep: bool, implicit: bool
) -> None:
    recipe = recipe_of(OPTIONS[choice])

    head = clean(write(planted(deep=deep), implicit=implicit), recipe=recipe).head

    ds = read(head)
    if deep:
        ds = ds.SourceImageSequence[0].PurposeOfReferenceCodeSequence[0]
    problems = {
        f"{row['tag']} {row['keyword']}": judge(ds, row, expected(row, OPTIONS[choice]), deep=deep)
        for row in _ROWS
    }
    assert {row: problem for row, problem in problems.items() if problem} == {}
    assert verify_conformance(recipe, head) == ()
    assert NAME.casefold().encode() not in head.lower()


def value_of(ds: Dataset, tag: BaseTag) -> Any:
    if dictionary_has_tag(tag):
        return ds[tag].value
    raw = ds.get_item(tag)  # newer than pydicom's dictionary: in implicit VR it cannot know the VR
    return raw.value.decode("latin-1").strip("\0 ") if isinstance(raw.value, bytes) else raw.value


def judge(ds: Dataset, row: dict[str, str], action: str, *, deep: bool) -> str:  # noqa: C901, PLR0911, PLR0912 - one line an action
    """What is wrong with one element, or nothing."""
    tag, vr = Tag(tag_of(row)), row["vr"]
    if tag in {0x00100010, 0x00100020, 0x00120040}:
        return "" if ds[tag].value == "S-001" else "not the subject code"
    if tag in {0x00120021, 0x00120030, 0x00120031} and not deep:
        action = "Z"
    if tag == 0x00420011 and not deep:
        return ""
    if action == "X" or (tag == 0x00420011):
        return "" if tag not in ds or tag == 0x00420011 else "still there"
    if tag not in ds and action == "K" and vr == "UR":
        return ""  # an address of the web never stays, whatever an option says
    if tag not in ds:
        # Cleaned text and dates may vanish where the basic profile removes.
        return (
            "" if action == "C" and row["basic"].split("/")[-1] == "X" and vr not in {"DA", "DT"} else "gone"
        )
    value = value_of(ds, tag)
    text = str(value)
    if NAME.casefold() in text.casefold():
        return "holds the name"
    if action == "Z":
        return "" if not value else "not empty"
    if vr == "UI":
        if action == "K":
            return "" if text == f"1.2.3.{int(tag)}" else "UID not kept"
        return "" if text.startswith("2.25.") else "old UID"
    if vr in {"DA", "DT"}:
        return "" if text[:8] != "20240229" and len(text) >= 8 else "date not moved or not a dummy"
    if vr == "TM":
        return "" if text == ("101112" if action == "C" else "000000") else "wrong time"
    if action == "D" and vr != "SQ" and not value:
        return "no dummy"
    if (
        action == "C"
        and vr in {"LO", "SH", "ST", "LT", "UT", "UC"}
        and text != "thorax"
        and tag != 0x00080201
    ):
        return f"cleaned to {text!r}"
    if action == "K" and vr in {"DS", "AS"} and text != str(VALUES[vr]):
        return "not kept"
    return ""


def test_the_package_s_table_is_the_whole_table() -> None:
    # The row counts of the edition: 621 of 2024b and 35 added until 2026c, less the row for private attributes.
    assert len(_ROWS) > 640
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
