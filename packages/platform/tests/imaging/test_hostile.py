"""Uploads that are cut, lie or mean harm: refused with a reason, and nothing is lost or kept of them."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from collegium.imaging.archive import storage
from collegium.imaging.archive.models import Blob, Exam, Instance, Series, SeriesDocument
from collegium.imaging.ingest import queries
from collegium.imaging.ingest import services as ingest
from collegium.imaging.ingest.models import Delivery, DeliveryObject
from collegium.kit.database import acting_as
from collegium.kit.ids import uuid7
from collegium.trust.audit.models import AuditEntry
from collegium_deid.pixels import compress
from collegium_testkit.delivering import BOUNDARY, CleanExam, CleanObject, edited, enrolled, multipart
from collegium_testkit.world import new_world
from collegium_wire import paths

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium_testkit.delivering import Sender

    Exams = Callable[..., CleanExam]


def only(exam: CleanExam, *objects: CleanObject) -> CleanExam:
    return replace(exam, objects=objects)


def keys_in_store(sender: Sender) -> set[str]:
    mine = str(sender.world.space_id)
    return {one.key for one in storage.blobs().store.listing() if one.key and mine in one.key}


def refused_with(sender: Sender, exam: CleanExam, sent: CleanObject) -> tuple[str, str]:
    """Send `sent` in the place of the exam's only object; the code and words of the refusal."""
    manifest = sender.manifest(exam)
    assert sender.open(manifest).status_code == 200
    answer = sender.send(manifest, [sent])
    assert answer.status_code == 200, answer.text
    assert answer.json()["stored"] == []
    (refused,) = answer.json()["refused"]
    assert keys_in_store(sender) == set()
    return refused["code"], refused["message"]


@pytest.mark.requirement("C14", "I02")
def test_a_wrong_digest_is_refused_and_may_be_sent_again(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=1)
    manifest = sender.manifest(exam)
    sender.open(manifest)
    (one,) = exam.objects
    flipped = bytearray(one.content)
    flipped[-1] ^= 1
    headers, body = multipart(
        [({"Content-Length": str(len(flipped)), "Content-ID": one.sha256}, bytes(flipped))]
    )

    answer = sender.client.post(
        paths.delivery_objects(manifest.delivery_id), content=body, headers=sender.headers | headers
    )
    again = sender.send(manifest, exam.objects)

    assert answer.json()["refused"][0]["code"] == "ingest.object.digest"
    assert again.json()["stored"] == [one.sha256]
    assert sender.complete(manifest).status_code == 200


def lies(change: Callable[[Any], None]) -> Callable[[CleanObject], CleanObject]:
    return lambda one: edited(one, change)


def cut(one: CleanObject) -> CleanObject:
    return replace(one, content=one.content[:-100])


def longer(one: CleanObject) -> CleanObject:
    return replace(one, content=one.content + b"GARBAGE!")


def other_series(dataset: Any) -> None:  # Any: a pydicom dataset
    dataset.SeriesInstanceUID = f"2.25.{2**127 + 4242}"


def other_subject(dataset: Any) -> None:  # Any: a pydicom dataset
    dataset.PatientID = dataset.PatientName = dataset.ClinicalTrialSubjectID = "S-999"


def with_a_name(dataset: Any) -> None:  # Any: a pydicom dataset
    dataset.OtherPatientNames = "Mustermann^Erika"


def not_clean(dataset: Any) -> None:  # Any: a pydicom dataset
    del dataset.DeidentificationMethodCodeSequence


def without_its_pixels(dataset: Any) -> None:  # Any: a pydicom dataset
    del dataset.PixelData


def with_unseen_pixels(dataset: Any) -> None:  # Any: a pydicom dataset
    codes = dataset.DeidentificationMethodCodeSequence
    dataset.DeidentificationMethodCodeSequence = [item for item in codes if item.CodeValue != "113101"]


@pytest.mark.requirement("I02", "I03")
@pytest.mark.parametrize(
    ("make", "code"),
    [
        (cut, "archive.object.truncated"),
        (longer, "archive.object.trailing"),
        (lies(other_series), "ingest.object.manifest"),
        (lies(other_subject), "ingest.object.subject"),
        (lies(with_a_name), "ingest.object.not_conforming"),
        (lies(not_clean), "ingest.object.not_conforming"),
        (lies(without_its_pixels), "ingest.object.not_conforming"),
        (lies(with_unseen_pixels), "ingest.object.not_conforming"),
    ],
)
def test_an_object_that_is_not_what_it_should_be_is_refused(
    sender: Sender, clean_exam: Exams, make: Callable[[CleanObject], CleanObject], code: str
) -> None:
    exam = clean_exam(slices=1)
    (one,) = exam.objects
    sent = make(one)
    # The sender is consistent with itself: only the object's own content gives it away.
    told = replace(one, content=sent.content)

    found, words = refused_with(sender, only(exam, told), sent)

    assert found == code
    assert words.endswith(".")
    assert "Mustermann" not in words


