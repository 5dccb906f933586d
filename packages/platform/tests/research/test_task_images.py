"""Which images a task shows, and what it means for a read when others come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collegium.kit.database import acting_as
from collegium.research.pipeline import services
from collegium.research.reads import services as reads
from collegium.research.reads.errors import NewImages
from collegium_testkit.committee import TEXT, Committee, gathered
from collegium_testkit.visits import (
    BASELINE,
    THREE,
    WEEK8_ON,
    exams_shown,
    shown,
)

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.research.pipeline.models import Task
    from collegium_testkit.world import World


@pytest.fixture
def committee(world: World) -> Committee:
    return gathered(world, THREE, readers=3)


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
