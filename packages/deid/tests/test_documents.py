"""Reports, presentation states, annotations, overlays, documents inside objects, directories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset

from collegium_deid import (
    Rejected,
    identifiers_of,
    load_recipe,
    parse_recipe,
    verify_against,
    verify_conformance,
)
from collegium_deid.engine.documents import code_value, years

if TYPE_CHECKING:
    from collegium_deid import Recipe

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
SR = "1.2.840.10008.5.1.4.1.1.88.33"
GSPS = "1.2.840.10008.5.1.4.1.1.11.1"
ECG = "1.2.840.10008.5.1.4.1.1.9.1.1"
both_forms = pytest.mark.parametrize("implicit", [False, True], ids=["explicit", "implicit"])


@pytest.fixture(scope="module")
def teaching() -> Recipe:
    """Structured content and graphics are cleaned, dates moved; reports and states taken too."""
    text = load_recipe("teaching").text
    at = text.index("objects:\n") + len("objects:\n")
    for name in ("Comprehensive SR", "Grayscale Softcopy Presentation State"):
        if f"- {name}\n" not in text:
            text = f"{text[:at]}  - {name}\n{text[at:]}"
    return parse_recipe(text)


def code(value: str, scheme: str, meaning: str) -> list[Dataset]:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return [item]


def content(kind: str, concept: list[Dataset], **value: object) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType, item.ConceptNameCodeSequence = "CONTAINS", kind, concept
    for keyword, each in value.items():
        setattr(item, keyword, each)
    return item


def number(concept: list[Dataset], value: str, unit: str) -> Dataset:
    measured = Dataset()
    measured.MeasurementUnitsCodeSequence, measured.NumericValue = code(unit, "UCUM", unit), value
    return content("NUM", concept, MeasuredValueSequence=[measured])


@pytest.fixture
def report(ct: Dataset) -> Dataset:
    """A report that tells who it is about in content items, at two depths."""
    ct.SOPClassUID, ct.Modality, ct.ValueType = SR, "SR", "CONTAINER"
    for keyword in ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "BitsStored", "HighBit"):
        delattr(ct, keyword)
    section = content("CONTAINER", code("121070", "DCM", "Findings"))
    section.ContentSequence = [
        content("TEXT", code("121071", "DCM", "Finding"), TextValue="nodule 5 mm, Mr. Brambleworth informed"),
        number(code("410668003", "SCT", "Length"), "12.5", "mm"),
    ]
    ct.ContentSequence = [
        content("PNAME", code("121008", "DCM", "Person Observer Name"), PersonName="Tjarnqvist^Ove"),
        content("TEXT", code("121029", "DCM", "Subject Name"), TextValue="Lung"),
        content("TEXT", code("121030", "DCM", "Subject ID"), TextValue="12"),
        content("DATE", code("121031", "DCM", "Subject Birth Date"), Date="19310504"),
        number(code("121033", "DCM", "Subject Age"), "92", "a"),
        content("DATETIME", code("111526", "DCM", "DateTime Started"), DateTime="20240229101112+0100"),
        content("UIDREF", code("112002", "DCM", "Series Instance UID"), UID="1.2.3.5"),
        section,
    ]
    return ct


@both_forms
@pytest.mark.requirement("C06")
def test_a_report_keeps_its_tree_and_loses_its_people(  # noqa: PLR0917 - fixtures, handed in by name
    report: Dataset, write: Tool, clean: Tool, read: Tool, teaching: Recipe, implicit: bool
) -> None:
    data = write(report, implicit=implicit)

    cleaned = clean(data, recipe=teaching)

    verify_against(identifiers_of(data), cleaned.head)
    assert verify_conformance(teaching, cleaned.head) == ()
    observer, name, number_, birth, age, started, reference, section = read(cleaned.head).ContentSequence
    assert observer.PersonName == "REMOVED"
    assert (name.TextValue, number_.TextValue, birth.Date) == ("REMOVED", "REMOVED", "19000101")
    assert age.MeasuredValueSequence[0].NumericValue is None
    assert str(started.DateTime)[8:] == "101112+0100"
    assert str(started.DateTime)[:8] == read(cleaned.head).StudyDate
    assert read(cleaned.head).SeriesInstanceUID == reference.UID
    finding, length = section.ContentSequence
    assert "nodule 5 mm" in finding.TextValue
    assert "ramble" not in finding.TextValue
    assert length.MeasuredValueSequence[0].NumericValue == "12.5"


def test_an_age_below_the_cap_stays_in_a_report(
    report: Dataset, write: Tool, clean: Tool, read: Tool, teaching: Recipe
) -> None:
    report.ContentSequence[4] = number(code("121033", "DCM", "Subject Age"), "45", "a")

    new = read(clean(write(report), recipe=teaching).head)

    assert new.ContentSequence[4].MeasuredValueSequence[0].NumericValue == "45"


@pytest.mark.parametrize(
    ("value", "unit", "expected"), [(92, "a", 92), (1104, "mo", 92), (4800, "wk", 92), (33600, "d", 92), (92, "?", 92)]
)  # fmt: skip
def test_ages_of_reports_are_compared_in_years(value: float, unit: str, expected: int) -> None:
    assert round(years(value, unit)) == expected


def test_where_reports_are_not_cleaned_no_word_of_them_stays(
    report: Dataset, write: Tool, clean: Tool, read: Tool
) -> None:
    report.SOPClassUID, report.Modality = "1.2.840.10008.5.1.4.1.1.2", "CT"

    new = read(clean(write(report)).head)

    texts = {str(e.value) for e in new.ContentSequence[-1].iterall() if e.VR in {"UT", "LO", "SH", "PN"}}
    assert texts <= {"REMOVED"}


@pytest.mark.requirement("C06")
@both_forms
def test_annotations_of_a_presentation_state_are_cleaned(  # noqa: PLR0917 - fixtures, handed in by name
    ct: Dataset, write: Tool, clean: Tool, read: Tool, teaching: Recipe, implicit: bool
) -> None:
    ct.SOPClassUID, ct.Modality = GSPS, "PR"
    ct.ContentLabel, ct.ContentDescription = "BRAMBLEWORTH", "axial Brambleworth"
    ct.ContentCreatorName = "Tjarnqvist^Ove"
    words, layer = Dataset(), Dataset()
    words.BoundingBoxAnnotationUnits, words.UnformattedTextValue = "PIXEL", "nodule 5 mm\r\nBrambleworth"
    layer.GraphicLayer, layer.TextObjectSequence = "LAYER1", [words]
    ct.GraphicAnnotationSequence = [layer]
    data = write(ct, implicit=implicit)

    cleaned = clean(data, recipe=teaching)

    verify_against(identifiers_of(data), cleaned.head)
    new = read(cleaned.head)
    assert "nodule" in new.GraphicAnnotationSequence[0].TextObjectSequence[0].UnformattedTextValue
    assert "rambleworth" not in str(new).lower()
    assert "jarnqvist" not in str(new)


def test_annotations_of_a_waveform_are_cleaned(
    ct: Dataset, write: Tool, clean: Tool, read: Tool, teaching: Recipe
) -> None:
    note = Dataset()
    note.UnformattedTextValue = "axial Brambleworth"
    ct.WaveformAnnotationSequence = [note]

    new = read(clean(write(ct), recipe=teaching).head)

    assert new.WaveformAnnotationSequence[0].UnformattedTextValue == "axial"


@pytest.mark.requirement("C06")
@both_forms
def test_overlays_curves_and_icons_go(
    ct: Dataset, write: Tool, clean: Tool, read: Tool, implicit: bool
) -> None:
    for group in (0x6000, 0x601E, 0x5000, 0x501E):
        ct.add_new(group << 16 | 0x0022, "LO", "Brambleworth")
        ct.add_new(group << 16 | 0x3000, "OW", b"Brambleworth")
    icon = Dataset()
    icon.Rows, icon.PixelData = 2, b"Brambleworth"
    icon["PixelData"].VR = "OW"
    ct.IconImageSequence = [icon]

    new = read(clean(write(ct, implicit=implicit)).head)

    assert not [e.tag for e in new.iterall() if e.tag.group >> 8 in {0x50, 0x60}]
    assert "IconImageSequence" not in new


def test_an_object_that_holds_a_document_is_refused(ct: Dataset, write: Tool, clean: Tool) -> None:
    ct.add_new(0x00420011, "OB", b"%PDF Brambleworth")

    with pytest.raises(Rejected) as error:
        clean(write(ct))

    assert "ramble" not in error.value.message


def test_a_document_is_dropped_where_the_recipe_says_so(
    ct: Dataset, write: Tool, clean: Tool, recipe: Recipe
) -> None:
    ct.add_new(0x00420011, "OB", b"%PDF Brambleworth ")
    dropping = parse_recipe(recipe.text.replace("encapsulated: reject", "encapsulated: X"))

    assert b"ramble" not in clean(write(ct), recipe=dropping).head


def test_the_index_of_a_medium_is_refused(ct: Dataset, write: Tool, clean: Tool) -> None:
    record = Dataset()
    record.DirectoryRecordType, record.PatientName = "PATIENT", "Brambleworth"
    ct.DirectoryRecordSequence = [record]

    with pytest.raises(Rejected) as error:
        clean(write(ct))

    assert error.value.code == "deid.dicomdir"


def test_a_concept_that_cannot_be_read_is_no_concept() -> None:
    assert code_value(b"", explicit=True) == ""
    assert code_value(b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + b"\x08\x00\x00\x01Q", explicit=True) == ""
    assert (
        code_value(b"\xfe\xff\x00\xe0\x0a\x00\x00\x00" + b"\x08\x00\x02\x01SH\x02\x00AB", explicit=True) == ""
    )
