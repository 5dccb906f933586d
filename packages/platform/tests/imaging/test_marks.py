"""A drawn length or pair of diameters: computed here, versioned, idempotent, in the archive's own UIDs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.test import Client as Browser
from django.test import override_settings

from collegium.imaging.archive.models import Instance
from collegium.imaging.grants import services as grants
from collegium.imaging.grants.errors import GrantInvalid
from collegium.imaging.grants.layers import Layer
from collegium.imaging.grants.models import ViewGrant
from collegium.imaging.grants.queries import shown_mark
from collegium.imaging.marks import queries as marks
from collegium.imaging.marks.errors import MarkNotFound
from collegium.imaging.marks.models import MarkRevision
from collegium.kit import clock
from collegium.kit.database import acting_as
from collegium.kit.ids import uuid7
from collegium_testkit.delivering import cookie_of, enrolled
from collegium_testkit.world import new_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from collegium_testkit.delivering import CleanExam, Sender
    from collegium_testkit.world import Person

    Exams = Callable[..., CleanExam]

pytestmark = pytest.mark.requirement("R53")


@dataclass
class Reading:
    """A reader at the screen with one granted exam."""

    sender: Sender
    exam: CleanExam
    exam_id: str
    reader: Person

    def __post_init__(self) -> None:
        self.headers = cookie_of(self.reader)
        self.browser = Browser(headers=self.headers)
        self.grant_id = self.grant()

    def grant(self, **changes: Any) -> UUID:  # Any: as `issue` takes
        given: dict[str, Any] = {  # Any: the same
            "principal": self.reader.principal,
            "exam_ids": [UUID(self.exam_id)],
            "allow_fields": [],
            "label": "S-001",
            "mode": "read",
            "expires": clock.now() + timedelta(hours=1),
            "owner": "task:1",
        }
        world = self.sender.world
        with acting_as(world.administrator.principal, [world.space_id]):
            return grants.issue(world.actor(), **(given | changes)).id

    def dicom(self, path: str) -> Any:  # Any: JSON
        root = f"/dicom-web/grants/{self.grant_id}"
        return self.sender.client.get(root + path, headers=self.headers).json()

    def rod(self, **changes: Any) -> dict[str, Any]:  # Any: JSON
        """The phantom's rod as the viewer would send it, under the grant's UIDs."""
        study = self.dicom("/studies")[0]["0020000D"]["Value"][0]
        series = self.dicom(f"/studies/{study}/series")[0]["0020000E"]["Value"][0]
        instances = self.dicom(f"/studies/{study}/series/{series}/metadata")
        order = sorted(instances, key=lambda one: one["00200013"]["Value"][0])
        shown = order[self.exam.rod.slice_index]
        body: dict[str, Any] = {  # Any: JSON
            "op_id": str(uuid7()),
            "base_revision": 0,
            "kind": "length",
            "series_uid": series,
            "instance_uid": shown["00080018"]["Value"][0],
            "frame": 1,
            "frame_of_reference_uid": shown["00200052"]["Value"][0],
            "points": [list(point) for point in self.exam.rod.world_points],
            "image_points": [list(point) for point in self.exam.rod.image_points],
            "label": "T1",
        }
        return body | changes

    def diameters(self, **changes: Any) -> dict[str, Any]:  # Any: JSON
        """The rod and a line of half its length across its middle: 40 mm and 20 mm."""
        body = self.rod()
        series = f"/studies/{self.dicom('/studies')[0]['0020000D']['Value'][0]}/series/{body['series_uid']}"
        shown = next(
            one
            for one in self.dicom(f"{series}/metadata")
            if one["00080018"]["Value"][0] == body["instance_uid"]
        )
        between_rows, between_columns = shown["00280030"]["Value"]
        (ax, ay, z), (bx, by, _) = body["points"]
        x, y, across, down = (ax + bx) / 2, (ay + by) / 2, -(by - ay) / 4, (bx - ax) / 4
        first_x, first_y, _ = shown["00200032"]["Value"]
        ends = [[x - across, y - down, z], [x + across, y + down, z]]
        pixels = [[(ex - first_x) / between_columns, (ey - first_y) / between_rows] for ex, ey, _ in ends]
        two = {
            "kind": "bidirectional",
            "points": body["points"] + ends,
            "image_points": body["image_points"] + pixels,
        }
        return body | two | changes

    def put(
        self, body: dict[str, Any], mark_id: UUID | None = None, grant_id: UUID | None = None
    ) -> Any:  # Any: a response
        path = f"/api/v1/grants/{grant_id or self.grant_id}/marks/{mark_id or uuid7()}"
        return self.browser.put(path, json.dumps(body), content_type="application/json")

    def delete(self, mark_id: UUID, revision: int, op_id: UUID | None = None) -> Any:  # Any: a response
        body = {"op_id": str(op_id or uuid7()), "base_revision": revision}
        path = f"/api/v1/grants/{self.grant_id}/marks/{mark_id}"
        return self.browser.delete(path, json.dumps(body), content_type="application/json")

    def listed(self, grant_id: UUID | None = None) -> list[dict[str, Any]]:  # Any: JSON
        return list(self.browser.get(f"/api/v1/grants/{grant_id or self.grant_id}/marks").json()["marks"])


@pytest.fixture
def reading(sender: Sender, clean_exam: Exams) -> Reading:
    exam = clean_exam(slices=3)
    receipt = sender.deliver(exam)
    return Reading(sender, exam, receipt["exam_id"], sender.world.join("Reader"))


@pytest.fixture(autouse=True)
def _addresses() -> Iterator[None]:
    with override_settings(ROOT_URLCONF="collegium.imaging.grants.api"):
        yield


@pytest.mark.requirement("V05")
def test_the_length_of_the_rod_is_forty_millimetres(reading: Reading) -> None:
    saved = reading.put(reading.rod())

    assert saved.status_code == 200, saved.content
    assert saved.json()["value"] == "40.00"
    assert saved.json()["unit"] == "mm"
    assert saved.json()["revision"] == 1


@pytest.mark.requirement("R50", "V05")
def test_two_diameters_have_two_values(reading: Reading) -> None:
    saved = reading.put(reading.diameters())

    assert saved.status_code == 200, saved.content
    assert (saved.json()["kind"], saved.json()["value"], saved.json()["short_value"]) == (
        "bidirectional",
        "40.00",
        "20.00",
    )
    assert reading.listed()[0] == saved.json()


def test_a_length_has_no_short_value(reading: Reading) -> None:
    assert reading.put(reading.rod()).json()["short_value"] is None


@pytest.mark.requirement("V05")
def test_the_long_diameter_is_kept_first_however_it_was_drawn(reading: Reading) -> None:
    body = reading.diameters()
    turned = {name: body[name][2:] + body[name][:2] for name in ("points", "image_points")}

    saved = reading.put(body | turned).json()

    assert (saved["value"], saved["short_value"]) == ("40.00", "20.00")
    assert saved["points"][:2] == [[float(part) for part in point] for point in body["points"][:2]]
    assert len(saved["image_points"]) == 4


@pytest.mark.requirement("V05")
def test_diameters_that_are_none_are_refused_and_say_why(reading: Reading) -> None:
    body = reading.diameters()
    (cx, cy, cz), (dx, dy, _) = body["points"][2:]
    (cc, cr), (dc, dr) = body["image_points"][2:]
    moved = reading.put(
        body
        | {
            "points": [*body["points"][:2], [cx, cy + 30, cz], [dx, dy + 30, cz]],
            "image_points": [
                *body["image_points"][:2],
                [cc, cr + 30 * (dr - cr) / (dy - cy)],
                [dc, dr + 30 * (dr - cr) / (dy - cy)],
            ],
        }
    )
    slanted = reading.put(
        body
        | {
            "points": [*body["points"][:2], [cx, cy, cz], body["points"][1]],
            "image_points": [*body["image_points"][:2], [cc, cr], body["image_points"][1]],
        }
    )

    assert (moved.status_code, moved.json()["code"]) == (422, "marks.mark.diameters_apart")
    assert (slanted.status_code, slanted.json()["code"]) == (422, "marks.mark.diameters_not_perpendicular")
    assert reading.listed() == []


def test_a_mark_does_not_become_another_kind(reading: Reading) -> None:
    mark_id = uuid7()
    reading.put(reading.rod(), mark_id)

    changed = reading.put(reading.diameters(base_revision=1), mark_id)

    assert (changed.status_code, changed.json()["code"]) == (422, "marks.mark.invalid")
    assert [one["revision"] for one in reading.listed()] == [1]


def test_two_points_are_no_pair_of_diameters(reading: Reading) -> None:
    two, four = reading.rod(), reading.diameters()

    assert reading.put(two | {"kind": "bidirectional"}).status_code == 422
    assert reading.put(four | {"kind": "length"}).status_code == 422
    assert reading.put(four | {"image_points": two["image_points"]}).status_code == 422


@pytest.mark.requirement("V07")
def test_what_was_saved_is_there_again_as_it_was_drawn(reading: Reading) -> None:
    body, mark_id = reading.rod(), uuid7()
    reading.put(body, mark_id)

    (found,) = reading.listed()

    assert found["mark_id"] == str(mark_id)
    same = (
        "series_uid",
        "instance_uid",
        "frame",
        "frame_of_reference_uid",
        "points",
        "image_points",
        "label",
    )
    assert {name: found[name] for name in same} == {
        **{name: body[name] for name in same},
        "points": [[float(part) for part in point] for point in body["points"]],
        "image_points": [[float(part) for part in point] for point in body["image_points"]],
    }


def test_the_archive_keeps_its_own_uids(reading: Reading) -> None:
    reading.put(reading.rod())

    with acting_as(reading.reader.principal):
        row = MarkRevision.objects.get()

    assert row.instance_uid == reading.exam.rod_instance_uid
    assert row.series_uid == reading.exam.series_uid


@pytest.mark.requirement("V07")
def test_a_later_grant_for_the_same_owner_shows_the_mark_under_its_own_uids(reading: Reading) -> None:
    body = reading.rod()
    reading.put(body)

    (found,) = reading.listed(reading.grant())

    assert found["value"] == "40.00"
    assert found["instance_uid"] != body["instance_uid"]


def test_saving_the_same_operation_twice_saves_once(reading: Reading) -> None:
    body, mark_id = reading.rod(), uuid7()

    first, second = reading.put(body, mark_id), reading.put(body, mark_id)

    assert first.json() == second.json()
    with acting_as(reading.reader.principal):
        assert MarkRevision.objects.count() == 1


def test_a_stale_save_is_refused_with_the_mark_as_it_is(reading: Reading) -> None:
    body, mark_id = reading.rod(), uuid7()
    reading.put(body, mark_id)
    reading.put(body | {"op_id": str(uuid7()), "base_revision": 1, "label": "T2"}, mark_id)

    stale = reading.put(body | {"op_id": str(uuid7()), "base_revision": 1}, mark_id)

    assert stale.status_code == 409
    assert stale.json()["code"] == "marks.mark.stale"
    assert (stale.json()["mark"]["revision"], stale.json()["mark"]["label"]) == (2, "T2")


@pytest.mark.requirement("V07")
def test_a_struck_mark_is_gone_from_the_list_and_stays_in_the_history(reading: Reading) -> None:
    mark_id = uuid7()
    reading.put(reading.rod(), mark_id)

    struck = reading.delete(mark_id, 1)

    assert struck.status_code == 200
    assert struck.json()["is_struck"] is True
    assert reading.listed() == []
    with acting_as(reading.reader.principal):
        assert [row.is_struck for row in MarkRevision.objects.order_by("revision")] == [False, True]


def test_a_struck_mark_can_be_drawn_again(reading: Reading) -> None:
    mark_id = uuid7()
    reading.put(reading.rod(), mark_id)
    reading.delete(mark_id, 1)

    again = reading.put(reading.rod(base_revision=2), mark_id)

    assert again.json()["revision"] == 3
    assert len(reading.listed()) == 1


def test_points_that_disagree_are_refused(reading: Reading) -> None:
    body = reading.rod()
    (a, b) = body["image_points"]

    longer = reading.put(body | {"image_points": [a, [b[0] + 1, b[1]]]})
    elsewhere = reading.put(body | {"image_points": [[a[0], a[1] + 9], [b[0], b[1] + 9]]})
    other_slice = reading.put(body | {"points": [[x, y, z + 5] for x, y, z in body["points"]]})

    assert {one.json()["code"] for one in (longer, elsewhere, other_slice)} == {"marks.mark.points_disagree"}
    assert {one.status_code for one in (longer, elsewhere, other_slice)} == {422}
    assert reading.listed() == []


def test_a_mark_beyond_the_image_is_refused(reading: Reading) -> None:
    body = reading.rod()
    far = {name: [[x - 10_000, *rest] for x, *rest in body[name]] for name in ("points", "image_points")}

    answer = reading.put(body | far)

    assert (answer.status_code, answer.json()["code"]) == (422, "marks.mark.outside_image")


@pytest.mark.parametrize(
    "change",
    [
        {"points": [[0, 0, 0]]},
        {"points": [[0, 0], [1, 1]]},
        {"points": [[0, 0, "1"], [1, 1, 1]]},
        {"points": [[1e300, 0, 0], [1, 1, 1]]},
        {"points": [[True, 0, 0], [1, 1, 1]]},
        {"kind": "volume"},
        {"frame": 2},
        {"frame": 0},
        {"base_revision": -1},
        {"base_revision": 1.5},
        {"op_id": "nothing"},
        {"label": 7},
        {"frame_of_reference_uid": "1.2.3"},
    ],
)
def test_a_body_that_is_no_mark_is_refused(reading: Reading, change: dict[str, Any]) -> None:  # Any: JSON
    answer = reading.put(reading.rod(**change))

    assert answer.status_code == 422
    assert reading.listed() == []


def test_not_a_number_is_no_json(reading: Reading) -> None:
    text = json.dumps(reading.rod()).replace("[[", "[[NaN, 0, 0], [", 1)
    path = f"/api/v1/grants/{reading.grant_id}/marks/{uuid7()}"

    assert reading.browser.put(path, text, content_type="application/json").status_code == 422
    assert reading.browser.put(path, "[" * 10_000, content_type="application/json").status_code == 422


def test_the_archives_uids_are_not_found_under_a_grant(reading: Reading) -> None:
    answer = reading.put(
        reading.rod(series_uid=reading.exam.series_uid, instance_uid=reading.exam.rod_instance_uid)
    )

    assert answer.status_code == 404


def test_a_grant_for_viewing_takes_no_marks(reading: Reading) -> None:
    viewing = reading.grant(mode="view")

    assert reading.put(reading.rod(), grant_id=viewing).status_code == 403


def test_another_reader_neither_sees_nor_changes_the_mark(reading: Reading) -> None:
    mark_id = uuid7()
    reading.put(reading.rod(), mark_id)
    other = Reading(reading.sender, reading.exam, reading.exam_id, reading.sender.world.join("Reader"))

    assert other.listed() == []
    assert other.put(other.rod(base_revision=1), mark_id).status_code == 404
    assert other.browser.get(f"/api/v1/grants/{reading.grant_id}/marks").status_code == 404


def test_nobody_without_a_session_is_answered(reading: Reading) -> None:
    assert Browser().get(f"/api/v1/grants/{reading.grant_id}/marks").status_code == 401


@pytest.mark.requirement("V07")
def test_revisions_cannot_be_changed_in_the_database(reading: Reading) -> None:
    from django.db import DatabaseError

    reading.put(reading.rod())

    with pytest.raises(DatabaseError), acting_as(reading.reader.principal):
        MarkRevision.objects.update(value=1)


def test_a_submit_reads_the_newest_revisions_under_lock(reading: Reading) -> None:
    mark_id = uuid7()
    reading.put(reading.rod(), mark_id)
    reading.put(reading.rod(base_revision=1), mark_id)

    with acting_as(reading.reader.principal, [reading.sender.world.space_id]):
        found = marks.locked(reading.sender.world.actor(reading.reader), [mark_id, uuid7()])

    assert {key: row.revision for key, row in found.items()} == {mark_id: 2}


class TestLayers:
    """Marks of two readers, shown to a third without a word of who drew them and when."""

    @pytest.fixture
    def drawn(self, reading: Reading) -> dict[str, UUID]:
        """Two readers' marks for tasks of their own: a length and two diameters."""
        other = self.colleague(reading, owner="task:2")
        marks_of = {"A": uuid7(), "B": uuid7()}
        reading.put(reading.rod(label="T1"), marks_of["A"])
        other.put(other.diameters(label="T2"), marks_of["B"])
        return marks_of

    def colleague(self, reading: Reading, **changes: Any) -> Reading:  # Any: as `issue` takes
        reader = reading.sender.world.join("Reader")
        made = Reading(reading.sender, reading.exam, reading.exam_id, reader)
        made.grant_id = made.grant(**changes)
        return made

    def adjudicator(
        self, reading: Reading, drawn: dict[str, UUID], **changes: Any
    ) -> Reading:  # Any: the same
        layers = [Layer(name, ((mark_id, 1),)) for name, mark_id in drawn.items()]
        return self.colleague(reading, **({"owner": "task:3", "layers": layers} | changes))

    def shown(self, reading: Reading) -> dict[str, list[dict[str, Any]]]:  # Any: JSON
        answer = reading.browser.get(f"/api/v1/grants/{reading.grant_id}/marks").json()
        return {layer["name"]: layer["marks"] for layer in answer["layers"]}

    def test_each_layer_has_its_marks_where_they_were_drawn(
        self, reading: Reading, drawn: dict[str, UUID]
    ) -> None:
        third = self.adjudicator(reading, drawn)

        shown = self.shown(third)

        assert list(shown) == ["A", "B"]
        (a,), (b,) = shown["A"], shown["B"]
        assert (a["kind"], a["value"], a["label"]) == ("length", "40.00", "T1")
        assert (b["kind"], b["value"], b["short_value"]) == ("bidirectional", "40.00", "20.00")
        own = third.rod()
        assert [a[name] for name in ("series_uid", "instance_uid", "points")] == [
            own["series_uid"],
            own["instance_uid"],
            [[float(part) for part in point] for point in own["points"]],
        ]
        assert third.listed() == []

    @pytest.mark.requirement("R40", "R42")
    def test_a_layer_tells_neither_who_nor_when_nor_any_true_id(
        self, reading: Reading, drawn: dict[str, UUID]
    ) -> None:
        third = self.adjudicator(reading, drawn)

        answer = third.browser.get(f"/api/v1/grants/{third.grant_id}/marks")

        with acting_as(reading.reader.principal):
            rows = list(MarkRevision.objects.select_related("mark"))
        hidden = {reading.exam.series_uid, reading.exam.study_uid, reading.exam.rod_instance_uid}
        for row in rows:
            hidden |= {row.principal, row.principal.split(":")[-1], str(row.mark_id), str(row.id)}
            hidden |= {str(row.op_id), row.mark.owner, str(row.mark.grant_id), row.saved_at.isoformat()[:16]}
            hidden |= {row.frame_of_reference_uid}
        assert len(rows) == 2
        assert not [value for value in hidden if value.encode() in answer.content]
        expected = {"mark_id", "kind", "series_uid", "instance_uid", "frame", "frame_of_reference_uid"}
        expected |= {"points", "image_points", "label", "value", "short_value", "unit"}
        for layer in answer.json()["layers"]:
            assert layer.keys() == {"name", "marks"}
            assert [one.keys() for one in layer["marks"]] == [expected]

    def test_the_page_can_name_a_mark_of_a_layer_for_the_viewer(
        self, reading: Reading, drawn: dict[str, UUID]
    ) -> None:
        third = self.adjudicator(reading, drawn)

        with acting_as(third.reader.principal):
            grant = ViewGrant.objects.get(id=third.grant_id)
            named = {name: str(shown_mark(grant, name, mark_id)) for name, mark_id in drawn.items()}

        assert named == {name: one["mark_id"] for name, (one,) in self.shown(third).items()}

    def test_one_mark_has_another_id_in_every_layer_and_grant(
        self, reading: Reading, drawn: dict[str, UUID]
    ) -> None:
        twice = {"A": drawn["A"], "B": drawn["A"]}
        first, second = self.adjudicator(reading, twice), self.adjudicator(reading, twice)

        found = [one["mark_id"] for each in (first, second) for (one,) in self.shown(each).values()]

        assert len({*found, str(drawn["A"])}) == 5

    def test_a_layer_shows_the_named_revision_whatever_came_later(
        self, reading: Reading, drawn: dict[str, UUID]
    ) -> None:
        third = self.adjudicator(reading, drawn)

        reading.put(reading.rod(base_revision=1, label="T9"), drawn["A"])
        reading.delete(drawn["A"], 2)

        assert self.shown(third)["A"][0]["label"] == "T1"

    def test_a_mark_on_images_that_are_not_granted_is_left_out(
        self, reading: Reading, drawn: dict[str, UUID], clean_exam: Exams
    ) -> None:
        elsewhere = reading.sender.deliver(clean_exam(slices=2, subject="S-002"))["exam_id"]

        third = self.adjudicator(reading, drawn, exam_ids=[UUID(elsewhere)])

        assert self.shown(third) == {"A": [], "B": []}

    def test_a_mark_on_a_single_image_that_is_not_granted_is_left_out(
        self, reading: Reading, drawn: dict[str, UUID]
    ) -> None:
        with acting_as(reading.reader.principal):
            others = Instance.objects.exclude(sop_instance_uid=reading.exam.rod_instance_uid)
            only = list(others.values_list("id", flat=True))

        third = self.adjudicator(reading, drawn, instance_ids=only)

        assert self.shown(third) == {"A": [], "B": []}

    def test_another_principals_layers_are_not_found(self, reading: Reading, drawn: dict[str, UUID]) -> None:
        third, stranger = self.adjudicator(reading, drawn), self.colleague(reading)

        assert stranger.browser.get(f"/api/v1/grants/{third.grant_id}/marks").status_code == 404
        assert self.shown(stranger) == {}

    def test_a_mark_of_a_layer_is_neither_changed_nor_struck_through_it(
        self, reading: Reading, drawn: dict[str, UUID]
    ) -> None:
        third = self.adjudicator(reading, drawn)
        shown_id = UUID(self.shown(third)["A"][0]["mark_id"])

        answers = [
            third.delete(drawn["A"], 1),
            third.delete(shown_id, 1),
            third.put(third.rod(base_revision=1), drawn["A"]),
            third.put(third.rod(base_revision=1), shown_id),
        ]

        assert [one.status_code for one in answers][:3] == [404, 404, 404]
        assert answers[3].status_code == 409
        assert [one["revision"] for one in reading.listed()] == [1]
        assert self.shown(third)["A"][0]["value"] == "40.00"

    def test_a_mark_of_another_tenant_or_none_cannot_be_named(
        self, reading: Reading, drawn: dict[str, UUID]
    ) -> None:
        foreign = enrolled(reading.sender.client, new_world())
        exam_id = foreign.deliver(reading.exam)["exam_id"]
        theirs = Reading(foreign, reading.exam, exam_id, foreign.world.join("Reader"))

        for key in ((drawn["A"], 1), (uuid7(), 1)):
            with pytest.raises(MarkNotFound):
                theirs.grant(layers=[Layer("A", (key,))])
        with pytest.raises(MarkNotFound):
            reading.grant(layers=[Layer("A", ((drawn["A"], 2),))])

    @pytest.mark.parametrize("names", [("A", "A"), ("",), ("A" * 41,)])
    def test_layers_need_different_short_names(self, reading: Reading, names: tuple[str, ...]) -> None:
        with pytest.raises(GrantInvalid):
            reading.grant(layers=[Layer(name, ()) for name in names])


