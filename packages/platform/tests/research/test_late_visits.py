"""A visit that comes late waits for a person, and is read again, out of sequence or left out (decision 0037)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collegium.kit.database import acting_as
from collegium.kit.errors import NotFound, Refused
from collegium.research.pipeline import queries, services
from collegium.research.pipeline.errors import (
    DecisionNotNeeded,
    LaterIsWithAnother,
    TaskNotOpen,
)
from collegium.research.pipeline.lateness import Late
from collegium.research.pipeline.states import OVERTAKEN
from collegium.research.results import services as results
from collegium.trust.audit import queries as audit
from collegium_testkit.committee import gathered
from collegium_testkit.visits import (
    BASELINE,
    FITS_NOTHING,
    FOUR,
    THREE,
    WEEK8_ON,
    WEEK16_ON,
    decide,
    exams_shown,
    place,
    shown,
    take_back,
    told,
    unplaced,
)
from collegium_testkit.world import new_world

if TYPE_CHECKING:
    from collegium.research.pipeline.models import Task
    from collegium_testkit.beginnings import Beginnings
    from collegium_testkit.committee import Committee
    from collegium_testkit.world import World

    Held = tuple[Committee, list[Task]]


def baseline_read(text: str = THREE, readers: int = 3) -> Committee:
    """Baseline is signed by both readers."""
    committee = gathered(new_world(), text, readers=readers)
    for task in committee.until_reading(study_date=BASELINE):
        committee.do(task, response="SD")
    return committee


def late_week8(text: str = THREE, readers: int = 3) -> Held:
    """Baseline and week 16 are signed by both readers; then week 8 comes and is accepted. Its held tasks."""
    committee = baseline_read(text, readers)
    for task in committee.until_reading(study_date=WEEK16_ON):
        committee.do(task, response="SD")
    committee.until_reading(study_date=WEEK8_ON)
    return committee, committee.visit("week8")


@pytest.fixture
def committee(beginnings: Beginnings) -> Committee:
    return beginnings.begin(baseline_read)


@pytest.fixture
def overtaken(beginnings: Beginnings) -> Held:
    return beginnings.begin(late_week8)


@pytest.mark.requirement("R28")
def test_a_late_visit_waits_for_a_person_when_its_readers_signed_a_later_one(
    overtaken: Held,
) -> None:
    committee, held = overtaken

    assert [(task.state, task.note) for task in held] == [("waiting", OVERTAKEN)] * 2
    with pytest.raises(TaskNotOpen):
        committee.open(held[0])
    assert "visit_late" in told(committee, "qc")
    assert "visit_late" in told(committee, "")
    assert "visit_late" not in told(committee, committee.who(held[0]))


@pytest.mark.requirement("R28")
def test_a_later_visit_that_was_only_begun_holds_a_late_one_too(committee: Committee) -> None:
    begun, _ = committee.until_reading(study_date=WEEK16_ON)
    committee.open(begun)

    committee.until_reading(study_date=WEEK8_ON)

    states = {task.assignee: (task.state, task.note) for task in committee.visit("week8")}
    assert states.pop(begun.assignee) == ("waiting", OVERTAKEN)
    assert [state for state, _ in states.values()] == ["open"]


@pytest.mark.requirement("R28")
def test_what_an_older_version_began_holds_a_late_visit_though_it_is_cancelled(committee: Committee) -> None:
    begun, _ = committee.until_reading(study_date=WEEK16_ON)
    committee.open(begun)

    with committee.acting() as actor:
        queries.tasks(actor).filter(id=begun.id).update(begun_at=None)
        services.cancel_task(actor=actor, task_id=begun.id, reason="Mistake.")
    committee.until_reading(study_date=WEEK8_ON)

    held = [task.assignee for task in committee.visit("week8") if task.note == OVERTAKEN]
    assert held == [begun.assignee]


@pytest.mark.requirement("R28")
def test_an_earlier_visit_that_comes_before_anybody_began_the_later_one_just_opens(
    committee: Committee,
) -> None:
    committee.until_reading(study_date=WEEK16_ON)

    committee.until_reading(study_date=WEEK8_ON)

    assert [task.state for task in committee.visit("week8")] == ["open", "open"]
    assert [task.state for task in committee.visit("week16")] == ["waiting", "waiting"]


@pytest.mark.requirement("R28", "R72")
def test_read_again_supersedes_the_later_reads_and_they_wait_in_sequence(
    overtaken: Held,
) -> None:
    committee, held = overtaken
    before = committee.visit("week16")

    decide(committee, held[0], Late.AGAIN)

    assert [task.state for task in committee.visit("week8")] == ["open", "open"]
    assert [(task.run, task.state) for task in committee.visit("week16")] == [(2, "waiting")] * 2
    assert {task.assignee for task in committee.visit("week16")} == {task.assignee for task in before}
    committee.do(committee.visit("week8")[0], response="PR")
    assert [task.state for task in committee.visit("week16")] == ["open", "waiting"]


@pytest.mark.requirement("R28")
def test_read_out_of_sequence_stands_in_the_results(overtaken: Held) -> None:
    committee, held = overtaken

    decide(committee, held[0], Late.OUT)
    for task in committee.visit("week8"):
        committee.do(task, response="SD")

    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        actor = committee.world.actor()
        rows = results.view_results(actor=actor, step="reading").rows
        final = results.view_results(actor=actor, step="final.adjudication").rows
    assert {(row.visit, row.is_out_of_sequence) for row in rows} == {
        ("baseline", False), ("week8", True), ("week16", False),
    }  # fmt: skip
    assert {row.visit for row in final if row.is_out_of_sequence} == {"week8"}
    assert [task.state for task in committee.visit("week16")] == ["signed", "signed"]


@pytest.mark.requirement("R28")
def test_left_out_is_cancelled_shown_nowhere_and_in_nobodys_way() -> None:
    committee, held = late_week8(FOUR, readers=2)

    decide(committee, held[0], Late.LEAVE_OUT)
    later = committee.until_reading(study_date="20240620")

    assert committee.visit("week8") == []
    assert {task.unit.visit.code for task in later if task.unit.visit} == {"week24"}
    assert len(exams_shown(committee, later[0])) == 3


def late_for_one(committee: Committee) -> tuple[Task, Task]:
    """One of two readers began week 16; then week 8 comes. The read that was begun, and the one that waits."""
    begun, _ = committee.until_reading(study_date=WEEK16_ON)
    committee.open(begun)
    committee.until_reading(study_date=WEEK8_ON)
    (held,) = [task for task in committee.visit("week8") if task.note == OVERTAKEN]
    return begun, held


@pytest.mark.requirement("R28")
def test_a_late_visit_that_another_reader_has_open_is_not_shown_to_who_waits(committee: Committee) -> None:
    begun, _ = late_for_one(committee)

    codes = [one.code for one in shown(committee, committee.now(begun))]

    assert "open" in {task.state for task in committee.visit("week8")}
    assert codes == ["baseline", "week16"]


@pytest.mark.requirement("R28")
def test_what_was_left_out_for_one_reader_never_stands_beside_their_later_read(committee: Committee) -> None:
    begun, held = late_for_one(committee)

    decide(committee, held, Late.LEAVE_OUT)
    committee.open(begun)

    assert [one.code for one in shown(committee, committee.now(begun))] == ["baseline", "week16"]


@pytest.mark.requirement("R28")
def test_a_held_visit_opens_when_it_is_given_to_somebody_who_saw_nothing_later(world: World) -> None:
    committee = gathered(world, THREE, readers=3)
    exam_id = committee.arrive(study_date=BASELINE)
    take_back(committee, exam_id)
    place(committee, exam_id, "week16")
    committee.do(committee.tasks(step="eligibility")[0], eligible="yes")
    committee.do(committee.visit("week16", "qc")[0], verdict="accept")
    begun = committee.visit("week16")[0]
    committee.open(begun)
    with committee.acting() as actor:
        services.cancel_task(actor=actor, task_id=begun.id, reason="Mistake.")
    committee.until_reading(study_date=FITS_NOTHING)
    baseline = committee.visit("baseline")
    (held,) = [task for task in baseline if task.note == OVERTAKEN]
    taken = {committee.who(task) for task in baseline}
    (fresh,) = {"reader1", "reader2", "reader3"} - taken

    with committee.acting() as actor:
        services.reassign_task(
            actor=actor, task_id=held.id, to=committee.people[fresh].principal, reason="Fresh eyes."
        )

    assert (committee.now(held).state, committee.now(held).note) == ("open", "")


@pytest.mark.requirement("R28")
def test_a_decision_stands_in_the_history_with_its_reason(overtaken: Held) -> None:
    committee, held = overtaken

    decide(committee, held[1], Late.OUT)

    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        actor = committee.world.actor()
        lines = [line for task in held for line in audit.history(actor, "research.task", task.id)]
    reasons = [line.reason for line in lines if line.action == "research.task.late_decided"]
    assert reasons == ["Sent by post."] * 2


def test_what_was_decided_or_placed_waits_in_nobodys_bell(overtaken: Held) -> None:
    committee, held = overtaken
    left = unplaced(committee, FITS_NOTHING)
    before = told(committee, "qc")

    decide(committee, held[0], Late.OUT)
    place(committee, left.exam_id, "baseline", "qc")

    assert {"visit_late", "exam_unplaced"} <= before
    assert not {"visit_late", "exam_unplaced"} & told(committee, "qc")


def test_a_decision_is_made_once(overtaken: Held) -> None:
    committee, held = overtaken
    decide(committee, held[0], Late.OUT)

    with pytest.raises(DecisionNotNeeded):
        decide(committee, held[1], Late.LEAVE_OUT)


def test_a_condition_cannot_be_overruled_in_place_of_that_decision(
    overtaken: Held,
) -> None:
    committee, held = overtaken

    with (
        acting_as(committee.world.administrator.principal, [committee.world.space_id]),
        pytest.raises(DecisionNotNeeded),
    ):
        services.open_anyway(actor=committee.world.actor(), task_id=held[0].id, reason="Go on.")


def test_only_who_places_decides_and_only_for_their_own_site(overtaken: Held) -> None:
    committee, held = overtaken
    committee.people["other"] = committee.world.join("Data manager")
    committee.at_site(committee.people["other"], "02")

    with pytest.raises(NotFound):
        decide(committee, held[0], Late.OUT, "other")
    with pytest.raises(Refused):
        decide(committee, held[0], Late.OUT, committee.who(held[0]))
    decide(committee, held[0], Late.OUT, "qc")
    assert [task.state for task in committee.visit("week8")] == ["open", "open"]


def test_what_somebody_else_has_now_cannot_be_read_again_by_who_saw_it(committee: Committee) -> None:
    begun, _ = committee.until_reading(study_date=WEEK16_ON)
    committee.open(begun)
    reader = committee.people[committee.who(begun)]
    with acting_as(reader.principal, [committee.world.space_id]):
        services.hand_back(actor=committee.world.actor(reader), task_id=begun.id, reason="Ill today.")
    committee.until_reading(study_date=WEEK8_ON)
    held = [task for task in committee.visit("week8") if task.assignee == begun.assignee]
    if not held:  # the slot went with its new person, who has seen nothing
        assert all(task.note != OVERTAKEN for task in committee.visit("week8"))
        return

    with pytest.raises(LaterIsWithAnother):
        decide(committee, held[0], Late.AGAIN)


def test_the_page_decides_about_a_late_visit(overtaken: Held) -> None:
    committee, held = overtaken
    browser, address = committee.browser(), f"/projects/{committee.world.space_id}/visits/"

    assert "Week 8" in browser.get(address).content.decode()
    done = browser.post(
        address, {"act": "decide", "id": held[0].id, "decision": "out", "reason": "The disc came by post."}
    )

    assert done.status_code == 302
    assert [task.state for task in committee.visit("week8")] == ["open", "open"]
