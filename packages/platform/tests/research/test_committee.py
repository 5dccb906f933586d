"""The committee: independent readers, conflicts, locked timepoints, disagreement, adjudication, runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from collegium.kit.database import acting_as
from collegium.kit.errors import NotFound
from collegium.research.data_queries import queries as data_queries
from collegium.research.data_queries.errors import QueriesOpen
from collegium.research.data_queries.services import answer_query, open_task_query
from collegium.research.pipeline import queries, services
from collegium.research.pipeline.assignment import Candidate, draw
from collegium.research.pipeline.errors import (
    AnotherComesFirst,
    CannotHaveTask,
    ConflictOfInterest,
    TaskNotOpen,
)
from collegium.research.projects.definition import Assignment, How
from collegium.research.reads import services as reads
from collegium.research.reads.errors import LaterWasOpened
from collegium.research.results import services as results
from collegium_testkit.committee import TEXT, Committee, being_read, gathered
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from collegium.research.pipeline.models import Discrepancy, Task
    from collegium.research.results.queries import ResultTable
    from collegium_testkit.beginnings import Beginnings
    from collegium_testkit.world import World


@pytest.fixture
def committee(world: World) -> Committee:
    return gathered(world)


def discrepancies(committee: Committee, task: Task) -> list[Discrepancy]:
    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        return list(task.unit.discrepancies.order_by("number"))


# Assignment


@pytest.mark.requirement("R20")
def test_a_random_draw_with_the_same_seed_and_people_is_the_same_list() -> None:
    people = [Candidate(f"person:{number}", load=number) for number in range(12)]
    assign = Assignment(How.RANDOM, readers=2, seed=7)

    first = [draw(assign, people, key=f"S-{n}/baseline", count=2) for n in range(200)]
    again = [draw(assign, people[::-1], key=f"S-{n}/baseline", count=2) for n in range(200)]
    other = [
        draw(Assignment(How.RANDOM, 2, seed=8), people, key=f"S-{n}/baseline", count=2) for n in range(200)
    ]

    assert first == again != other
    assert all(len(set(pair)) == 2 for pair in first)
    assert {person for pair in first for person in pair} == {person.principal for person in people}


@pytest.mark.requirement("R20")
def test_sequential_takes_who_has_least_and_of_equals_who_joined_first() -> None:
    people = [Candidate("late", 0), Candidate("busy", 3), Candidate("later", 0)]

    assert draw(Assignment(How.SEQUENTIAL), people, key="", count=2) == ["late", "later"]


@pytest.mark.requirement("R20")
def test_a_rule_sends_a_sites_subjects_to_the_role_it_names(world: World) -> None:
    drawn = "assign: {how: random, readers: 2, seed: 11}"
    by_rule = """assign: {how: rule, readers: 2, rules: [{if: "site = '02'", role: Editor}]}"""
    text = TEXT.replace(drawn, by_rule)
    committee = gathered(world, text)
    editors = {world.join("Editor").principal.text, world.join("Editor").principal.text}

    committee.arrive("S-001", site="01")
    committee.arrive("S-002", site="02")

    south = {task.assignee for task in committee.tasks(step="reading") if task.unit.subject.code == "S-002"}
    north = {task.assignee for task in committee.tasks(step="reading") if task.unit.subject.code == "S-001"}
    assert south == editors
    assert north == {committee.people[name].principal.text for name in ("reader1", "reader2")}


@pytest.mark.requirement("R31")
def test_two_independent_readers_have_a_task_each_and_neither_empties_the_others_list(
    beginnings: Beginnings,
) -> None:
    committee, (first, second) = beginnings.begin(being_read)

    committee.do(first, response="PR")

    assert first.assignee != second.assignee
    assert first.label != second.label
    assert committee.states("reading") == ["signed", "open"]


def test_a_step_that_nobody_can_do_waits_and_is_given_to_who_joins(beginnings: Beginnings) -> None:
    committee, _ = beginnings.begin(being_read, readers=1)
    before = [task.assignee != "" for task in committee.tasks(step="reading")]

    committee.people["reader2"] = committee.world.join("Reader")
    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        made = services.assign_missing_tasks(actor=committee.world.actor())

    assert (before, made) == ([True, False], 1)
    assert {committee.who(task) for task in committee.tasks(step="reading")} == {"reader1", "reader2"}


# Conflict of interest


@pytest.mark.requirement("R21")
def test_a_reader_of_the_subjects_own_site_is_never_drawn(world: World) -> None:
    committee = gathered(world, readers=3)
    committee.at_site(committee.people["reader1"], "01")

    for number in range(6):
        committee.arrive(f"S-10{number}", site="01")

    readers = {committee.who(task) for task in committee.tasks(step="reading")}
    assert readers == {"reader2", "reader3"}


@pytest.mark.requirement("R21")
def test_a_task_cannot_be_given_to_who_has_a_conflict_or_reads_it_already(beginnings: Beginnings) -> None:
    committee, (first, second) = beginnings.begin(being_read)
    other = committee.world.join("Reader")
    committee.at_site(other, "01")
    world = committee.world

    reads_it = committee.people[committee.who(second)].principal
    for to, error in ((other.principal, ConflictOfInterest), (reads_it, CannotHaveTask)):
        with acting_as(world.administrator.principal, [world.space_id]), pytest.raises(error):
            services.reassign_task(actor=world.actor(), task_id=first.id, to=to, reason="Holiday.")

    assert [task.assignee for task in committee.tasks(step="reading")] == [first.assignee, second.assignee]


@pytest.mark.requirement("R21")
def test_a_conflict_that_came_later_closes_the_task_to_its_reader(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read)
    reader = committee.people[committee.who(first)]
    committee.at_site(reader, "01")

    with acting_as(reader.principal, [committee.world.space_id]), pytest.raises(NotFound):
        reads.open_task(actor=committee.world.actor(reader), task_id=first.id)


@pytest.mark.requirement("R21")
def test_who_read_never_adjudicates(beginnings: Beginnings) -> None:
    committee, (first, second) = beginnings.begin(
        being_read, TEXT.replace("role: Adjudicator", "role: Reader"), readers=3
    )

    committee.do(first, response="PR")
    committee.do(second, response="PD")

    (task,) = committee.tasks(step="adjudication")
    assert committee.who(task) not in {"", committee.who(first), committee.who(second)}


# Conditions


@pytest.mark.requirement("R06")
def test_nothing_is_read_before_the_subject_is_eligible_and_the_images_are_accepted(
    committee: Committee,
) -> None:
    committee.arrive()
    at_first = [task.state for task in committee.tasks()]

    committee.do(committee.tasks("site")[0], eligible="yes")
    after_eligibility = [task.state for task in committee.tasks()]
    committee.do(committee.tasks("qc")[0], verdict="accept")

    assert at_first == ["open", "waiting", "waiting", "waiting"]
    assert after_eligibility == ["signed", "open", "waiting", "waiting"]
    assert [task.state for task in committee.tasks()] == ["signed", "signed", "open", "open"]


@pytest.mark.requirement("R06")
def test_a_subject_who_is_not_eligible_leaves_no_task_open(committee: Committee) -> None:
    committee.arrive()

    committee.do(committee.tasks("site")[0], eligible="no")

    assert [task.state for task in committee.tasks()] == ["signed", "cancelled", "cancelled", "cancelled"]


def test_a_corrective_action_keeps_the_readers_waiting_and_new_images_make_the_check_again(
    committee: Committee,
) -> None:
    exam = committee.arrive()
    committee.do(committee.tasks("site")[0], eligible="yes")
    committee.do(committee.tasks("qc")[0], verdict="correct")
    waiting = committee.states("reading")

    world = committee.world
    with acting_as(world.administrator.principal, [world.space_id]):
        (asked,) = data_queries.visible(world.actor())
        services.place_exam(actor=world.actor(), exam_id=exam, subject_code="S-001", supplement=True)

    old, new = committee.tasks(step="qc")
    assert waiting == ["waiting", "waiting"]
    assert (asked.asked_of, asked.state) == ("site", "open")
    assert (old.state, new.state, new.run, new.assignee) == ("superseded", "open", 2, old.assignee)
    committee.do(new, verdict="accept")
    assert [task.state for task in committee.tasks(step="reading") if task.state != "cancelled"] == [
        "open",
        "open",
    ]


# Timepoints and order


@pytest.mark.requirement("R28")
def test_a_later_timepoint_opens_to_a_reader_only_after_they_signed_the_earlier_one(
    beginnings: Beginnings,
) -> None:
    committee, (first, second) = beginnings.begin(being_read)
    committee.until_reading(study_date="20240301")
    later = [
        task
        for task in committee.tasks(step="reading")
        if task.unit.visit and task.unit.visit.code == "week8"
    ]
    of_first = next(task for task in later if task.assignee == first.assignee)
    of_second = next(task for task in later if task.assignee == second.assignee)
    reader = committee.people[committee.who(first)]
    with acting_as(reader.principal, [committee.world.space_id]), pytest.raises(TaskNotOpen):
        reads.open_task(actor=committee.world.actor(reader), task_id=of_first.id)

    committee.do(first, response="SD")

    states = {task.id: task.state for task in committee.tasks(step="reading")}
    assert (states[of_first.id], states[of_second.id]) == ("open", "waiting")
    with acting_as(reader.principal, [committee.world.space_id]):
        opened = reads.open_task(actor=committee.world.actor(reader), task_id=of_first.id)
        assert opened.grant
        assert opened.grant.series.count() == 2
    with acting_as(reader.principal, [committee.world.space_id]), pytest.raises(LaterWasOpened):
        reads.correct_read(actor=committee.world.actor(reader), task_id=first.id, reason="A second look.")


@pytest.mark.requirement("R22")
def test_a_fixed_order_is_drawn_at_the_first_open_and_then_stays(world: World) -> None:
    committee = gathered(world, TEXT.replace("timepoints: locked", "order: fixed"))
    for number in range(5):
        committee.until_reading(f"S-00{number}")
    mine = committee.tasks("reader1", "reading")
    reader = committee.people["reader1"]

    def first_of(task: Task) -> Task:
        with acting_as(reader.principal, [world.space_id]):
            actor = world.actor(reader)
            try:
                return reads.open_task(actor=actor, task_id=task.id).task
            except AnotherComesFirst as another:
                return reads.open_task(actor=actor, task_id=another.task_id).task

    opened = [first_of(task).id for task in mine]
    positions = {task.id: task.position for task in committee.tasks("reader1", "reading")}
    committee.do(next(task for task in mine if task.id == opened[0]), response="SD")
    following = first_of(mine[0] if mine[0].id != opened[0] else mine[1])

    assert len(set(opened)) == 1
    assert set(positions.values()) == {1, 2, 3, 4, 5}
    assert positions[opened[0]] == 1
    assert positions[following.id] == 2
    assert {t.id: t.position for t in committee.tasks("reader1", "reading")} == positions


# Disagreement


@pytest.mark.requirement("R70")
def test_readers_who_agree_make_no_adjudication(beginnings: Beginnings) -> None:
    committee, (first, second) = beginnings.begin(being_read)

    committee.do(first, response="PR", sum="40")
    before = discrepancies(committee, first)
    committee.do(second, response="PR", sum="41")

    assert before == []
    assert [one.outcome for one in discrepancies(committee, first)] == ["agreed"]
    assert committee.tasks(step="adjudication") == []


@pytest.mark.requirement("R70", "R71")
def test_readers_who_differ_make_one_adjudication_of_two_sides(beginnings: Beginnings) -> None:
    committee, (first, second) = beginnings.begin(being_read)

    committee.do(first, response="PR")
    committee.do(second, response="PD")

    (task,) = committee.tasks("adjudicator1")
    assert [one.outcome for one in discrepancies(committee, first)] == ["differs"]
    assert task.state == "open"
    assert set(task.sides.values()) == {str(first.id), str(second.id)}
    signed = committee.do(task, chosen="a")
    assert signed.settles["a"]["digest"] != signed.settles["b"]["digest"]


@pytest.mark.requirement("R71")
def test_the_letter_of_a_side_is_drawn_and_says_nothing_of_the_slot(committee: Committee) -> None:
    for number in range(12):
        first, second = committee.until_reading(f"S-{number:03}")
        committee.do(first, response="PR")
        committee.do(second, response="PD")
    slots = {str(task.id): task.slot for task in committee.tasks(step="reading")}

    assert {slots[task.sides["a"]] for task in committee.tasks("adjudicator1")} == {1, 2}


@pytest.mark.requirement("R55", "R70")
def test_where_the_rule_cannot_tell_a_person_decides(beginnings: Beginnings) -> None:
    committee, (first, second) = beginnings.begin(being_read)
    committee.do(first, response="PR")
    committee.do(second, not_evaluable="response")
    world = committee.world
    with acting_as(world.administrator.principal, [world.space_id]):
        actor = world.actor()
        (waiting,) = queries.undecided(actor)
        services.decide_discrepancy(
            actor=actor, discrepancy_id=waiting.id, differs=True, reason="Not evaluable is a difference."
        )

    assert [one.outcome for one in discrepancies(committee, first)] == ["unknown", "differs"]
    assert len(committee.tasks(step="adjudication")) == 1


@pytest.mark.requirement("R72")
def test_a_corrected_read_supersedes_what_settled_it(beginnings: Beginnings) -> None:
    committee, (first, second) = beginnings.begin(being_read)
    committee.do(first, response="PR")
    committee.do(second, response="PD")
    committee.do(committee.tasks("adjudicator1")[0], chosen="a")
    reader, world = committee.people[committee.who(second)], committee.world

    with acting_as(reader.principal, [world.space_id]):
        reads.correct_read(actor=world.actor(reader), task_id=second.id, reason="The wrong lesion.")
    committee.do(next(t for t in committee.tasks(step="reading") if t.id == second.id), response="PR")

    assert [one.outcome for one in discrepancies(committee, first)] == ["differs", "agreed"]
    assert committee.states("adjudication") == ["superseded"]


def test_a_step_that_is_run_again_takes_along_what_built_on_it(beginnings: Beginnings) -> None:
    committee, (first, second) = beginnings.begin(being_read)
    committee.do(first, response="PR")
    committee.do(second, response="PD")
    world, (qc,) = committee.world, committee.tasks(step="qc")

    with acting_as(world.administrator.principal, [world.space_id]):
        services.rerun_step(actor=world.actor(), task_id=qc.id, reason="Another series was chosen.")

    assert committee.states("qc") == ["superseded", "open"]
    assert sorted(committee.states("reading")) == ["superseded", "superseded", "waiting", "waiting"]
    assert committee.states("adjudication") == ["cancelled"]
    assert [task.assignee for task in committee.tasks(step="reading")[2:]] == [
        first.assignee,
        second.assignee,
    ]


# Final results


def final(committee: Committee) -> ResultTable:
    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        return results.view_results(actor=committee.world.actor(), step="final.adjudication")


@pytest.mark.requirement("R72")
def test_the_final_value_is_that_of_the_read_the_adjudicator_chose_and_names_its_reads(
    beginnings: Beginnings,
) -> None:
    committee, (first, second) = beginnings.begin(being_read)
    committee.do(first, response="PR")
    committee.do(second, response="PD")
    waiting = final(committee)
    (task,) = committee.tasks("adjudicator1")
    side = "a" if task.sides["a"] == str(second.id) else "b"

    committee.do(task, chosen=side)

    (row,) = final(committee).rows
    assert (len(waiting.rows), waiting.waiting) == (0, 1)
    assert row.answers["response"].value == "PD"
    assert row.source == "adjudicated: chosen"
    assert len(row.from_reads) == 3
    assert row.is_valid


@pytest.mark.requirement("R72")
def test_the_final_value_of_readers_who_agree_is_theirs_until_one_is_corrected(
    beginnings: Beginnings,
) -> None:
    committee, (first, second) = beginnings.begin(being_read)
    committee.do(first, response="PR")
    committee.do(second, response="PR")
    agreed = final(committee)
    reader, world = committee.people[committee.who(second)], committee.world

    with acting_as(reader.principal, [world.space_id]):
        reads.correct_read(actor=world.actor(reader), task_id=second.id, reason="The wrong lesion.")
    open_again = final(committee)
    committee.do(
        next(task for task in committee.tasks(step="reading") if task.id == second.id), response="PD"
    )
    differs = final(committee)

    assert [(row.answers["response"].value, row.source) for row in agreed.rows] == [("PR", "agreed")]
    assert [len(table.rows) for table in (open_again, differs)] == [0, 0]
    assert [table.waiting for table in (open_again, differs)] == [1, 1]


@pytest.mark.requirement("R22")
def test_a_task_out_of_turn_leads_to_the_one_whose_turn_it_is(world: World) -> None:
    committee = gathered(world, TEXT.replace("timepoints: locked", "order: fixed"))
    for number in range(3):
        committee.until_reading(f"S-00{number}")
    reader = Client()
    assert reader.login(email=committee.people["reader1"].email, password=PASSWORD)

    pages = [
        reader.get(f"/tasks/{task.id}/read", follow=True) for task in committee.tasks("reader1", "reading")
    ]

    assert {page.status_code for page in pages} == {200}
    assert len({page.request["PATH_INFO"] for page in pages}) == 1


@pytest.mark.requirement("R56")
def test_a_step_that_wants_its_queries_closed_is_not_signed_before(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(
        being_read, TEXT.replace("timepoints: locked", "queries_closed: true")
    )
    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        actor = committee.world.actor()
        query = open_task_query(actor=actor, task_id=first.id, text="Which lesion is meant?")

    with pytest.raises(QueriesOpen):
        committee.do(first, response="PR")
    reader = committee.people[committee.who(first)]
    with acting_as(reader.principal, [committee.world.space_id]):
        answer_query(actor=committee.world.actor(reader), query_id=query.id, text="The one in segment VIII.")
    signed = committee.sign(first)

    assert signed.state == "signed"
