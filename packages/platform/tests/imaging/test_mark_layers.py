"""Marks of two readers, shown to a third without a word of who drew them and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from collegium.imaging.archive.models import Instance
from collegium.imaging.grants.errors import GrantInvalid
from collegium.imaging.grants.layers import Layer
from collegium.imaging.grants.models import ViewGrant
from collegium.imaging.grants.queries import shown_mark
from collegium.imaging.marks.errors import MarkNotFound
from collegium.imaging.marks.models import MarkRevision
from collegium.kit.database import acting_as
from collegium.kit.ids import uuid7
from collegium_testkit.delivering import enrolled
from collegium_testkit.drawing import Reading
from collegium_testkit.world import new_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium_testkit.delivering import CleanExam

    Exams = Callable[..., CleanExam]

pytestmark = [pytest.mark.requirement("R53"), pytest.mark.usefixtures("grant_addresses")]


@pytest.fixture
def drawn(reading: Reading) -> dict[str, UUID]:
    """Two readers' marks for tasks of their own: a length and two diameters."""
    other = colleague(reading, owner="task:2")
    marks_of = {"A": uuid7(), "B": uuid7()}
    reading.put(reading.rod(label="T1"), marks_of["A"])
    other.put(other.diameters(label="T2"), marks_of["B"])
    return marks_of


def colleague(reading: Reading, **changes: Any) -> Reading:  # Any: as `issue` takes
    reader = reading.sender.world.join("Reader")
    made = Reading(reading.sender, reading.exam, reading.exam_id, reader)
    made.grant_id = made.grant(**changes)
    return made


def adjudicator(reading: Reading, drawn: dict[str, UUID], **changes: Any) -> Reading:  # Any: the same
    layers = [Layer(name, ((mark_id, 1),)) for name, mark_id in drawn.items()]
    return colleague(reading, **({"owner": "task:3", "layers": layers} | changes))


def layers_of(reading: Reading) -> dict[str, list[dict[str, Any]]]:  # Any: JSON
    answer = reading.browser.get(f"/api/v1/grants/{reading.grant_id}/marks").json()
    return {layer["name"]: layer["marks"] for layer in answer["layers"]}


def test_each_layer_has_its_marks_where_they_were_drawn(reading: Reading, drawn: dict[str, UUID]) -> None:
    third = adjudicator(reading, drawn)

    shown = layers_of(third)

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
def test_a_layer_tells_neither_who_nor_when_nor_any_true_id(reading: Reading, drawn: dict[str, UUID]) -> None:
    third = adjudicator(reading, drawn)

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


def test_the_page_can_name_a_mark_of_a_layer_for_the_viewer(reading: Reading, drawn: dict[str, UUID]) -> None:
    third = adjudicator(reading, drawn)

    with acting_as(third.reader.principal):
        grant = ViewGrant.objects.get(id=third.grant_id)
        named = {name: str(shown_mark(grant, name, mark_id)) for name, mark_id in drawn.items()}

    assert named == {name: one["mark_id"] for name, (one,) in layers_of(third).items()}


def test_one_mark_has_another_id_in_every_layer_and_grant(reading: Reading, drawn: dict[str, UUID]) -> None:
    twice = {"A": drawn["A"], "B": drawn["A"]}
    first, second = adjudicator(reading, twice), adjudicator(reading, twice)

    found = [one["mark_id"] for each in (first, second) for (one,) in layers_of(each).values()]

    assert len({*found, str(drawn["A"])}) == 5


def test_a_layer_shows_the_named_revision_whatever_came_later(
    reading: Reading, drawn: dict[str, UUID]
) -> None:
    third = adjudicator(reading, drawn)

    reading.put(reading.rod(base_revision=1, label="T9"), drawn["A"])
    reading.delete(drawn["A"], 2)

    assert layers_of(third)["A"][0]["label"] == "T1"


def test_a_mark_on_images_that_are_not_granted_is_left_out(
    reading: Reading, drawn: dict[str, UUID], clean_exam: Exams
) -> None:
    elsewhere = reading.sender.deliver(clean_exam(slices=2, subject="S-002"))["exam_id"]

    third = adjudicator(reading, drawn, exam_ids=[UUID(elsewhere)])

    assert layers_of(third) == {"A": [], "B": []}


def test_a_mark_on_a_single_image_that_is_not_granted_is_left_out(
    reading: Reading, drawn: dict[str, UUID]
) -> None:
    with acting_as(reading.reader.principal):
        others = Instance.objects.exclude(sop_instance_uid=reading.exam.rod_instance_uid)
        only = list(others.values_list("id", flat=True))

    third = adjudicator(reading, drawn, instance_ids=only)

    assert layers_of(third) == {"A": [], "B": []}


def test_another_principals_layers_are_not_found(reading: Reading, drawn: dict[str, UUID]) -> None:
    third, stranger = adjudicator(reading, drawn), colleague(reading)

    assert stranger.browser.get(f"/api/v1/grants/{third.grant_id}/marks").status_code == 404
    assert layers_of(stranger) == {}


def test_a_mark_of_a_layer_is_neither_changed_nor_struck_through_it(
    reading: Reading, drawn: dict[str, UUID]
) -> None:
    third = adjudicator(reading, drawn)
    shown_id = UUID(layers_of(third)["A"][0]["mark_id"])

    answers = [
        third.delete(drawn["A"], 1),
        third.delete(shown_id, 1),
        third.put(third.rod(base_revision=1), drawn["A"]),
        third.put(third.rod(base_revision=1), shown_id),
    ]

    assert [one.status_code for one in answers][:3] == [404, 404, 404]
    assert answers[3].status_code == 409
    assert [one["revision"] for one in reading.listed()] == [1]
    assert layers_of(third)["A"][0]["value"] == "40.00"


def test_a_mark_of_another_tenant_or_none_cannot_be_named(reading: Reading, drawn: dict[str, UUID]) -> None:
    foreign = enrolled(reading.sender.client, new_world())
    exam_id = foreign.deliver(reading.exam)["exam_id"]
    theirs = Reading(foreign, reading.exam, exam_id, foreign.world.join("Reader"))

    for key in ((drawn["A"], 1), (uuid7(), 1)):
        with pytest.raises(MarkNotFound):
            theirs.grant(layers=[Layer("A", (key,))])
    with pytest.raises(MarkNotFound):
        reading.grant(layers=[Layer("A", ((drawn["A"], 2),))])


@pytest.mark.parametrize("names", [("A", "A"), ("",), ("A" * 41,)])
def test_layers_need_different_short_names(reading: Reading, names: tuple[str, ...]) -> None:
    with pytest.raises(GrantInvalid):
        reading.grant(layers=[Layer(name, ()) for name in names])
