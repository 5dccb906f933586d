"""A member's way to the archive: search, metadata, frames, STOW-RS; and who may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collegium.imaging.archive import storage
from collegium.imaging.archive.models import Exam, Instance
from collegium.kit.database import acting_as
from collegium.trust.audit.models import AuditEntry
from collegium_testkit.delivering import CleanObject, cookie_of, edited, multipart
from collegium_testkit.world import new_person, new_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium_testkit.delivering import CleanExam, Client, Sender
    from collegium_testkit.world import Person, World

    Exams = Callable[..., CleanExam]


def root(world: World) -> str:
    return f"/dicom-web/spaces/{world.space_id}"


def stow(
    client: Client, world: World, person: Person, objects: Any, study: str = ""
) -> Any:  # Any: a response
    headers, body = multipart([({"Content-Type": "application/dicom"}, one.content) for one in objects])
    path = f"{root(world)}/studies" + (f"/{study}" if study else "")
    return client.post(path, content=body, headers=headers | cookie_of(person))


@pytest.mark.requirement("I01")
def test_clean_objects_are_stored_by_stow(client: Client, world: World, clean_exam: Exams) -> None:
    exam = clean_exam(slices=3)

    answer = stow(client, world, world.administrator, exam.objects)
    (study,) = client.get(f"{root(world)}/studies", headers=cookie_of(world.administrator)).json()

    assert answer.status_code == 200, answer.text
    assert len(answer.json()["00081199"]["Value"]) == 3
    assert "00081198" not in answer.json()
    assert study["0020000D"]["Value"] == [exam.study_uid]


def test_one_request_may_hold_several_studies(client: Client, world: World, clean_exam: Exams) -> None:
    first, second = clean_exam(slices=1), clean_exam(slices=1, seed=2, subject="S-002")

    assert stow(client, world, world.administrator, [*first.objects, *second.objects]).status_code == 200
    with acting_as(world.administrator.principal):
        assert set(Exam.objects.values_list("subject_code", flat=True)) == {"S-001", "S-002"}


def not_removed(dataset: Any) -> None:  # Any: a pydicom dataset
    dataset.PatientIdentityRemoved = "NO"


def test_what_does_not_say_it_is_clean_is_refused_and_the_rest_stored(
    client: Client, world: World, clean_exam: Exams
) -> None:
    exam = clean_exam(slices=2)
    dirty = edited(exam.objects[0], not_removed)

    answer = stow(client, world, world.administrator, [dirty, exam.objects[1]])

    assert answer.status_code == 202
    (failed,) = answer.json()["00081198"]["Value"]
    assert failed["00081155"]["Value"] == [dirty.sop_instance_uid]
    assert failed["00081197"]["Value"] == [0xC000]
    assert "identity" in failed["00000902"]["Value"][0]


def test_nothing_good_at_all_is_409(client: Client, world: World) -> None:
    garbage = CleanObject(b"no dicom", "", "", "", "", "")

    answer = stow(client, world, world.administrator, [garbage])

    assert answer.status_code == 409
    assert len(answer.json()["00081198"]["Value"]) == 1


def test_an_object_of_another_study_than_the_address_is_refused(
    client: Client, world: World, clean_exam: Exams
) -> None:
    answer = stow(client, world, world.administrator, clean_exam(slices=1).objects, study="2.25.1")

    assert answer.status_code == 409
    assert answer.json()["00081198"]["Value"][0]["00081197"]["Value"] == [0xA900]


def test_a_request_that_breaks_off_stores_nothing(client: Client, world: World, clean_exam: Exams) -> None:
    headers, body = multipart([({}, one.content) for one in clean_exam(slices=3).objects])

    answer = client.post(
        f"{root(world)}/studies", content=body[:-1000], headers=headers | cookie_of(world.administrator)
    )

    assert answer.json()["code"] == "multipart.cut"
    with acting_as(world.administrator.principal):
        assert not Instance.objects.exists()
    mine = str(world.space_id)
    assert not [one for one in storage.blobs().store.listing() if one.key and mine in one.key]


def test_storing_twice_is_a_success_and_stores_once(client: Client, world: World, clean_exam: Exams) -> None:
    exam = clean_exam(slices=2)

    first, second = (stow(client, world, world.administrator, exam.objects) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 200)
    with acting_as(world.administrator.principal):
        assert Instance.objects.count() == 2


@pytest.mark.requirement("R01")
@pytest.mark.parametrize(("role", "status"), [("Editor", 200), ("Viewer", 404), ("Reader", 404)])
def test_storing_takes_the_permission(
    client: Client, world: World, clean_exam: Exams, role: str, status: int
) -> None:
    assert stow(client, world, world.join(role), clean_exam(slices=1).objects).status_code == status


@pytest.mark.requirement("R02", "R03")
def test_a_stranger_finds_no_door(client: Client, world: World, clean_exam: Exams) -> None:
    exam = clean_exam(slices=1)
    stow(client, world, world.administrator, exam.objects)
    stranger, other = new_person("Stranger"), new_world()
    below = f"/studies/{exam.study_uid}/series/{exam.series_uid}"
    paths = ["/studies", f"/studies/{exam.study_uid}/series", f"{below}/metadata", f"{below}/instances"]
    paths.append(f"{below}/instances/{exam.objects[0].sop_instance_uid}/frames/1")

    answers = [
        client.get(root(world) + path, headers=cookie_of(who))
        for path in paths
        for who in (stranger, other.administrator)
    ]

    assert {(one.status_code, one.json()["code"]) for one in answers} == {(404, "imaging.not_found")}
    assert stow(client, world, stranger, exam.objects).status_code == 404


def test_nobody_without_a_session_is_answered(client: Client, world: World) -> None:
    assert client.get(f"{root(world)}/studies").status_code == 401
    assert client.get(f"{root(world)}/studies", headers={"Cookie": "collegium_session=x"}).status_code == 401


@pytest.fixture
def filled(client: Client, world: World, clean_exam: Exams) -> World:
    for seed in (1, 2, 3):
        exam = clean_exam(slices=1, seed=seed, subject=f"S-00{seed}")
        assert stow(client, world, world.administrator, exam.objects).status_code == 200
    return world


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ({}, {"S-001", "S-002", "S-003"}),
        ({"PatientID": "S-002"}, {"S-002"}),
        ({"00100020": "S-002"}, {"S-002"}),
        ({"PatientID": "S-00*"}, {"S-001", "S-002", "S-003"}),
        ({"PatientID": "*3"}, {"S-003"}),
        ({"PatientID": "S-00?"}, {"S-001", "S-002", "S-003"}),
        ({"PatientID": "S.002"}, set()),
        ({"PatientID": "S-00_"}, set()),
        ({"ModalitiesInStudy": "CT"}, {"S-001", "S-002", "S-003"}),
        ({"ModalitiesInStudy": "C"}, set()),
        ({"StudyInstanceUID": "1.2.3"}, set()),
        ({"StudyDate": "19000101-"}, {"S-001", "S-002", "S-003"}),
        ({"StudyDate": "-19000101"}, set()),
        ({"limit": "0"}, set()),
        ({"offset": "3"}, set()),
        ({"fuzzymatching": "true", "Unknown": "x"}, {"S-001", "S-002", "S-003"}),
    ],
)
def test_studies_are_matched_as_the_standard_says(
    client: Client, filled: World, query: dict[str, str], subjects: set[str]
) -> None:
    answer = client.get(f"{root(filled)}/studies", params=query, headers=cookie_of(filled.administrator))

    assert {study["00100020"]["Value"][0] for study in answer.json()} == subjects


def test_pages_do_not_overlap(client: Client, filled: World) -> None:
    headers = cookie_of(filled.administrator)
    pages = [
        client.get(f"{root(filled)}/studies", params={"limit": 2, "offset": at}, headers=headers).json()
        for at in (0, 2)
    ]

    found = [study["0020000D"]["Value"][0] for page in pages for study in page]
    assert len(found) == len(set(found)) == 3


@pytest.mark.parametrize(
    "query", [{"StudyDate": "yesterday"}, {"limit": "-1"}, {"limit": "x"}, {"offset": "1e9"}]
)
def test_a_search_that_cannot_be_understood_is_refused(
    client: Client, world: World, query: dict[str, str]
) -> None:
    answer = client.get(f"{root(world)}/studies", params=query, headers=cookie_of(world.administrator))

    assert (answer.status_code, answer.json()["code"]) == (422, "dicomweb.search.invalid")


def frame_of(client: Client, world: World, exam: CleanExam, accept: str) -> Any:  # Any: a response
    below = f"{root(world)}/studies/{exam.study_uid}/series/{exam.series_uid}"
    path = f"{below}/instances/{exam.objects[0].sop_instance_uid}/frames/1"
    return client.get(path, headers=cookie_of(world.administrator) | {"Accept": accept})


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "multipart/related"),
        ('multipart/related; type="application/octet-stream"; transfer-syntax=*', "multipart/related"),
        (
            "multipart/related; type=application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1",
            "multipart/related",
        ),
        ("application/octet-stream", "application/octet-stream"),
    ],
)
def test_a_frame_comes_in_the_form_that_was_asked_for(
    client: Client, world: World, clean_exam: Exams, accept: str, kind: str
) -> None:
    exam = clean_exam(slices=1)
    stow(client, world, world.administrator, exam.objects)

    answer = frame_of(client, world, exam, accept)

    assert answer.headers["content-type"].startswith(kind)
    assert "transfer-syntax=1.2.840.10008.1.2.1" in answer.headers["content-type"]
    pixels = exam.objects[0].dataset.PixelData
    assert answer.content == pixels if kind != "multipart/related" else pixels in answer.content


def test_a_syntax_that_is_not_stored_is_not_made(client: Client, world: World, clean_exam: Exams) -> None:
    exam = clean_exam(slices=1)
    stow(client, world, world.administrator, exam.objects)

    answer = frame_of(client, world, exam, "multipart/related; transfer-syntax=1.2.840.10008.1.2.4.50")

    assert answer.json()["code"] == "dicomweb.not_acceptable"


def compressed(dataset: Any) -> None:  # Any: a pydicom dataset
    from pydicom.uid import RLELossless

    dataset.compress(RLELossless, generate_instance_uid=False)


def test_a_compressed_frame_is_served_as_it_is_stored(
    client: Client, world: World, clean_exam: Exams
) -> None:
    from pydicom.encaps import generate_frames

    exam = clean_exam(slices=1)
    packed = edited(exam.objects[0], compressed)
    stow(client, world, world.administrator, [packed])

    answer = frame_of(client, world, exam, "*/*")

    assert "transfer-syntax=1.2.840.10008.1.2.5" in answer.headers["content-type"]
    assert next(generate_frames(packed.dataset.PixelData, number_of_frames=1)) in answer.content


def test_metadata_is_compressed_for_who_can_read_it(client: Client, world: World, clean_exam: Exams) -> None:
    exam = clean_exam(slices=3)
    stow(client, world, world.administrator, exam.objects)
    path = f"{root(world)}/studies/{exam.study_uid}/series/{exam.series_uid}/metadata"
    headers = cookie_of(world.administrator)

    zipped = client.get(path, headers=headers | {"Accept-Encoding": "gzip"})
    plain = client.get(path, headers=headers | {"Accept-Encoding": "identity"})

    assert zipped.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert zipped.json() == plain.json()


@pytest.mark.requirement("S01")
def test_a_member_looking_at_a_series_is_in_the_trail(
    client: Client, world: World, clean_exam: Exams
) -> None:
    exam = clean_exam(slices=1)
    stow(client, world, world.administrator, exam.objects)
    frame_of(client, world, exam, "*/*")
    frame_of(client, world, exam, "*/*")

    with acting_as(world.administrator.principal):
        entries = AuditEntry.objects.filter(action="dicomweb.series.opened")
        assert [entry.principal for entry in entries] == [world.administrator.principal.text]


def test_a_late_instance_appears_for_members(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=2)
    sender.deliver(type(exam)(exam.subject, exam.objects[:1], exam.rod, ""))

    sender.deliver(exam, supplement=True)

    headers = cookie_of(sender.world.administrator)
    path = f"{root(sender.world)}/studies/{exam.study_uid}/series/{exam.series_uid}/metadata"
    assert len(sender.client.get(path, headers=headers).json()) == 2