@pytest.mark.requirement("R28")
def test_nothing_is_drawn_on_an_earlier_timepoint_whatever_the_page_sends(
    reading: Reading, clean_exam: Exams
) -> None:
    later = UUID(reading.sender.deliver(clean_exam(slices=3, seed=2, subject="S-002"))["exam_id"])
    both = [UUID(reading.exam_id), later]

    reading.grant_id = reading.grant(exam_ids=both, earlier=[both[0]])
    refused = reading.put(reading.rod())
    reading.grant_id = reading.grant(exam_ids=both, earlier=[later])
    drawn = reading.put(reading.rod())

    assert (refused.status_code, refused.json()["code"]) == (403, "grants.grant.only_shown")
    assert drawn.status_code == 200
    assert len(reading.listed()) == 1


@pytest.mark.requirement("R28")
def test_a_mark_is_not_moved_to_an_earlier_timepoint(reading: Reading, clean_exam: Exams) -> None:
    later = UUID(reading.sender.deliver(clean_exam(slices=3, seed=2, subject="S-002"))["exam_id"])
    both, mark_id = [UUID(reading.exam_id), later], uuid7()
    reading.grant_id = reading.grant(exam_ids=both)
    assert reading.put(reading.rod(), mark_id).status_code == 200

    reading.grant_id = reading.grant(exam_ids=both, earlier=[both[0]])
    refused = reading.put(reading.rod(base_revision=1), mark_id)

    assert refused.status_code == 403
    assert [one["revision"] for one in reading.listed()] == [1]