@pytest.mark.requirement("I02")
def test_an_object_nobody_announced_is_refused(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=2)

    code, _ = refused_with(sender, only(exam, exam.objects[0]), exam.objects[1])

    assert code == "ingest.object.not_in_manifest"


@pytest.mark.requirement("I02")
@pytest.mark.parametrize("content", [b"", b"no dicom", bytes(200), b"\x89PNG" * 100])
def test_what_is_no_dicom_is_refused(sender: Sender, clean_exam: Exams, content: bytes) -> None:
    exam = clean_exam(slices=1)
    told = replace(exam.objects[0], content=content)

    code, _ = refused_with(sender, only(exam, told), told)

    assert code in ("archive.object.not_dicom", "archive.object.truncated")


@pytest.mark.requirement("I02")
def test_a_refused_object_is_in_the_receipt_and_the_rest_is_stored(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=2)
    bad = cut(exam.objects[0])
    told = only(exam, replace(exam.objects[0], content=bad.content), exam.objects[1])
    manifest = sender.manifest(told)
    sender.open(manifest)
    sender.send(manifest, told.objects)

    receipt = sender.complete(manifest).json()

    assert [item["outcome"] for item in receipt["items"]] == ["refused", "stored"]
    assert "cut off" in receipt["items"][0]["reason"]


@pytest.mark.requirement("C14")
def test_what_arrived_before_a_request_broke_off_is_kept(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=3)
    manifest = sender.manifest(exam)
    sender.open(manifest)
    parts = [
        ({"Content-Length": str(len(one.content)), "Content-ID": one.sha256}, one.content)
        for one in exam.objects
    ]
    headers, body = multipart(parts)

    answer = sender.client.post(
        paths.delivery_objects(manifest.delivery_id),
        content=body[: len(body) - len(exam.objects[2].content) // 2],
        headers=sender.headers | headers,
    )
    state = sender.client.get(paths.delivery(manifest.delivery_id), headers=sender.headers).json()

    assert answer.status_code == 422
    assert answer.json()["code"] == "multipart.cut"
    assert state == {"missing": [exam.objects[2].sha256]}
    assert len(keys_in_store(sender)) == 2


def test_a_million_parts_are_refused_and_leave_nothing(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=1)
    manifest = sender.manifest(exam)
    sender.open(manifest)
    body = (b"\r\n--" + BOUNDARY.encode() + b"\r\n\r\nx") * 30_000
    headers, _ = multipart([])

    answer = sender.client.post(
        paths.delivery_objects(manifest.delivery_id), content=body, headers=sender.headers | headers
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "multipart.limit")
    assert keys_in_store(sender) == set()


def test_a_part_that_lies_about_its_length_breaks_the_request(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=1)
    manifest = sender.manifest(exam)
    sender.open(manifest)
    (one,) = exam.objects
    headers, body = multipart(
        [({"Content-Length": str(len(one.content) - 10), "Content-ID": one.sha256}, one.content)]
    )

    answer = sender.client.post(
        paths.delivery_objects(manifest.delivery_id), content=body, headers=sender.headers | headers
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "multipart.length")
    assert keys_in_store(sender) == set()


def test_the_same_id_with_another_manifest_is_a_conflict(sender: Sender, clean_exam: Exams) -> None:
    first, second = clean_exam(slices=1), clean_exam(slices=1, seed=2)
    manifest = sender.manifest(first)
    sender.open(manifest)

    answer = sender.open(sender.manifest(second, delivery_id=manifest.delivery_id))

    assert (answer.status_code, answer.json()["code"]) == (409, "ingest.delivery.changed")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"recipe_digest": "0" * 64}, "ingest.manifest.invalid"),
        ({"channel_id": str(uuid7())}, "connections.channel.not_found"),
        ({"channel_id": "../../etc"}, "connections.channel.not_found"),
    ],
)
def test_a_manifest_that_fits_no_channel_is_refused(
    sender: Sender, clean_exam: Exams, change: dict[str, str], code: str
) -> None:
    assert sender.open(sender.manifest(clean_exam(slices=1), **change)).json()["code"] == code


