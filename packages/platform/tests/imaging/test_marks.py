"""A drawn length or pair of diameters: computed here, versioned, idempotent, in the archive's own UIDs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.test import Client as Browser

from collegium.imaging.marks import queries as marks
from collegium.imaging.marks.models import MarkRevision
from collegium.kit.database import acting_as
from collegium.kit.ids import uuid7
from collegium_testkit.drawing import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium_testkit.delivering import CleanExam

    Exams = Callable[..., CleanExam]

pytestmark = [pytest.mark.requirement("R53"), pytest.mark.usefixtures("grant_addresses")]


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
