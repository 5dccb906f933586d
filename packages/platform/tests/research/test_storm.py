"""Fifty people at once on one subject: whatever they do, the table of states holds and nothing deadlocks."""

from __future__ import annotations

import json
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore
from typing import TYPE_CHECKING

import pytest
from django.db import connections

from collegium.kit import ids
from collegium.kit.database import acting_as
from collegium.kit.errors import CollegiumError
from collegium.research.pipeline import queries, services
from collegium.research.pipeline.models import Discrepancy
from collegium.research.pipeline.states import LIVE, MOVES, TaskState
from collegium.research.reads import queries as read_queries
from collegium.research.reads import services as reads
from collegium.research.reads.models import VersionState
from collegium.trust.audit.models import AuditEntry
from collegium_testkit.committee import TEXT, Committee
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task
    from collegium_testkit.world import Person, World

ACTS = 5
PLACES = 10
"""Of those acting at the same moment: fewer than there are database connections, for which nobody waits long."""
ROLES = (("Reader", 24), ("Adjudicator", 10), ("Site user", 4), ("Data manager", 4), ("Administrator", 8))
ANSWERS: dict[str, dict[str, tuple[str, ...]]] = {
    "eligibility": {"eligible": ("yes", "yes", "yes", "no")},
    "qc": {"verdict": ("accept", "accept", "refuse", "correct")},
    "reading": {"response": ("CR", "PR", "SD", "PD")},
    "adjudication": {"chosen": ("a", "b")},
}


@pytest.mark.requirement("R04", "R70")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2])
def test_fifty_people_at_once_never_leave_the_table_of_states(world: World, seed: int) -> None:
    committee = Committee(world)
    committee.gather(TEXT.replace("timepoints: locked", "timepoints: beside"), readers=0, adjudicators=0)
    people = {role: [world.join(role) for _ in range(count)] for role, count in ROLES}
    for person in (*people["Site user"], *people["Data manager"]):
        committee.at_site(person, "02")
    exam_id = committee.arrive(site="02")
    storm = Storm(world, exam_id, seed)

    with ThreadPoolExecutor(50) as pool:
        unexpected = [
            error
            for found in pool.map(storm.act, [one for each in people.values() for one in each])
            for error in found
        ]

    assert unexpected == []
    assert storm.done
    with acting_as(world.administrator.principal, [world.space_id]):
        actor = world.actor()
        assert_consistent(actor, list(queries.tasks(actor)))


class Storm:
    """Each person does a few random acts on whatever there is."""

    def __init__(self, world: World, exam_id: UUID, seed: int) -> None:
        self.world, self.exam_id, self.seed = world, exam_id, seed
        self.done: Counter[str] = Counter()
        self._places = Semaphore(PLACES)

    def act(self, person: Person) -> list[str]:
        """Returns what no person should ever see: errors that are none of ours."""
        draw, unexpected = random.Random(f"{self.seed}/{person.principal}"), []
        for _ in range(ACTS):
            with self._places:
                try:
                    with acting_as(person.principal, [self.world.space_id]):
                        name = self._one(self.world.actor(person), draw)
                    self.done[name] += 1
                except CollegiumError:
                    pass  # refused in words: as it should be
                except Exception as error:  # noqa: BLE001  the point of the test: nothing else may come up
                    unexpected.append(repr(error))
                connections.close_all()
        return unexpected

    def _one(self, actor: Actor, draw: random.Random) -> str:
        tasks = list(queries.tasks(actor).order_by("id"))
        if actor.role == "Administrator":
            return self._manage(actor, draw, draw.choice(tasks))
        mine = [task for task in tasks if task.assignee == actor.principal.text]
        return work(actor, draw, draw.choice(mine)) if mine else "nothing"

    def _manage(self, actor: Actor, draw: random.Random, task: Task) -> str:
        act = draw.choice(["rerun", "cancel", "open", "supplement", "assign"])
        if act == "rerun":
            services.rerun_step(actor=actor, task_id=task.id, reason="A storm.")
        elif act == "cancel":
            services.cancel_task(actor=actor, task_id=task.id, reason="A storm.")
        elif act == "open":
            services.open_anyway(actor=actor, task_id=task.id, reason="A storm.")
        elif act == "assign":
            services.assign_missing_tasks(actor=actor)
        else:
            services.place_exam(actor=actor, exam_id=self.exam_id, subject_code="S-001", supplement=True)
        return act


def work(actor: Actor, draw: random.Random, task: Task) -> str:
    """The next thing the person of a task does with it."""
    version = read_queries.newest_version(actor, task)
    if version and version.state == VersionState.SUBMITTED:
        reads.sign_read(actor=actor, task_id=task.id, password=PASSWORD, expected_digest=version.digest)
        return "sign"
    if version and version.state == VersionState.SIGNED:
        reads.correct_read(actor=actor, task_id=task.id, reason="A second look.")
        return "correct"
    opened = reads.open_task(actor=actor, task_id=task.id)
    saved = reads.save_answers(
        actor=actor, task_id=task.id, op_id=ids.uuid7(), base_revision=opened.version.entry.revision,
        changes={name: {"text": draw.choice(texts)} for name, texts in ANSWERS[task.step].items()},
    )  # fmt: skip
    reads.submit_read(actor=actor, task_id=task.id, expected_revision=saved.revision)
    return "submit"


def assert_consistent(actor: Actor, tasks: list[Task]) -> None:
    """What must hold of one subject whatever was done to it."""
    live = [task for task in tasks if task.state in LIVE]
    places = Counter((task.unit_id, task.step, task.slot) for task in live)
    assert max(places.values(), default=1) == 1
    readers = Counter(
        (task.unit_id, task.assignee) for task in live if task.step in {"reading", "adjudication"}
    )
    assert max(readers.values(), default=1) == 1
    for task in tasks:
        assert_walk(actor, task)
    for task in live:
        if task.step == "adjudication":
            judged = queries.newest_discrepancy(actor, task.unit, "adjudication")
            reading = {str(one.id): one for one in live if one.step == "reading"}
            assert judged
            assert judged.outcome == Discrepancy.Outcome.DIFFERS
            assert {one["task"] for one in judged.reads} == set(reading)
            assert task.state == TaskState.SIGNED or all(
                one.state == TaskState.SIGNED for one in reading.values()
            )


def assert_walk(actor: Actor, task: Task) -> None:
    """The audit of a task is a walk through the table."""
    allowed = {(before.value, after.value) for (before, _), after in MOVES.items()}
    rows = AuditEntry.objects.filter(
        space_id=actor.space, object_kind="research.task", object_id=str(task.id)
    )
    for body in (json.loads(row.body) for row in rows):
        if body["old"] and "state" in body["old"]:
            assert (body["old"]["state"], body["new"]["state"]) in allowed