@pytest.mark.parametrize("body", [b"", b"{}", b"[" * 100_000, b'{"protocol":99}', b"\xff\xfe"])
def test_a_body_that_is_no_manifest_is_a_problem_in_words(sender: Sender, body: bytes) -> None:
    answer = sender.client.put(paths.delivery(str(uuid7())), content=body, headers=sender.headers)

    assert answer.status_code == 422
    assert set(answer.json()) == {"code", "message", "reference"}


@pytest.mark.parametrize("token", ["", "Bearer ", "Bearer wrong", "Basic abc"])
def test_nobody_without_a_token_is_answered(sender: Sender, clean_exam: Exams, token: str) -> None:
    manifest = sender.manifest(clean_exam(slices=1))

    answer = sender.client.put(
        paths.delivery(manifest.delivery_id),
        content=manifest.to_json(),
        headers={"Authorization": token} if token else {},
    )

    assert (answer.status_code, answer.json()["code"]) == (401, "connections.gateway.unknown")


def test_another_gateways_delivery_is_not_found(sender: Sender, clean_exam: Exams) -> None:
    manifest = sender.manifest(clean_exam(slices=1))
    sender.open(manifest)
    foreign = enrolled(sender.client, new_world())
    neighbour = enrolled(sender.client, sender.world)

    answers = [
        one.client.get(paths.delivery(manifest.delivery_id), headers=one.headers)
        for one in (foreign, neighbour)
    ]

    assert {one.status_code for one in answers} == {404}


def test_no_room_is_said_with_507_before_anything_is_sent(
    sender: Sender, clean_exam: Exams, monkeypatch: pytest.MonkeyPatch
) -> None:
    from collegium.settings.installation import installation

    full = installation().model_copy(update={"storage_quota_bytes": 10})
    monkeypatch.setattr(storage, "installation", lambda: full)

    answer = sender.open(sender.manifest(clean_exam(slices=1)))

    assert answer.status_code == 507
    assert "out of space" in answer.json()["message"]


@pytest.mark.requirement("C14", "I04")
def test_a_resent_exam_is_a_duplicate_and_stored_once(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=2)
    sender.deliver(exam)
    before = keys_in_store(sender)

    receipt = sender.deliver(exam)

    assert {item["outcome"] for item in receipt["items"]} == {"duplicate"}
    assert keys_in_store(sender) == before


def recompressed(dataset: Any) -> None:  # Any: a pydicom dataset
    from pydicom.uid import RLELossless

    dataset.compress(RLELossless, generate_instance_uid=False)


def other_pixels(dataset: Any) -> None:  # Any: a pydicom dataset
    dataset.PixelData = bytes([dataset.PixelData[0] ^ 1]) + dataset.PixelData[1:]


@pytest.mark.requirement("I04")
def test_the_same_pixels_in_another_syntax_are_a_duplicate(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=1)
    sender.deliver(exam)

    receipt = sender.deliver(only(exam, edited(exam.objects[0], recompressed)))

    assert [item["outcome"] for item in receipt["items"]] == ["duplicate"]


@pytest.mark.requirement("I04")
def test_what_a_gateway_compressed_for_a_slow_line_is_the_same_object(
    sender: Sender, clean_exam: Exams
) -> None:
    exam = clean_exam(slices=1)
    (one,) = exam.objects
    start = one.content.rindex(b"\xe0\x7f\x10\x00")
    made = compress(one.content[:start], [one.content[start:]])
    assert made is not None
    packed = replace(one, content=b"".join(made), transfer_syntax_uid="1.2.840.10008.1.2.4.201")

    first = sender.deliver(only(exam, packed))
    again = sender.deliver(exam)

    assert [item["outcome"] for item in first["items"]] == ["stored"]
    assert [item["outcome"] for item in again["items"]] == ["duplicate"]


@pytest.mark.requirement("I04")
def test_other_pixels_under_the_same_uid_are_held(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=1)
    sender.deliver(exam)

    receipt = sender.deliver(only(exam, edited(exam.objects[0], other_pixels)))

    assert [item["outcome"] for item in receipt["items"]] == ["held"]
    assert len(keys_in_store(sender)) == 2
    with acting_as(sender.world.administrator.principal):
        assert Instance.objects.count() == 1


@pytest.mark.requirement("I04")
def test_a_person_refuses_what_is_held_with_a_reason(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=1)
    sender.deliver(exam)
    before = keys_in_store(sender)
    sender.deliver(only(exam, edited(exam.objects[0], other_pixels)))

    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        actor = sender.world.actor()
        (held,) = queries.held(actor)
        ingest.refuse_held(actor=actor, object_id=held.id, reason="The first one is right.")

    assert keys_in_store(sender) == before
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        assert queries.held(sender.world.actor()) == []
        assert AuditEntry.objects.filter(action="ingest.held.decided").count() == 1


