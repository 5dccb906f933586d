"""Who may read what, what counts after a change, and who stops: independence of reads, rule by rule."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from collegium.kit.errors import NotFound
from collegium.research.pipeline.assignment import Candidate, draw
from collegium.research.pipeline.errors import (
    ConflictOfInterest,
)
from collegium.research.projects import queries as projects
from collegium.research.projects.people.services import declare_conflict
from collegium.research.reads.errors import ReadNotADraft
from collegium.trust.audit import queries as audit
from collegium.trust.tenancy.queries import members
from collegium_testkit.committee import TEXT, Committee, being_read, gathered

if TYPE_CHECKING:
    from collegium.research.pipeline.models import Task
    from collegium_testkit.beginnings import Beginnings
    from collegium_testkit.world import World

STOPPED = (ConflictOfInterest, NotFound)
"""What somebody with a conflict meets: a refusal, or a task that is not there any more."""
LATER = "20240301"
"""The exam date of week 8."""
EVERY = TEXT[: TEXT.index("  - step: adjudication")].replace(
    "assign: {how: random, readers: 2, seed: 11}", "assign: every"
)


@pytest.fixture
def committee(world: World) -> Committee:
    return gathered(world)


def declare(committee: Committee, task: Task) -> None:
    with committee.acting() as actor:
        declare_conflict(
            actor=actor, principal=committee.people[committee.who(task)].principal,
            subject_id=task.unit.subject_id, reason="Knows them.",
        )  # fmt: skip


# Who may read what (R21, R31)


@pytest.mark.requirement("R31")
def test_nobody_comes_to_both_reads_by_cancelling_giving_and_running_again(beginnings: Beginnings) -> None:
    committee, (first, second) = beginnings.begin(being_read, readers=3)
    committee.cancel(first)
    committee.reassign(second, committee.who(first))

    committee.run_again(first)
    committee.arrive(study_date=LATER)

    for code in ("baseline", "week8"):
        people = [task.assignee for task in committee.visit(code) if task.assignee]
        assert len(set(people)) == len(people)


@pytest.mark.requirement("R31")
def test_where_everybody_reads_a_task_handed_back_leaves_no_empty_place(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, EVERY)

    committee.hand_back(first)

    assert [bool(task.assignee) for task in committee.visit("baseline")] == [True]


@pytest.mark.requirement("R21")
def test_a_conflict_that_came_later_stops_every_further_act(beginnings: Beginnings) -> None:
    committee, (first, second) = beginnings.begin(being_read)
    revision = committee.draft(first, response="SD")
    committee.submit(first, revision)
    drafted = committee.draft(second, response="SD")
    declare(committee, first)
    declare(committee, second)

    with pytest.raises(STOPPED):
        committee.sign(first)
    with pytest.raises(STOPPED):
        committee.correct(first)
    with pytest.raises(STOPPED):
        committee.submit(second, drafted)


@pytest.mark.requirement("R21")
def test_a_conflict_closes_what_was_signed_before_it_too(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read)
    committee.do(first, response="SD")
    declare(committee, first)

    with pytest.raises(STOPPED):
        committee.open(first)
    with pytest.raises(STOPPED):
        committee.correct(first)


def test_a_cancelled_read_takes_no_answer(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read)
    revision = committee.draft(first, response="SD")
    committee.cancel(first)

    with pytest.raises(ReadNotADraft):
        committee.save(first, revision, response="PD")


@pytest.mark.requirement("R20")
def test_every_draw_can_be_made_again_from_the_audit(beginnings: Beginnings) -> None:
    committee, tasks = beginnings.begin(being_read)

    with committee.acting() as actor:
        step = projects.definition(projects.current_version(actor)).step("reading")
        drawn = [
            next(
                line.new
                for line in audit.history(actor, "research.task", task.id)
                if line.action == "research.task.assigned" and line.new
            )
            for task in tasks
        ]

    again = [
        draw(step.assign, [Candidate(one, 0) for one in new["among"]], key=new["key"], count=1)
        for new in drawn
    ]
    assert again == [[task.assignee] for task in tasks]


@pytest.mark.requirement("R40", "R43")
def test_a_readers_pages_say_nothing_of_a_discrepancy_or_of_the_subject(beginnings: Beginnings) -> None:
    committee, (first, second) = beginnings.begin(being_read)
    committee.do(first, response="PR")
    committee.do(second, response="PD")
    other = committee.people[committee.who(second)].full_name
    browser = committee.browser(committee.who(first))

    pages = [reverse("task-read", args=[first.id]), "/tasks/?state=signed", "/notifications/", "/"]
    told = "".join(browser.get(address).content.decode().lower() for address in pages)

    assert [word for word in (other.lower(), "s-001", "north hospital", "week 8") if word in told] == []
    read = browser.get(pages[0]).content.decode().lower()
    assert "adjudicat" not in read
    assert "baseline" not in read


# Results


@pytest.mark.requirement("R72")
def test_a_read_that_was_run_again_or_given_away_while_corrected_counts_no_more(
    beginnings: Beginnings,
) -> None:
    committee, (first, second) = beginnings.begin(being_read, readers=3)
    committee.do(first, response="SD")
    committee.do(second, response="SD")
    committee.correct(first)
    committee.correct(second)

    committee.run_again(first)
    committee.hand_back(committee.now(second))

    assert committee.table().rows == []
    fresh = next(task for task in committee.visit("baseline") if task.slot == first.slot)
    committee.do(fresh, response="PD")
    assert [row.task_id for row in committee.table().rows] == [fresh.id]


@pytest.mark.requirement("R70", "R72")
def test_signatures_hold_in_every_table_after_a_correction_and_a_second_adjudication(
    beginnings: Beginnings,
) -> None:
    committee, (first, second) = beginnings.begin(being_read)
    committee.do(first, response="PR")
    committee.do(second, response="PD")
    committee.do(committee.tasks("adjudicator1")[0], chosen="a")
    committee.correct(second)
    committee.do(committee.now(second), response="CR")
    (fresh,) = [task for task in committee.tasks("adjudicator1") if task.state == "open"]
    committee.do(fresh, chosen="b")

    steps = ("reading", "adjudication", "final.adjudication", "qc", "eligibility")

    assert [committee.table(step).invalid_count for step in steps] == [0] * len(steps)
    assert len(committee.table("final.adjudication").rows) == 1


@pytest.mark.requirement("R72")
def test_a_unit_that_is_read_again_waits_for_its_final_result(beginnings: Beginnings) -> None:
    committee, (first, second) = beginnings.begin(being_read)
    committee.do(first, response="SD")
    committee.do(second, response="SD")

    committee.run_again(first)

    found = committee.table("final.adjudication")
    assert (len(found.rows), found.waiting) == (0, 1)


# Leaving, and words that are too long


@pytest.mark.requirement("R21")
def test_who_leaves_the_project_leaves_a_submitted_read_to_somebody_else(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, readers=3)
    committee.submit(first, committee.draft(first, response="SD"))
    browser = committee.browser()
    with committee.acting() as actor:
        leaver = next(one for one in members(actor) if one.principal.text == first.assignee)

    done = browser.post(
        f"/projects/{committee.world.space_id}/people/{leaver.id}/", {"act": "end", "reason": "Left."}
    )

    assert done.status_code == 302
    (fresh,) = [task for task in committee.visit("baseline") if task.slot == first.slot]
    assert fresh.assignee != first.assignee


def test_a_reason_that_is_too_long_is_refused_in_words(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read)
    committee.do(first, response="SD")
    browser = committee.browser(committee.who(first))

    answer = browser.post(
        reverse("task-correct", args=[first.id]),
        json.dumps({"reason": "x" * 500}),
        content_type="application/json",
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "research.read.reason_missing")
