"""What refers to images still does after cleaning, whoever cleans it, whenever, and in whatever order."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from collegium_deid import SiteKey, clean_object, load_recipe, parse_recipe

if TYPE_CHECKING:
    from collegium_deid import Recipe

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
KEY = bytes(range(32))
_CLASSES = "1.2.840.10008.5.1.4.1.1."
CT = _CLASSES + "2"


def of(**values: object) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, Sequence(value) if isinstance(value, list) else value)
    return made


def derived(ct: Dataset, kind: str, modality: str, **values: object) -> Dataset:
    """Another object of the same patient and study, in a series of its own."""
    made = copy.deepcopy(ct)
    for keyword in ("ReferencedImageSequence", "OriginalAttributesSequence"):
        delattr(made, keyword)
    made.SOPClassUID, made.Modality = _CLASSES + kind, modality
    made.SOPInstanceUID, made.SeriesInstanceUID = f"1.2.3.9.{kind}", f"1.2.3.8.{kind}"
    made.update(of(**values))
    return made


def image() -> Dataset:
    return of(ReferencedSOPClassUID=CT, ReferencedSOPInstanceUID="1.2.3.4.5.6")


def segmentation(ct: Dataset) -> Dataset:
    frame = of(DerivationImageSequence=[of(SourceImageSequence=[image()])])
    series = of(SeriesInstanceUID="1.2.3.5", ReferencedInstanceSequence=[image()])
    return derived(
        ct, "66.4", "SEG",
        ReferencedSeriesSequence=[series], PerFrameFunctionalGroupsSequence=[frame],
    )  # fmt: skip


def structures(ct: Dataset) -> Dataset:
    series = of(SeriesInstanceUID="1.2.3.5", ContourImageSequence=[image()])
    study = of(ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1", ReferencedSOPInstanceUID="1.2.3.4",
               RTReferencedSeriesSequence=[series])  # fmt: skip
    frame = of(FrameOfReferenceUID="1.2.3.6", RTReferencedStudySequence=[study])
    region = of(ROINumber="1", ReferencedFrameOfReferenceUID="1.2.3.6", ROIName="Liver")
    return derived(
        ct, "481.3", "RTSTRUCT", ReferencedFrameOfReferenceSequence=[frame], StructureSetROISequence=[region]
    )


def report(ct: Dataset) -> Dataset:
    picture = of(RelationshipType="CONTAINS", ValueType="IMAGE", ReferencedSOPSequence=[image()])
    series = of(SeriesInstanceUID="1.2.3.5", ReferencedSOPSequence=[image()])
    evidence = of(StudyInstanceUID="1.2.3.4", ReferencedSeriesSequence=[series])
    return derived(
        ct, "88.33", "SR", ValueType="CONTAINER",
        ContentSequence=[picture], CurrentRequestedProcedureEvidenceSequence=[evidence],
    )  # fmt: skip


@pytest.fixture(scope="module")
def taking_all() -> Recipe:
    text = load_recipe("teaching").text
    missing = [n for n in ("Comprehensive SR", "RT Structure Set", "Segmentation") if f"- {n}\n" not in text]
    return parse_recipe(text.replace("objects:\n", "objects:\n" + "".join(f"  - {n}\n" for n in missing)))


def uids_in(dataset: Dataset, *keywords: str) -> list[str]:
    return [str(element.value) for element in dataset.iterall() if element.keyword in keywords]


@pytest.mark.requirement("C07")
@pytest.mark.parametrize(("make", "images"), [(segmentation, 2), (structures, 1), (report, 2)])
def test_what_refers_to_an_image_refers_to_it_after_cleaning(
    *, ct: Dataset, write: Tool, read: Tool, taking_all: Recipe, make: Any, images: int
) -> None:
    def cleaned(made: Dataset) -> Dataset:
        # A key of its own, as on another day: nothing is remembered between the two.
        head = clean_object(
            write(made), recipe=taking_all, key=SiteKey(KEY), subject="S-001", complete=True
        ).head
        return read(head)  # type: ignore[no-any-return] # what the fixture reads

    refers, target = cleaned(make(ct)), cleaned(ct)

    named = uids_in(refers, "ReferencedSOPInstanceUID")
    assert named.count(str(target.SOPInstanceUID)) == images
    assert str(target.SeriesInstanceUID) in uids_in(refers, "SeriesInstanceUID")
    assert refers.StudyInstanceUID == target.StudyInstanceUID
    assert refers.FrameOfReferenceUID == target.FrameOfReferenceUID
    frames = uids_in(refers, "FrameOfReferenceUID", "ReferencedFrameOfReferenceUID")
    assert set(frames) == {str(target.FrameOfReferenceUID)}
    assert not [
        uid
        for uid in uids_in(refers, "ReferencedSOPInstanceUID", "StudyInstanceUID")
        if not uid.startswith("2.25.")
    ]


@pytest.mark.requirement("C07")
def test_a_follow_up_a_year_later_keeps_what_it_shares_with_the_first_exam(
    ct: Dataset, write: Tool, clean: Tool, read: Tool
) -> None:
    later = copy.deepcopy(ct)
    later.StudyDate = later.SeriesDate = "20250301"
    later.StudyInstanceUID, later.SeriesInstanceUID, later.SOPInstanceUID = "1.2.4.4", "1.2.4.5", "1.2.4.6"

    first, second = read(clean(write(ct)).head), read(clean(write(later)).head)

    assert second.FrameOfReferenceUID == first.FrameOfReferenceUID
    assert (
        second.ReferencedImageSequence[0].ReferencedSOPInstanceUID
        == first.ReferencedImageSequence[0].ReferencedSOPInstanceUID
    )
    assert second.SOPInstanceUID != first.SOPInstanceUID
    assert second.StudyInstanceUID != first.StudyInstanceUID