@pytest.mark.requirement("I02")
def test_an_exam_of_another_subject_is_refused(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=1)
    sender.deliver(exam)

    receipt = sender.deliver(replace(only(exam, edited(exam.objects[0], other_subject)), subject="S-999"))

    assert [item["outcome"] for item in receipt["items"]] == ["refused"]


def test_two_tenants_hold_the_same_exam_apart(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=1)
    other = enrolled(sender.client, new_world())

    mine, theirs = sender.deliver(exam), other.deliver(exam)

    assert mine["exam_id"] != theirs["exam_id"]
    assert {item["outcome"] for item in theirs["items"]} == {"stored"}


@pytest.mark.requirement("R02", "R03")
@pytest.mark.parametrize("table", [Blob, Exam, Series, Instance, SeriesDocument, Delivery, DeliveryObject])
def test_another_spaces_principal_sees_no_row(
    sender: Sender, clean_exam: Exams, table: Any
) -> None:  # Any: a model
    sender.deliver(clean_exam(slices=1))
    stranger = new_world().administrator

    with acting_as(stranger.principal):
        seen = table.objects.count()
    with acting_as(sender.world.administrator.principal):
        there = table.objects.count()

    assert (seen, there > 0) == (0, True)


@pytest.mark.requirement("I01", "S01")
def test_a_delivery_leaves_its_entries_in_the_trail(sender: Sender, clean_exam: Exams) -> None:
    sender.deliver(clean_exam(slices=2))

    with acting_as(sender.world.administrator.principal):
        actions = list(
            AuditEntry.objects.filter(principal=f"gateway:{sender.gateway_id}")
            .order_by("at")
            .values_list("action", flat=True)
        )

    assert actions == [
        "connections.gateway.enrolled",
        "ingest.delivery.opened",
        "archive.exam.received",
        "ingest.delivery.completed",
    ]


def test_the_sweep_takes_aged_blobs_without_rows_and_nothing_else(sender: Sender, clean_exam: Exams) -> None:
    sender.deliver(clean_exam(slices=2))
    kept = keys_in_store(sender)
    with storage.blobs().create(
        organisation_id=sender.world.organisation_id, space_id=sender.world.space_id
    ) as orphan:
        orphan.write(b"nobody's")
        orphan.finish()

    ingest.sweep_orphans(older_than=timedelta(hours=24))
    young = keys_in_store(sender)
    ingest.sweep_orphans(older_than=timedelta(seconds=-1))

    assert young == kept | {orphan.key}
    assert keys_in_store(sender) == kept


def test_the_digest_of_the_row_is_that_of_the_object(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=1)
    sender.deliver(exam)

    with acting_as(sender.world.administrator.principal):
        blob = Blob.objects.get()
    content = storage.blobs().read_all(f"{blob.organisation_id}/{blob.space_id}/{blob.id}")

    assert blob.sha256 == hashlib.sha256(content).hexdigest() == exam.objects[0].sha256


@pytest.mark.requirement("C14")
def test_completing_from_two_sides_at_once_stores_once(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=2)
    manifest = sender.manifest(exam)
    sender.open(manifest)
    sender.send(manifest, exam.objects)

    with ThreadPoolExecutor(4) as several:
        answers = list(several.map(lambda _: sender.complete(manifest), range(4)))

    assert {one.status_code for one in answers} == {200}
    assert len({one.content for one in answers}) == 1
    with acting_as(sender.world.administrator.principal):
        assert Instance.objects.count() == 2


@pytest.mark.requirement("C14")
def test_two_deliveries_of_one_exam_at_once_store_every_instance_once(
    sender: Sender, clean_exam: Exams
) -> None:
    exam = clean_exam(slices=4)
    halves = [only(exam, *exam.objects[:3]), only(exam, *exam.objects[1:])]
    manifests = [sender.manifest(half) for half in halves]
    for manifest, half in zip(manifests, halves, strict=True):
        sender.open(manifest)
        sender.send(manifest, half.objects)

    with ThreadPoolExecutor(2) as both:
        receipts = [one.json() for one in both.map(sender.complete, manifests)]

    outcomes = sorted(item["outcome"] for receipt in receipts for item in receipt["items"])
    assert outcomes == ["duplicate"] * 2 + ["stored"] * 4
    with acting_as(sender.world.administrator.principal):
        assert Instance.objects.count() == 4
        assert Series.objects.get().instance_count == 4
