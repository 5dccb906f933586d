from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from collegium_testkit import people, phantoms, real_data


def test_the_rod_measures_what_its_truth_says(tmp_path: Path) -> None:
    exam = phantoms.ct_exam(tmp_path, slices=3, seed=5)

    dataset = dcmread(exam.files[exam.rod.slice_index])

    (first, row), (last, _) = exam.rod.image_points
    bright = np.flatnonzero(dataset.pixel_array[row] == phantoms.ROD_HU)
    assert dataset.SOPInstanceUID == exam.rod.sop_instance_uid
    assert (bright[0], bright[-1]) == (first, last)
    assert (last - first) * float(dataset.PixelSpacing[1]) == 40.0
    assert np.linalg.norm(np.subtract(*exam.rod.world_points)) == pytest.approx(40.0)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first = phantoms.ct_exam(tmp_path / "a", slices=2, seed=9, size=64)

    second = phantoms.ct_exam(tmp_path / "b", slices=2, seed=9, size=64)

    assert [path.read_bytes() for path in first.files] == [path.read_bytes() for path in second.files]


def test_every_planted_string_is_in_the_files(tmp_path: Path) -> None:
    exam = phantoms.ct_exam(tmp_path, slices=1, seed=2, size=64)

    content = exam.files[0].read_bytes()

    assert [text for text in exam.planted if text.encode() not in content] == []


def test_a_companion_pet_shares_person_study_and_frame(tmp_path: Path) -> None:
    ct = phantoms.ct_exam(tmp_path / "ct", slices=2, seed=3, size=64)

    pet = phantoms.pet_exam(tmp_path / "pet", ct=ct, slices=2)

    header = dcmread(pet.files[0])
    assert (header.Modality, header.StudyInstanceUID) == ("PT", ct.study_uid)
    assert header.FrameOfReferenceUID == ct.frame_of_reference_uid
    assert header.PatientID == ct.patient.patient_id
    assert pet.series_uid != ct.series_uid


def test_an_invented_person_is_the_same_every_time() -> None:
    assert people.patient(4) == people.patient(4)
    assert people.patient(4) != people.patient(5)


def test_a_named_folder_of_real_data_is_used_only_if_it_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLEGIUM_REAL_DATA", str(tmp_path))
    assert real_data.folder() == tmp_path

    monkeypatch.setenv("COLLEGIUM_REAL_DATA", str(tmp_path / "nothing"))
    assert real_data.folder() is None
