"""What a view under a grant shows of attributes, judged without any server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from collegium.imaging.archive.attributes import (
    DESCRIPTIVE,
    KEYWORDS,
    RENDERING,
    STORED,
    TERMS,
    VRS,
    WORDS,
    fields,
    key_of,
    named,
)
from collegium.imaging.archive.document import SeriesDocument
from collegium.imaging.archive.projected import Projection

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.requirement("R40", "R42")

TELLING = (
    "AcquisitionNumber", "FrameAcquisitionNumber", "ImagesInAcquisition", "NumberOfTemporalPositions", "KVP",
    "ExposureTime", "XRayTubeCurrent", "ReconstructionDiameter", "WindowCenterWidthExplanation", "StackID",
    "SliceLocation", "SegmentAlgorithmType", "DimensionOrganizationUID", "LUTExplanation", "PatientSex", "PatientAge",
    "StudyDate", "SeriesDescription", "ProtocolName",
)  # fmt: skip


def one(uid: str, **more: Any) -> dict[str, Any]:  # Any: DICOM JSON
    names = {keyword: name for name, keyword in KEYWORDS.items()}
    given = {names[keyword]: value for keyword, value in more.items()}
    return {"00080018": {"vr": "UI", "Value": [uid]}, **given}


def shown(
    *instances: dict[str, Any],  # Any: DICOM JSON
    grant: Iterable[str] = (),
    only: set[str] | None = None,
) -> list[dict[str, Any]]:  # Any: DICOM JSON
    present = only if only is not None else {each["00080018"]["Value"][0] for each in instances}
    projection = Projection(
        fields=fields(list(grant)),
        named=named(list(grant)),
        uid=lambda uid: uid if uid.startswith("1.2.840.10008.") else f"other-{uid}",
        shows=present.__contains__,
        replace={},
    )
    return list(json.loads(SeriesDocument.of(list(instances)).render(projection)))


def cs(*values: str, vr: str = "CS") -> dict[str, Any]:  # Any: DICOM JSON
    return {"vr": vr, "Value": list(values)}


def whole(*values: object, vr: str = "IS") -> dict[str, Any]:  # Any: DICOM JSON
    return {"vr": vr, "Value": list(values)}


def test_every_rendering_attribute_that_holds_words_has_a_closed_list_of_them() -> None:
    wordy = {name for name in map(key_of, RENDERING) if VRS[name] & WORDS}

    assert {KEYWORDS[name] for name in wordy - TERMS.keys()} == set()


def test_no_date_time_age_or_name_renders() -> None:
    personal = {"DA", "TM", "DT", "AS", "PN", "SH", "LT", "ST", "UT"}

    assert {KEYWORDS[name] for name in map(key_of, RENDERING) if VRS[name] & personal} == set()


def test_an_attribute_is_on_one_side_and_all_stay_stored() -> None:
    assert not RENDERING & DESCRIPTIVE
    assert STORED == RENDERING | DESCRIPTIVE


@pytest.mark.parametrize("keyword", TELLING)
def test_what_tells_of_person_site_order_or_treatment_must_be_named(keyword: str) -> None:
    (name,) = [name for name, word in KEYWORDS.items() if word == keyword]
    (vr, *_) = VRS[name]
    instance = one("1.1", **{keyword: {"vr": vr, "Value": ["7"]}})

    (without,), (with_it,) = shown(instance), shown(instance, grant=[keyword])

    assert name not in without
    assert name in with_it


def test_instances_are_counted_anew_in_their_order_whatever_their_numbers_were() -> None:
    found = shown(one("1.1", InstanceNumber=whole(871)), one("1.2", InstanceNumber=whole(873)), only={"1.2"})
    both = shown(one("1.1", InstanceNumber=whole(871)), one("1.2", InstanceNumber=whole(873)))

    assert [each["00200013"]["Value"] for each in found] == [[1]]
    assert [each["00200013"]["Value"] for each in both] == [[1], [2]]


def test_phases_keep_their_order_and_lose_their_numbers() -> None:
    at = [whole(12), whole(12), whole(40)]

    found = shown(*(one(f"1.{n}", TemporalPositionIdentifier=each) for n, each in enumerate(at)))

    assert [each["00200100"]["Value"] for each in found] == [[1], [1], [2]]


@pytest.mark.parametrize(
    ("keyword", "values", "left"),
    [
        ("ImageType", ["ORIGINAL", "PRIMARY", "LARKSPUR"], ["ORIGINAL", "PRIMARY", "OTHER"]),
        ("ImageType", ["ORIGINAL", "PRIMARY", "AXIAL"], ["ORIGINAL", "PRIMARY", "AXIAL"]),
        ("Modality", ["LARKSPUR"], ["OT"]),
        ("Modality", ["MR"], ["MR"]),
        ("PatientPosition", ["ANNA"], None),
        ("PatientOrientation", ["L", "PH"], ["L", "PH"]),
        ("Units", ["BQML"], ["BQML"]),
        ("CorrectedImage", ["DECY", "LARKSPUR"], None),
    ],
)
def test_words_are_those_of_the_standard(keyword: str, values: list[str], left: list[str] | None) -> None:
    (name,) = [name for name, word in KEYWORDS.items() if word == keyword]

    (found,) = shown(one("1.1", **{keyword: cs(*values)}))

    assert found.get(name, {}).get("Value") == left


def test_a_named_word_is_shown_as_it_was_written() -> None:
    (found,) = shown(one("1.1", ImageType=cs("ORIGINAL", "LARKSPUR")), grant=["ImageType"])

    assert found["00080008"]["Value"] == ["ORIGINAL", "LARKSPUR"]


@pytest.mark.parametrize(("keyword", "vr"), [("SliceThickness", "LO"), ("Rows", "UT"), ("LUTData", "UN")])
def test_a_word_that_poses_as_a_number_is_left_out(keyword: str, vr: str) -> None:
    (found,) = shown(one("1.1", **{keyword: cs("Anna Andersson", vr=vr)}))

    assert "Anna" not in json.dumps(found)


def test_a_pointer_to_a_private_element_is_left_out() -> None:
    (found,) = shown(one("1.1", FrameIncrementPointer=cs("00191001", vr="AT")), one("1.2"), only={"1.1"})

    assert "00280009" not in found


def test_references_to_what_is_not_shown_are_left_out() -> None:
    def to(uid: str) -> dict[str, Any]:  # Any: DICOM JSON
        return {"00081155": cs(uid, vr="UI")}

    series = {"0020000E": cs("2.1", vr="UI"), "0008114A": {"vr": "SQ", "Value": [to("9.9")]}}
    (found,) = shown(
        one(
            "1.1",
            SourceImageSequence={"vr": "SQ", "Value": [to("1.1"), to("9.9")]},
            ReferencedSeriesSequence={"vr": "SQ", "Value": [series]},
        )
    )

    assert found["00082112"]["Value"] == [{"00081155": cs("other-1.1", vr="UI")}]
    assert "00081115" not in found


def test_every_uid_is_the_views_own_at_any_depth() -> None:
    organisation = {"vr": "SQ", "Value": [{"00209164": cs("1.77", vr="UI")}]}

    (found,) = shown(one("1.1", DimensionOrganizationSequence=organisation), grant=TELLING)
    (named_,) = shown(
        one("1.1", DimensionOrganizationSequence=organisation),
        grant=["DimensionOrganizationSequence", "DimensionOrganizationUID"],
    )

    assert "00209221" not in found
    assert named_["00209221"]["Value"] == [{"00209164": cs("other-1.77", vr="UI")}]
