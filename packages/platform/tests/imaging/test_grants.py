"""A grant is the only door: its own UIDs, its fields, its label, and nothing beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from collegium.imaging.grants import services as grants
from collegium.imaging.grants.errors import GrantInvalid
from collegium.imaging.grants.layers import Layer
from collegium.kit import clock
from collegium.kit.database import acting_as
from collegium.kit.ids import uuid7
from collegium.trust.audit.models import AuditEntry
from collegium_testkit.delivering import cookie_of, enrolled
from collegium_testkit.world import new_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium_testkit.delivering import CleanExam, Client, Sender
    from collegium_testkit.world import Person

    Exams = Callable[..., CleanExam]

pytestmark = pytest.mark.requirement("R40", "R42")


@dataclass
class Granted:
    sender: Sender
    exam: CleanExam
    reader: Person
    grant_id: UUID
    headers: dict[str, str]

    @property
    def root(self) -> str:
        return f"/dicom-web/grants/{self.grant_id}"

    def get(self, path: str, **headers: str) -> Any:  # Any: an httpx response
        return self.sender.client.get(self.root + path, headers=self.headers | headers)

    def shown_series(self) -> str:
        (study,) = self.get("/studies").json()
        (series,) = self.get(f"/studies/{study['0020000D']['Value'][0]}/series").json()
        return f"/studies/{study['0020000D']['Value'][0]}/series/{series['0020000E']['Value'][0]}"


def grant_to(sender: Sender, exam_id: str, reader: Person, **changes: Any) -> UUID:  # Any: as `issue` takes
    given: dict[str, Any] = {  # Any: the same
        "principal": reader.principal,
        "exam_ids": [UUID(exam_id)],
        "allow_fields": ["SeriesDescription"],
        "label": "Case 7",
        "mode": "read",
        "expires": clock.now() + timedelta(hours=1),
        "owner": "task:1",
    }
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        return grants.issue(sender.world.actor(), **(given | changes)).id


@pytest.fixture
def granted(sender: Sender, clean_exam: Exams) -> Granted:
    exam = clean_exam(slices=3)
    receipt = sender.deliver(exam)
    reader = sender.world.join("Reader")
    grant_id = grant_to(sender, receipt["exam_id"], reader)
    return Granted(sender, exam, reader, grant_id, cookie_of(reader))


def test_the_holder_sees_the_granted_pictures(granted: Granted) -> None:
    series = granted.shown_series()
    metadata = granted.get(f"{series}/metadata").json()

    frames = [
        granted.get(f"{series}/instances/{one['00080018']['Value'][0]}/frames/1").content for one in metadata
    ]

    assert len(frames) == 3
    assert all(any(one.dataset.PixelData in frame for frame in frames) for one in granted.exam.objects)


def test_nothing_of_the_archive_shows_through(granted: Granted) -> None:
    series = granted.shown_series()
    answers = [granted.get("/studies"), granted.get(f"{series.rsplit('/series', 1)[0]}/series")]
    answers += [granted.get(f"{series}/metadata"), granted.get(f"{series}/instances")]
    shown = b"".join(answer.content for answer in answers) + repr([a.headers for a in answers]).encode()

    hidden = {granted.exam.subject, str(granted.sender.world.space_id)}
    for one in granted.exam.objects:
        dataset = one.dataset
        hidden |= {one.study_uid, one.series_uid, one.sop_instance_uid, str(dataset.FrameOfReferenceUID)}
        hidden |= {str(dataset.get("StudyDate")), str(dataset.get("PatientSex")) + '"]', one.sha256}
    assert not [value for value in hidden if value not in ("None", "") and value.encode() in shown]


@pytest.mark.requirement("V11")
def test_the_label_stands_where_the_subject_would(granted: Granted) -> None:
    (first, *_) = granted.get(f"{granted.shown_series()}/metadata").json()

    assert first["00100020"]["Value"] == ["Case 7"]
    assert first["00100010"]["Value"] == [{"Alphabetic": "Case 7"}]
    assert first["00120042"]["Value"] == ["Case 7"]


def test_only_named_fields_come_along(granted: Granted) -> None:
    (first, *_) = granted.get(f"{granted.shown_series()}/metadata").json()

    assert "0008103E" in first  # SeriesDescription was named
    assert not {"00080020", "00100040", "00101010", "00080070", "00081030"} & first.keys()


def test_two_grants_of_one_exam_share_no_uid(granted: Granted) -> None:
    other = granted.sender.world.join("Reader")
    with acting_as(granted.sender.world.administrator.principal):
        from collegium.imaging.archive.models import Exam

        exam_id = str(Exam.objects.get().id)
    second = Granted(
        granted.sender, granted.exam, other, grant_to(granted.sender, exam_id, other), cookie_of(other)
    )

    mine = set(_uids(granted.get(f"{granted.shown_series()}/metadata").json()))
    theirs = set(_uids(second.get(f"{second.shown_series()}/metadata").json()))

    assert mine
    assert not mine & theirs


def _uids(value: Any) -> list[str]:  # Any: JSON
    return [uid for uid in json.dumps(value).split('"') if uid.startswith("2.25.")]


def _bodies(client: Client, paths: list[str], headers: dict[str, str]) -> set[tuple[int, str, str]]:
    answers = [client.get(path, headers=headers) for path in paths]
    return {(one.status_code, one.json()["code"], one.json()["message"]) for one in answers}


def test_another_persons_grant_is_not_found_like_an_invented_one(granted: Granted) -> None:
    stranger = granted.sender.world.join("Reader")
    paths = [
        f"{granted.root}/studies",
        granted.root + granted.shown_series() + "/metadata",
        f"/dicom-web/grants/{uuid7()}/studies",
        "/dicom-web/grants/nonsense/studies",
    ]

    answers = _bodies(granted.sender.client, paths, cookie_of(stranger))

    assert len(answers) == 1
    assert next(iter(answers))[0] == 404


def test_the_door_of_the_space_is_not_found_for_a_reader(granted: Granted) -> None:
    root = f"/dicom-web/spaces/{granted.sender.world.space_id}"
    paths = [f"{root}/studies", f"{root}/studies/{granted.exam.study_uid}/series"]
    paths += [f"/dicom-web/spaces/{uuid7()}/studies"]

    assert len(_bodies(granted.sender.client, paths, granted.headers)) == 1


def test_the_archives_own_uids_open_nothing_under_a_grant(granted: Granted) -> None:
    one = granted.exam.objects[0]
    path = f"/studies/{one.study_uid}/series/{one.series_uid}"

    assert granted.get(f"{path}/metadata").status_code == 404
    assert granted.get(f"{path}/instances/{one.sop_instance_uid}/frames/1").status_code == 404


@pytest.mark.parametrize("number", [0, 2, 999_999_999])
def test_a_frame_that_does_not_exist_is_not_found(granted: Granted, number: int) -> None:
    series = granted.shown_series()
    uid = granted.get(f"{series}/metadata").json()[0]["00080018"]["Value"][0]

    assert granted.get(f"{series}/instances/{uid}/frames/{number}").status_code == 404


def test_a_revoked_grant_closes_at_once(granted: Granted) -> None:
    series = granted.shown_series()

    with acting_as(granted.sender.world.administrator.principal, [granted.sender.world.space_id]):
        grants.revoke(granted.sender.world.actor(), grant_id=granted.grant_id, reason="done")

    assert granted.get(f"{series}/metadata").status_code == 404


def test_leaving_the_space_closes_the_grant_within_seconds(
    granted: Granted, monkeypatch: pytest.MonkeyPatch
) -> None:
    from collegium.trust.tenancy import queries as tenancy_queries
    from collegium.trust.tenancy import services as tenancy

    world = granted.sender.world
    granted.shown_series()
    with acting_as(world.administrator.principal, [world.space_id]):
        actor = world.actor()
        (member,) = [m for m in tenancy_queries.members(actor) if m.principal == granted.reader.principal]
        tenancy.end_membership(actor=actor, membership_id=member.id)

    monkeypatch.setattr("collegium.imaging.grants.queries._kept._seconds", -1.0)

    assert granted.get("/studies").status_code == 404


def test_an_expired_grant_is_not_found(granted: Granted, monkeypatch: pytest.MonkeyPatch) -> None:
    granted.shown_series()

    later = clock.now() + timedelta(hours=2)
    monkeypatch.setattr("collegium.kit.clock.now", lambda: later)

    assert granted.get("/studies").status_code == 404


def test_a_late_instance_is_not_in_an_earlier_grant(granted: Granted) -> None:
    from collegium_testkit.delivering import edited

    def later(dataset: Any) -> None:  # Any: a pydicom dataset
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"2.25.{2**127 + 77}"
        dataset.InstanceNumber = 99

    late = edited(granted.exam.objects[0], later)
    supplement = type(granted.exam)(granted.exam.subject, (late,), granted.exam.rod, "")
    receipt = granted.sender.deliver(supplement, supplement=True)

    assert [item["outcome"] for item in receipt["items"]] == ["stored"]
    assert len(granted.get(f"{granted.shown_series()}/metadata").json()) == 3


def test_a_grant_of_single_instances_shows_only_those(granted: Granted) -> None:
    from collegium.imaging.archive.models import Exam, Instance

    with acting_as(granted.sender.world.administrator.principal):
        exam_id, one = str(Exam.objects.get().id), Instance.objects.order_by("number")[0].id
    narrow = Granted(
        granted.sender,
        granted.exam,
        granted.reader,
        grant_to(granted.sender, exam_id, granted.reader, instance_ids=[one]),
        granted.headers,
    )

    assert len(narrow.get(f"{narrow.shown_series()}/metadata").json()) == 1
    assert len(narrow.get(f"{narrow.shown_series()}/instances").json()) == 1


def test_opening_a_series_is_one_entry_in_the_trail(granted: Granted) -> None:
    series = granted.shown_series()
    metadata = granted.get(f"{series}/metadata").json()
    for one in metadata:
        granted.get(f"{series}/instances/{one['00080018']['Value'][0]}/frames/1")

    with acting_as(granted.reader.principal):
        entries = list(AuditEntry.objects.filter(action="dicomweb.series.opened"))

    assert len(entries) == 1
    assert str(granted.grant_id) in entries[0].body


def test_no_answer_carries_a_validator_or_a_file(granted: Granted) -> None:
    series = granted.shown_series()
    metadata = granted.get(f"{series}/metadata")
    uid = metadata.json()[0]["00080018"]["Value"][0]
    frame = granted.get(f"{series}/instances/{uid}/frames/1")

    for answer in (metadata, frame):
        assert not {"etag", "last-modified", "content-disposition"} & answer.headers.keys()
        assert answer.headers["cache-control"].startswith("private")
    assert granted.get(f"{series}/instances/{uid}").status_code == 404


def test_another_tenant_cannot_grant_these_images(granted: Granted) -> None:
    from collegium.imaging.archive.errors import ImageNotFound
    from collegium.imaging.archive.models import Exam

    with acting_as(granted.sender.world.administrator.principal):
        exam_id = str(Exam.objects.get().id)
    foreign = enrolled(granted.sender.client, new_world())

    with pytest.raises(ImageNotFound):
        grant_to(foreign, exam_id, foreign.world.administrator)


@pytest.mark.parametrize(
    "changes",
    [
        {"allow_fields": ["PixelData"]},
        {"allow_fields": ["NoSuchWord"]},
        {"expires": clock.now()},
        {"exam_ids": []},
    ],
)
def test_a_grant_that_makes_no_sense_is_not_issued(
    granted: Granted, changes: dict[str, Any]
) -> None:  # Any: as issue takes
    from collegium.imaging.archive.models import Exam

    with acting_as(granted.sender.world.administrator.principal):
        exam_id = str(Exam.objects.get().id)

    with pytest.raises(GrantInvalid):
        grant_to(granted.sender, exam_id, granted.reader, **changes)


class TestTimepoints:
    """Several exams under one grant stand in the order in which they were named."""

    @pytest.fixture
    def exam_ids(self, granted: Granted, clean_exam: Exams) -> list[UUID]:
        delivered = [granted.sender.deliver(clean_exam(slices=2))["exam_id"] for _ in range(3)]
        return [UUID(one) for one in delivered]

    def studies(self, granted: Granted, grant_id: UUID) -> list[str]:
        """The study UIDs a grant shows, in its order, as the archive knows them."""
        from collegium.imaging.archive.models import Exam
        from collegium.imaging.grants.queries import decide
        from collegium.imaging.grants.uids import archived

        root = f"/dicom-web/grants/{grant_id}"
        shown = granted.sender.client.get(f"{root}/studies", headers=granted.headers).json()
        key = decide(granted.reader.principal, grant_id).uid_key
        with acting_as(granted.sender.world.administrator.principal):
            ids = dict(Exam.objects.values_list("study_uid", "id"))
        return [str(ids[archived(key, one["0020000D"]["Value"][0], ids) or ""]) for one in shown]

    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
    def test_studies_come_in_the_order_of_the_exams(
        self, granted: Granted, exam_ids: list[UUID], order: tuple[int, ...]
    ) -> None:
        wanted = [exam_ids[at] for at in order]

        grant_id = grant_to(granted.sender, str(wanted[0]), granted.reader, exam_ids=wanted)

        assert self.studies(granted, grant_id) == [str(one) for one in wanted]

    def test_an_exam_named_twice_stands_where_it_was_named_first(
        self, granted: Granted, exam_ids: list[UUID]
    ) -> None:
        wanted = [exam_ids[1], exam_ids[0], exam_ids[1]]

        grant_id = grant_to(granted.sender, str(wanted[0]), granted.reader, exam_ids=wanted)

        assert self.studies(granted, grant_id) == [str(one) for one in wanted[:2]]

    def test_a_held_grant_is_kept_while_order_and_layers_are_the_same(
        self, granted: Granted, exam_ids: list[UUID]
    ) -> None:
        first = self.held(granted, exam_ids)

        assert self.held(granted, exam_ids) == first
        assert self.held(granted, exam_ids[::-1]) != first

    def test_a_held_grant_with_other_layers_is_another(self, granted: Granted, exam_ids: list[UUID]) -> None:
        first = self.held(granted, exam_ids, layers=[Layer("A", ())])

        assert self.held(granted, exam_ids, layers=[Layer("A", ())]) == first
        assert self.held(granted, exam_ids, layers=[Layer("B", ())]) != first

    def test_a_held_grant_that_may_be_drawn_on_elsewhere_is_another(
        self, granted: Granted, exam_ids: list[UUID]
    ) -> None:
        first = self.held(granted, exam_ids, earlier=exam_ids[:1])

        assert self.held(granted, exam_ids, earlier=exam_ids[:1]) == first
        assert self.held(granted, exam_ids) != first

    def held(self, granted: Granted, exam_ids: list[UUID], **changes: Any) -> UUID:  # Any: as `hold` takes
        world = granted.sender.world
        with acting_as(world.administrator.principal, [world.space_id]):
            return grants.hold(
                world.actor(),
                principal=granted.reader.principal,
                exam_ids=exam_ids,
                allow_fields=[],
                label="Case 7",
                mode="read",
                expires=clock.now() + timedelta(hours=8),
                renew_before=clock.now() + timedelta(hours=4),
                owner="task:held",
                **changes,
            ).id
