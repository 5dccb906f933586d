"""Visits that come late, exams that no rule can place, and images that are not let in (decision 0037)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from collegium.kit.database import acting_as
from collegium.kit.errors import NotFound, Refused
from collegium.notifications import queries as notifications
from collegium.research.pipeline import lateness, placing, queries, services, visit_pages
from collegium.research.pipeline.errors import (
    AlreadyPlaced,
    DecisionNotNeeded,
    LaterIsWithAnother,
    NotPlaced,
    ReasonNeeded,
    TaskNotOpen,
    VisitBegun,
    VisitUnknown,
)
from collegium.research.pipeline.lateness import Late
from collegium.research.pipeline.models import Unplaced
from collegium.research.pipeline.states import OVERTAKEN
from collegium.research.projects.people import conflict_of
from collegium.research.reads import services as reads
from collegium.research.reads.errors import NewImages
from collegium.research.results import services as results
from collegium.trust.audit import queries as audit
from collegium_testkit.committee import TEXT, Committee
from collegium_testkit.study import stored_exam
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.research.pipeline.models import ExamPlacement, Task
    from collegium_testkit.world import World

WEEK_16 = "  - {code: week16, label: {en: Week 16}, days: [90, 140]}\n"
THREE = TEXT.replace("days: [40, 80]}\n", "days: [40, 80]}\n" + WEEK_16)
FOUR = THREE.replace(WEEK_16, WEEK_16 + "  - {code: week24, label: {en: Week 24}, days: [150, 200]}\n")
OVERLAPPING = TEXT.replace("days: [40, 80]}\n", "days: [40, 80]}\n" + WEEK_16.replace("90, 140", "70, 140"))
BASELINE, WEEK8_ON, WEEK16_ON, FITS_NOTHING = "20240105", "20240301", "20240420", "20240108"


@pytest.fixture
def committee(world: World) -> Committee:
    gathered = Committee(world)
    gathered.gather(THREE, readers=3)
    return gathered


def unplaced(
    committee: Committee, study_date: str, subject: str = "S-001", site: str = "01"
) -> ExamPlacement:
    """An exam arrives that finds no visit."""
    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        exam_id = stored_exam(committee.world, subject, study_date)
        return services.place_exam(
            actor=committee.world.actor(), exam_id=exam_id, subject_code=subject, site_code=site
        )


def place(
    committee: Committee, exam_id: UUID, code: str, who: str = "", reason: str = "The site says so."
) -> None:
    person = committee.people[who] if who else committee.world.administrator
    with acting_as(person.principal, [committee.world.space_id]):
        placing.place_by_hand(
            actor=committee.world.actor(person), exam_id=exam_id, visit_code=code, reason=reason
        )


def take_back(committee: Committee, exam_id: UUID, who: str = "") -> None:
    person = committee.people[who] if who else committee.world.administrator
    with acting_as(person.principal, [committee.world.space_id]):
        placing.take_back(actor=committee.world.actor(person), exam_id=exam_id, reason="The wrong one.")


def decide(committee: Committee, task: Task, decision: Late, who: str = "") -> None:
    person = committee.people[who] if who else committee.world.administrator
    with acting_as(person.principal, [committee.world.space_id]):
        lateness.decide_late_visit(
            actor=committee.world.actor(person), task_id=task.id, decision=decision, reason="Sent by post."
        )


def shown(committee: Committee, task: Task) -> list[queries.ShownVisit]:
    """The timepoints that a task shows now."""
    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        return queries.visits_shown(task)


def exams_shown(committee: Committee, task: Task) -> list[UUID]:
    return [exam_id for one in shown(committee, task) for exam_id in one.exam_ids]


def told(committee: Committee, who: str) -> set[str]:
    person = committee.people[who] if who else committee.world.administrator
    with acting_as(person.principal):
        return {str(one.kind) for one in notifications.lines(person.principal) if not one.is_done}


def late_week8(committee: Committee) -> list[Task]:
    """Baseline and week 16 are signed by both readers; then week 8 comes and is accepted. Its held tasks."""
    for code_on in (BASELINE, WEEK16_ON):
        for task in committee.until_reading(study_date=code_on):
            committee.do(task, response="SD")
    committee.until_reading(study_date=WEEK8_ON)
    return committee.visit("week8")


# A visit that comes late (R28)


@pytest.mark.requirement("R28")
def test_a_late_visit_waits_for_a_person_when_its_readers_signed_a_later_one(committee: Committee) -> None:
    held = late_week8(committee)

    assert [(task.state, task.note) for task in held] == [("waiting", OVERTAKEN)] * 2
    with pytest.raises(TaskNotOpen):
        committee.open(held[0])
    assert "visit_late" in told(committee, "qc")
    assert "visit_late" in told(committee, "")
    assert "visit_late" not in told(committee, committee.who(held[0]))


@pytest.mark.requirement("R28")
def test_a_later_visit_that_was_only_begun_holds_a_late_one_too(committee: Committee) -> None:
    for task in committee.until_reading(study_date=BASELINE):
        committee.do(task, response="SD")
    begun, _ = committee.until_reading(study_date=WEEK16_ON)
    committee.open(begun)

    committee.until_reading(study_date=WEEK8_ON)

    states = {task.assignee: (task.state, task.note) for task in committee.visit("week8")}
    assert states.pop(begun.assignee) == ("waiting", OVERTAKEN)
    assert [state for state, _ in states.values()] == ["open"]


@pytest.mark.requirement("R28")
def test_what_an_older_version_began_holds_a_late_visit_though_it_is_cancelled(committee: Committee) -> None:
    for task in committee.until_reading(study_date=BASELINE):
        committee.do(task, response="SD")
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
    for task in committee.until_reading(study_date=BASELINE):
        committee.do(task, response="SD")
    committee.until_reading(study_date=WEEK16_ON)

    committee.until_reading(study_date=WEEK8_ON)

    assert [task.state for task in committee.visit("week8")] == ["open", "open"]
    assert [task.state for task in committee.visit("week16")] == ["waiting", "waiting"]


@pytest.mark.requirement("R28", "R72")
def test_read_again_supersedes_the_later_reads_and_they_wait_in_sequence(committee: Committee) -> None:
    held = late_week8(committee)
    before = committee.visit("week16")

    decide(committee, held[0], Late.AGAIN)

    assert [task.state for task in committee.visit("week8")] == ["open", "open"]
    assert [(task.run, task.state) for task in committee.visit("week16")] == [(2, "waiting")] * 2
    assert {task.assignee for task in committee.visit("week16")} == {task.assignee for task in before}
    committee.do(committee.visit("week8")[0], response="PR")
    assert [task.state for task in committee.visit("week16")] == ["open", "waiting"]


@pytest.mark.requirement("R28")
def test_read_out_of_sequence_stands_in_the_results(committee: Committee) -> None:
    held = late_week8(committee)

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
def test_left_out_is_cancelled_shown_nowhere_and_in_nobodys_way(world: World) -> None:
    committee = Committee(world)
    committee.gather(FOUR)
    held = late_week8(committee)

    decide(committee, held[0], Late.LEAVE_OUT)
    later = committee.until_reading(study_date="20240620")

    assert committee.visit("week8") == []
    assert {task.unit.visit.code for task in later if task.unit.visit} == {"week24"}
    assert len(exams_shown(committee, later[0])) == 3


def late_for_one(committee: Committee) -> tuple[Task, Task]:
    """One of two readers began week 16; then week 8 comes. The read that was begun, and the one that waits."""
    for task in committee.until_reading(study_date=BASELINE):
        committee.do(task, response="SD")
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
def test_a_held_visit_opens_when_it_is_given_to_somebody_who_saw_nothing_later(committee: Committee) -> None:
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
def test_a_decision_stands_in_the_history_with_its_reason(committee: Committee) -> None:
    held = late_week8(committee)

    decide(committee, held[1], Late.OUT)

    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        actor = committee.world.actor()
        lines = [line for task in held for line in audit.history(actor, "research.task", task.id)]
    reasons = [line.reason for line in lines if line.action == "research.task.late_decided"]
    assert reasons == ["Sent by post."] * 2


def test_what_was_decided_or_placed_waits_in_nobodys_bell(committee: Committee) -> None:
    held = late_week8(committee)
    left = unplaced(committee, FITS_NOTHING)
    before = told(committee, "qc")

    decide(committee, held[0], Late.OUT)
    place(committee, left.exam_id, "baseline", "qc")

    assert {"visit_late", "exam_unplaced"} <= before
    assert not {"visit_late", "exam_unplaced"} & told(committee, "qc")


def test_a_decision_is_made_once(committee: Committee) -> None:
    held = late_week8(committee)
    decide(committee, held[0], Late.OUT)

    with pytest.raises(DecisionNotNeeded):
        decide(committee, held[1], Late.LEAVE_OUT)


def test_a_condition_cannot_be_overruled_in_place_of_that_decision(committee: Committee) -> None:
    held = late_week8(committee)

    with (
        acting_as(committee.world.administrator.principal, [committee.world.space_id]),
        pytest.raises(DecisionNotNeeded),
    ):
        services.open_anyway(actor=committee.world.actor(), task_id=held[0].id, reason="Go on.")


def test_only_who_places_decides_and_only_for_their_own_site(committee: Committee) -> None:
    held = late_week8(committee)
    committee.people["other"] = committee.world.join("Data manager")
    committee.at_site(committee.people["other"], "02")

    with pytest.raises(NotFound):
        decide(committee, held[0], Late.OUT, "other")
    with pytest.raises(Refused):
        decide(committee, held[0], Late.OUT, committee.who(held[0]))
    decide(committee, held[0], Late.OUT, "qc")
    assert [task.state for task in committee.visit("week8")] == ["open", "open"]


def test_what_somebody_else_has_now_cannot_be_read_again_by_who_saw_it(committee: Committee) -> None:
    for task in committee.until_reading(study_date=BASELINE):
        committee.do(task, response="SD")
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


# Exams without a visit (I08)


@pytest.mark.requirement("I08")
def test_exams_that_waited_for_the_project_file_are_placed_from_the_earliest_on(world: World) -> None:
    committee = Committee(world)
    early, late = unplaced(committee, BASELINE), unplaced(committee, WEEK8_ON)

    committee.gather()
    with committee.acting() as actor:
        found = services.place_waiting_exams(actor=actor)
        placed = {one.exam_id: one.visit and one.visit.code for one in queries.placements(actor)}

    assert found == 2
    assert placed == {early.exam_id: "baseline", late.exam_id: "week8"}


@pytest.mark.requirement("I08")
@pytest.mark.parametrize(
    ("study_date", "why"),
    [(FITS_NOTHING, Unplaced.NO_VISIT), ("20240101", Unplaced.BEFORE_FIRST), ("", Unplaced.NO_DATE)],
)
def test_an_exam_that_fits_no_visit_is_kept_and_told(
    committee: Committee, study_date: str, why: Unplaced
) -> None:
    committee.arrive(study_date=BASELINE)

    left = unplaced(committee, study_date)

    assert (left.unplaced, left.visit) == (why, None)
    assert "exam_unplaced" in told(committee, "qc")
    assert "exam_unplaced" not in told(committee, "reader1")


@pytest.mark.requirement("I08")
def test_an_exam_between_two_windows_is_not_guessed_unless_its_day_is_known(world: World) -> None:
    committee = Committee(world)
    committee.gather(OVERLAPPING)
    committee.arrive(study_date=BASELINE)

    first = unplaced(committee, "20240320")
    place(committee, first.exam_id, "week16")
    again = unplaced(committee, "20240320")

    assert first.unplaced == Unplaced.AMBIGUOUS
    assert again.visit
    assert again.visit.code == "week16"


@pytest.mark.requirement("I07", "I09")
def test_a_rescan_of_another_day_is_placed_by_hand_and_checked_again(committee: Committee) -> None:
    committee.arrive(study_date=BASELINE)
    committee.do(committee.tasks(step="eligibility")[0], eligible="yes")
    committee.do(committee.tasks(step="qc")[0], verdict="correct")
    rescan = unplaced(committee, FITS_NOTHING)

    place(committee, rescan.exam_id, "baseline", "qc")

    assert committee.states("qc") == ["superseded", "open"]
    assert committee.tasks(step="qc")[0].has_late_images
    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        (line,) = [
            one
            for one in audit.history(committee.world.actor(), "research.exam", rescan.exam_id)
            if one.action == "research.exam.placed"
        ]
    assert line.reason == "The site says so."


@pytest.mark.requirement("I09")
def test_visits_that_came_in_the_wrong_order_are_put_right_by_hand(committee: Committee) -> None:
    later = committee.arrive(study_date=WEEK8_ON)
    earlier = unplaced(committee, BASELINE)
    assert earlier.unplaced == Unplaced.BEFORE_FIRST

    take_back(committee, later)
    place(committee, earlier.exam_id, "baseline")
    place(committee, later, "week8")

    committee.do(committee.tasks(step="eligibility")[0], eligible="yes")
    assert [task.state for task in committee.visit("baseline", "qc")] == ["open"]
    assert [task.state for task in committee.visit("week8", "qc")] == ["open"]
    for task in [*committee.visit("baseline", "qc"), *committee.visit("week8", "qc")]:
        committee.do(task, verdict="accept")
    assert [task.state for task in committee.visit("baseline")] == ["open", "open"]
    assert [task.state for task in committee.visit("week8")] == ["waiting", "waiting"]
    assert [len(exams_shown(committee, task)) for task in committee.visit("week8")] == [2, 2]


def test_what_was_taken_back_is_placed_by_a_person_only(committee: Committee) -> None:
    exam_id = committee.arrive(study_date=BASELINE)
    take_back(committee, exam_id, "qc")

    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        found = services.place_waiting_exams(actor=committee.world.actor())

    assert found == 0
    assert committee.visit("baseline", "qc") == []
    place(committee, exam_id, "baseline")
    assert [task.run for task in committee.visit("baseline", "qc")] == [2]


def test_an_exam_beside_another_is_taken_back_without_the_visits_tasks(committee: Committee) -> None:
    committee.arrive(study_date=BASELINE)
    second = committee.arrive(study_date=BASELINE)

    take_back(committee, second)

    assert [task.run for task in committee.visit("baseline", "qc")] == [1]
    assert len(exams_shown(committee, committee.visit("baseline")[0])) == 1


def test_an_exam_stays_once_a_task_on_it_was_begun(committee: Committee) -> None:
    exam_id = committee.arrive(study_date=BASELINE)
    committee.do(committee.tasks(step="eligibility")[0], eligible="yes")
    committee.open(committee.tasks(step="qc")[0])

    with pytest.raises(VisitBegun):
        take_back(committee, exam_id)


def test_placing_by_hand_says_why_where_and_once(committee: Committee) -> None:
    committee.arrive(study_date=BASELINE)
    left = unplaced(committee, FITS_NOTHING)

    with pytest.raises(ReasonNeeded):
        place(committee, left.exam_id, "baseline", reason=" ")
    with pytest.raises(VisitUnknown):
        place(committee, left.exam_id, "week99")
    with pytest.raises(NotPlaced):
        take_back(committee, left.exam_id)
    place(committee, left.exam_id, "baseline")
    with pytest.raises(AlreadyPlaced):
        place(committee, left.exam_id, "week8")


def test_exams_of_another_site_are_placed_by_its_own_people(committee: Committee) -> None:
    committee.arrive("S-002", BASELINE, site="02")
    left = unplaced(committee, FITS_NOTHING, "S-002", site="02")

    with pytest.raises(NotFound):
        place(committee, left.exam_id, "baseline", "qc")
    with pytest.raises(Refused):
        place(committee, left.exam_id, "baseline", "reader1")


# The page


def as_person(committee: Committee, who: str = "") -> Client:
    person = committee.people[who] if who else committee.world.administrator
    browser = Client()
    assert browser.login(email=person.email, password=PASSWORD)
    return browser


def test_the_page_lists_what_waits_and_places_it(committee: Committee) -> None:
    committee.arrive(study_date=BASELINE)
    left = unplaced(committee, FITS_NOTHING)
    browser, address = as_person(committee, "qc"), f"/projects/{committee.world.space_id}/visits/"

    page = browser.get(address).content.decode()
    refused = browser.post(address, {"act": "place", "id": left.exam_id, "visit": "baseline", "reason": ""})
    done = browser.post(
        address, {"act": "place", "id": left.exam_id, "visit": "baseline", "reason": "A second scan."}
    )

    assert "S-001" in page
    assert "2.25." not in page
    assert FITS_NOTHING not in page
    assert (refused.status_code, done.status_code) == (422, 302)
    assert "Placed by hand" in browser.get(address).content.decode()
    assert browser.post(address, {"act": "take-back", "id": left.exam_id, "reason": "No."}).status_code == 302


def test_the_page_says_how_many_more_exams_wait(
    committee: Committee, monkeypatch: pytest.MonkeyPatch
) -> None:
    committee.arrive(study_date=BASELINE)
    monkeypatch.setattr(visit_pages, "PAGE_SIZE", 1)
    for _ in range(3):
        unplaced(committee, FITS_NOTHING)

    page = as_person(committee).get(f"/projects/{committee.world.space_id}/visits/").content.decode()

    assert "2 more wait; they are listed once these are placed." in page


def test_the_page_decides_about_a_late_visit(committee: Committee) -> None:
    held = late_week8(committee)
    browser, address = as_person(committee), f"/projects/{committee.world.space_id}/visits/"

    assert "Week 8" in browser.get(address).content.decode()
    done = browser.post(
        address, {"act": "decide", "id": held[0].id, "decision": "out", "reason": "The disc came by post."}
    )

    assert done.status_code == 302
    assert [task.state for task in committee.visit("week8")] == ["open", "open"]


def test_the_page_shows_nothing_of_other_sites_and_opens_to_placers_only(committee: Committee) -> None:
    committee.arrive("S-902", BASELINE, site="02")
    unplaced(committee, FITS_NOTHING, "S-902", site="02")
    address = f"/projects/{committee.world.space_id}/visits/"

    assert "S-902" not in as_person(committee, "qc").get(address).content.decode()
    assert "S-902" in as_person(committee).get(address).content.decode()
    assert as_person(committee, "reader1").get(address).status_code == 403
    assert as_person(committee).post(address, {"act": "place", "id": "x", "reason": "No."}).status_code == 404


# Images that are not let in, and images that come late


@pytest.mark.requirement("R28", "I07")
@pytest.mark.parametrize("verdict", ["refuse", "correct"])
def test_images_that_a_check_did_not_accept_do_not_stand_beside_later_ones(
    world: World, verdict: str
) -> None:
    committee = Committee(world)
    committee.gather(TEXT.replace("timepoints: locked", "timepoints: beside"))
    committee.arrive(study_date=BASELINE)
    committee.do(committee.tasks(step="eligibility")[0], eligible="yes")
    committee.do(committee.tasks(step="qc")[0], verdict=verdict)

    tasks = committee.until_reading(study_date=WEEK8_ON)

    assert [[one.code for one in shown(committee, task)] for task in tasks] == [["week8"], ["week8"]]


@pytest.mark.requirement("R28", "I07")
def test_images_that_nobody_has_checked_yet_do_not_stand_beside_later_ones(world: World) -> None:
    committee = Committee(world)
    committee.gather(TEXT.replace("timepoints: locked", "timepoints: beside"))
    committee.arrive(study_date=BASELINE)
    committee.do(committee.tasks(step="eligibility")[0], eligible="yes")
    committee.arrive(study_date=WEEK8_ON)
    committee.do(committee.visit("week8", "qc")[0], verdict="accept")
    task = committee.visit("week8")[0]

    before = len(exams_shown(committee, task))
    committee.do(committee.visit("baseline", "qc")[0], verdict="accept")

    assert (before, len(exams_shown(committee, task))) == (1, 2)


@pytest.mark.requirement("R28")
def test_an_earlier_timepoint_is_granted_for_looking_only(committee: Committee) -> None:
    for task in committee.until_reading(study_date=BASELINE):
        committee.do(task, response="SD")
    later = committee.until_reading(study_date=WEEK8_ON)[0]

    opened = committee.open(later)

    assert opened.grant
    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        drawn_on = list(opened.grant.series.order_by("position").values_list("is_drawn_on", flat=True))
    assert drawn_on == [False, True]


def drafted(committee: Committee) -> tuple[Task, int, UUID]:
    """A reading task that its reader has opened and answered: task, revision of its entry, exam."""
    first, _ = committee.until_reading(study_date=BASELINE)
    exam_id = exams_shown(committee, first)[0]
    opened = committee.open(first)
    assert not committee.save(first, opened.version.entry.revision, response="SD").has_late_images
    return first, opened.version.entry.revision + 1, exam_id


def test_images_that_come_while_a_read_is_drafted_are_told_at_the_next_save(committee: Committee) -> None:
    task, revision, exam_id = drafted(committee)

    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        services.place_exam(
            actor=committee.world.actor(),
            exam_id=exam_id,
            subject_code="S-001",
            supplement=True,
            site_code="01",
        )

    assert committee.now(task).has_late_images
    assert committee.save(task, revision, response="PR").has_late_images


def test_a_drafted_read_is_not_submitted_over_images_its_page_does_not_show(committee: Committee) -> None:
    task, revision, _ = drafted(committee)
    person = committee.people[committee.who(task)]
    committee.arrive(study_date=BASELINE)
    with acting_as(person.principal, [committee.world.space_id]), pytest.raises(NewImages):
        reads.submit_read(actor=committee.world.actor(person), task_id=task.id, expected_revision=revision)

    committee.open(task)
    flag = committee.now(task).has_late_images
    with acting_as(person.principal, [committee.world.space_id]):
        version = reads.submit_read(
            actor=committee.world.actor(person), task_id=task.id, expected_revision=revision
        )

    assert flag is False
    assert len(version.shown) == 2


# A subject whose site is not known


@pytest.mark.requirement("R21")
def test_a_subject_of_unknown_site_is_given_to_nobody_who_belongs_to_one(world: World) -> None:
    committee = Committee(world)
    committee.gather()
    committee.at_site(committee.people["reader1"])

    committee.arrive("S-100", site="")

    assert {committee.who(task) for task in committee.tasks(step="reading")} == {"reader2", ""}
    subject = committee.tasks(step="reading")[0].unit.subject
    with acting_as(world.administrator.principal, [world.space_id]):
        actor = world.actor()
        assert conflict_of(actor, committee.people["reader1"].principal.text, subject) == "site_unknown"
        assert conflict_of(actor, committee.people["reader2"].principal.text, subject) == ""


@pytest.mark.requirement("R21")
def test_a_site_that_becomes_known_later_finds_its_own_people_without_a_task(world: World) -> None:
    committee = Committee(world)
    committee.gather()
    for name in ("reader1", "reader2"):
        committee.at_site(committee.people[name])

    committee.arrive("S-100", site="")
    committee.arrive("S-100", WEEK8_ON, site="01")

    assert {task.assignee for task in committee.tasks(step="reading")} == {""}
