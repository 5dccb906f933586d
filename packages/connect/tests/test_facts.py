"""Facts of an acquisition: codes of closed lists and numbers, as the header says them, and nothing else."""

from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from collegium_connect.facts import facts_of
from collegium_connect.journal.facts import Facts
from collegium_testkit import phantoms


def test_facts_hold_codes_of_closed_lists_and_numbers_only(tmp_path: Path) -> None:
    dataset = dcmread(phantoms.ct_exam(tmp_path, slices=1, size=64).files[0])
    dataset.BodyPartExamined = "SMITH JOHN"
    dataset.Modality = "PRIVATE"
    dataset.ContrastBolusAgent = "for Mrs Smith"
    dataset.SliceThickness = None

    facts = facts_of(_file(dataset, tmp_path))

    assert (facts.modality, facts.body_part, facts.has_contrast) == ("", "", True)
    assert facts.thickness_mm is None
    assert "mith" not in facts.to_text().lower()
    assert Facts.from_text(facts.to_text()) == facts


def test_facts_of_a_slice_are_those_of_its_header(tmp_path: Path) -> None:
    path = phantoms.ct_exam(tmp_path, slices=1, size=64).files[0]
    dataset = dcmread(path)

    facts = facts_of(path.read_bytes())

    assert facts.modality == "CT"
    assert facts.thickness_mm == float(dataset.SliceThickness)
    assert facts.position_mm == float(dataset.ImagePositionPatient[2])
    assert facts.normal == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_the_thickness_of_a_multi_frame_object_is_that_of_its_functional_groups(
    tmp_path: Path, syntax: UID
) -> None:
    dataset = dcmread(phantoms.ct_exam(tmp_path, slices=1, size=64).files[0])
    del dataset.SliceThickness
    measures = Dataset()
    measures.SliceThickness, measures.SpacingBetweenSlices = 3, 1.5
    shared = Dataset()
    shared.PixelMeasuresSequence = Items([measures])
    dataset.SharedFunctionalGroupsSequence = Items([shared])
    dataset.NumberOfFrames = 40
    dataset.file_meta.TransferSyntaxUID = syntax

    facts = facts_of(_file(dataset, tmp_path))

    assert (facts.images, facts.thickness_mm, facts.spacing_mm) == (40, 3.0, 1.5)


def test_what_cannot_be_read_has_no_facts() -> None:
    assert facts_of(b"no DICOM at all") == Facts()


def _file(dataset: Dataset, folder: Path) -> bytes:
    path = folder / "changed.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path.read_bytes()


def test_every_fact_is_kept() -> None:
    full = Facts(
        modality="CT", body_part="CHEST", thickness_mm=2.5, images=7, spacing_mm=1.25, position_mm=0.0,
        normal=(0.0, 0.6, 0.8), has_contrast=True,
    )  # fmt: skip

    assert Facts.from_text(full.to_text()) == full
