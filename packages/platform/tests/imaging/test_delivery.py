"""From a gateway's manifest to a receipt, and to frames on the screen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from collegium.imaging.archive.models import Exam, Instance
from collegium.kit.database import acting_as
from collegium_testkit.delivering import cookie_of, edited

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydicom import Dataset

    from collegium_testkit.delivering import CleanExam, Sender

    Exams = Callable[..., CleanExam]

pytestmark = pytest.mark.requirement("C15")


def test_a_delivery_ends_in_a_receipt_for_every_instance(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=3)

    receipt = sender.deliver(exam)

    assert {item["outcome"] for item in receipt["items"]} == {"stored"}
    assert [item["sha256"] for item in receipt["items"]] == [one.sha256 for one in exam.objects]
    assert receipt["exam_id"]


def test_a_delivered_exam_is_searched_described_and_shown(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=3)
    sender.deliver(exam)
    headers = cookie_of(sender.world.administrator)
    root = f"/dicom-web/spaces/{sender.world.space_id}"

    (study,) = sender.client.get(f"{root}/studies", headers=headers).json()
    (series,) = sender.client.get(f"{root}/studies/{exam.study_uid}/series", headers=headers).json()
    below = f"{root}/studies/{exam.study_uid}/series/{exam.series_uid}"
    metadata = sender.client.get(f"{below}/metadata", headers=headers).json()
    one = exam.objects[1]
    frame = sender.client.get(f"{below}/instances/{one.sop_instance_uid}/frames/1", headers=headers)

    assert study["0020000D"]["Value"] == [exam.study_uid]
    assert study["00201208"]["Value"] == [3]
    assert series["00201209"]["Value"] == [3]
    assert [m["00280010"]["Value"] for m in metadata] == [[64]] * 3
    assert frame.status_code == 200
    assert one.dataset.PixelData in frame.content


def test_a_picture_without_pixel_data_is_taken_and_has_no_frames(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=1)
    header = edited(exam.objects[0], without_pixels)

    receipt = sender.deliver(replace(exam, objects=(header,)))

    below = f"/dicom-web/spaces/{sender.world.space_id}/studies/{exam.study_uid}/series/{exam.series_uid}"
    frame = sender.client.get(
        f"{below}/instances/{header.sop_instance_uid}/frames/1", headers=cookie_of(sender.world.administrator)
    )
    assert [item["outcome"] for item in receipt["items"]] == ["stored"]
    assert frame.status_code == 404


def without_pixels(dataset: Dataset) -> None:
    """Nobody looked at its pixels, so no code says so."""
    del dataset.PixelData
    codes = dataset.DeidentificationMethodCodeSequence
    dataset.DeidentificationMethodCodeSequence = [item for item in codes if item.CodeValue != "113101"]


def test_completing_too_early_names_what_is_missing(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=3)
    manifest = sender.manifest(exam)
    sender.open(manifest)
    sender.send(manifest, exam.objects[:1])

    answer = sender.complete(manifest)

    assert answer.status_code == 409
    assert set(answer.json()["missing"]) == {one.sha256 for one in exam.objects[1:]}


def test_completing_twice_returns_the_same_receipt_and_stores_once(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=2)
    manifest = sender.manifest(exam)
    sender.open(manifest)
    sender.send(manifest, exam.objects)

    first, second = sender.complete(manifest), sender.complete(manifest)

    assert first.content == second.content
    with acting_as(sender.world.administrator.principal):
        assert Instance.objects.count() == 2
        assert Exam.objects.get().instance_count == 2
