"""A committee at work in a world: site users, QC, blinded readers, adjudicators; short words for what they do."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING

from django.test import Client

from collegium.kit import ids
from collegium.kit.database import acting_as
from collegium.research.pipeline import queries as pipeline
from collegium.research.pipeline import services as pipeline_services
from collegium.research.pipeline.publishing import publish_project
from collegium.research.pipeline.states import LIVE
from collegium.research.projects.people.queries import sites_of
from collegium.research.projects.people.services import join_site
from collegium.research.projects.queries import sites
from collegium.research.reads import services as reads
from collegium.research.reads.queries import newest_version
from collegium.research.results import services as results
from collegium_testkit.study import stored_exam
from collegium_testkit.world import PASSWORD, new_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task
    from collegium.research.reads.models import ReadVersion
    from collegium.research.results.queries import ResultTable
    from collegium_testkit.world import Person, World

TEXT = resources.files("collegium_testkit").joinpath("committee.yaml").read_text("utf-8")


@dataclass
class Committee:
    """The project of `committee.yaml` with its people; everyone can be asked for by a short name."""

    world: World
    people: dict[str, Person] = field(default_factory=dict)

    def gather(self, text: str = TEXT, *, readers: int = 2, adjudicators: int = 1) -> None:
        """Publish the project and let its people join: at site 01 a site user and a data manager."""
        with acting_as(self.world.administrator.principal, [self.world.space_id]):
            publish_project(actor=self.world.actor(), text=text)
        roles = {"site": "Site user", "qc": "Data manager"}
        roles |= {f"reader{number}": "Reader" for number in range(1, readers + 1)}
        roles |= {f"adjudicator{number}": "Adjudicator" for number in range(1, adjudicators + 1)}
        for name, role in roles.items():
            self.people[name] = self.world.join(role)
        for name in ("site", "qc"):
            self.at_site(self.people[name])

    def at_site(self, person: Person, code: str = "01") -> None:
        with acting_as(self.world.administrator.principal, [self.world.space_id]):
            actor = self.world.actor()
            site = next(site for site in sites(actor) if site.code == code)
            if site.id not in sites_of(actor).get(person.principal.text, set()):
                join_site(actor=actor, principal=person.principal, site_id=site.id)

    def arrive(self, subject: str = "S-001", study_date: str = "20240105", site: str = "01") -> UUID:
        """An exam comes by the site's channel and is placed."""
        with acting_as(self.world.administrator.principal, [self.world.space_id]):
            exam_id = stored_exam(self.world, subject, study_date)
            placed = pipeline_services.place_exam(
                actor=self.world.actor(), exam_id=exam_id, subject_code=subject, site_code=site
            )
            assert not placed.unplaced
        return exam_id

    def tasks(self, who: str = "", step: str = "") -> list[Task]:
        """The tasks of one person, or of all, of one step or all; in order of birth."""
        with acting_as(self.world.administrator.principal, [self.world.space_id]):
            found = list(pipeline.tasks(self.world.actor()).order_by("listing"))
        person = self.people[who].principal.text if who else ""
        return [task for task in found if person in ("", task.assignee) and step in ("", task.step)]

    def states(self, step: str) -> list[str]:
        return [task.state for task in self.tasks(step=step)]

    def visit(self, code: str, step: str = "reading") -> list[Task]:
        """The tasks of a step about a visit that count, by slot."""
        found = [
            task
            for task in self.tasks(step=step)
            if task.state in LIVE and task.unit.visit and task.unit.visit.code == code
        ]
        return sorted(found, key=lambda task: task.slot)

    def now(self, task: Task) -> Task:
        """The task as it is by now."""
        return next(one for one in self.tasks() if one.id == task.id)

    @contextmanager
    def acting(self, who: str = "") -> Iterator[Actor]:
        """The actor of somebody by short name; the administrator without one."""
        person = self.people[who] if who else self.world.administrator
        with acting_as(person.principal, [self.world.space_id]):
            yield self.world.actor(person)

    def open(self, task: Task) -> reads.Opened:
        """Open a task as the person who has it now."""
        with self.acting(self.who(self.now(task))) as actor:
            return reads.open_task(actor=actor, task_id=task.id)

    def save(self, task: Task, base: int, **answers: str) -> reads.SavedRead:
        """Save answers over a revision of the entry, as the person who has the task."""
        with self.acting(self.who(task)) as actor:
            return reads.save_answers(
                actor=actor, task_id=task.id, op_id=ids.uuid7(), base_revision=base,
                changes={name: {"text": text} for name, text in answers.items()},
            )  # fmt: skip

    def submit(self, task: Task, revision: int) -> ReadVersion:
        with self.acting(self.who(task)) as actor:
            return reads.submit_read(actor=actor, task_id=task.id, expected_revision=revision)

    def draft(self, task: Task, **answers: str) -> int:
        """Open and answer a task; the revision to submit."""
        opened = self.open(task)
        return self.save(task, opened.version.entry.revision, **answers).revision

    def who(self, task: Task) -> str:
        return next((name for name, one in self.people.items() if one.principal.text == task.assignee), "")

    def do(self, task: Task, *, not_evaluable: str = "", **answers: str) -> ReadVersion:
        """Open, answer, submit and sign a task as the person who has it; one item may be not evaluable."""
        changes = {name: {"text": text} for name, text in answers.items()}
        if not_evaluable:
            changes[not_evaluable] = {"absent": "not_evaluable"}
        person = self.people[self.who(task)]
        with acting_as(person.principal, [self.world.space_id]):
            actor = self.world.actor(person)
            opened = reads.open_task(actor=actor, task_id=task.id)
            saved = reads.save_answers(
                actor=actor, task_id=task.id, op_id=ids.uuid7(), base_revision=opened.version.entry.revision,
                changes=changes,
            )  # fmt: skip
            reads.submit_read(actor=actor, task_id=task.id, expected_revision=saved.revision)
        return self.sign(task)

    def sign(self, task: Task) -> ReadVersion:
        """Sign what was submitted, as the person who has the task."""
        person = self.people[self.who(task)]
        with acting_as(person.principal, [self.world.space_id]):
            actor = self.world.actor(person)
            version = newest_version(actor, task)
            assert version
            return reads.sign_read(
                actor=actor, task_id=task.id, password=PASSWORD, expected_digest=version.digest
            )

    def correct(self, task: Task, who: str | None = None) -> None:
        """Begin a correction of what was signed, as the person who has the task or as somebody else."""
        with self.acting(self.who(task) if who is None else who) as actor:
            reads.correct_read(actor=actor, task_id=task.id, reason="Second look.")

    def run_again(self, task: Task) -> Task:
        with self.acting() as actor:
            return pipeline_services.rerun_step(actor=actor, task_id=task.id, reason="Again.")

    def cancel(self, task: Task) -> None:
        with self.acting() as actor:
            pipeline_services.cancel_task(actor=actor, task_id=task.id, reason="Mistake.")

    def hand_back(self, task: Task, who: str | None = None) -> None:
        with self.acting(self.who(task) if who is None else who) as actor:
            pipeline_services.hand_back(actor=actor, task_id=task.id, reason="Ill today.")

    def reassign(self, task: Task, to: str) -> None:
        with self.acting() as actor:
            pipeline_services.reassign_task(
                actor=actor, task_id=task.id, to=self.people[to].principal, reason="Holiday."
            )

    def table(self, step: str = "reading") -> ResultTable:
        with self.acting() as actor:
            return results.view_results(actor=actor, step=step)

    def browser(self, who: str = "") -> Client:
        """A browser in which somebody is signed in."""
        person = self.people[who] if who else self.world.administrator
        browser = Client()
        assert browser.login(email=person.email, password=PASSWORD)
        return browser

    def until_reading(self, subject: str = "S-001", study_date: str = "20240105") -> list[Task]:
        """An exam arrives, its subject is eligible and its images are accepted: the open reading tasks."""
        self.arrive(subject, study_date)
        for step, answers in (("eligibility", {"eligible": "yes"}), ("qc", {"verdict": "accept"})):
            for task in self.tasks(step=step):
                if task.state == "open" and task.unit.subject.code == subject:
                    self.do(task, **answers)
        return [
            task
            for task in self.tasks(step="reading")
            if task.state == "open" and task.unit.subject.code == subject
        ]


def gathered(world: World, text: str = TEXT, *, readers: int = 2, adjudicators: int = 1) -> Committee:
    """A committee whose project is published and whose people have joined."""
    committee = Committee(world)
    committee.gather(text, readers=readers, adjudicators=adjudicators)
    return committee


def being_read(text: str = TEXT, *, readers: int = 2, adjudicators: int = 1) -> tuple[Committee, list[Task]]:
    """A committee in a world of its own whose first exam is being read, and the open reading tasks; to begin with."""
    committee = gathered(new_world(), text, readers=readers, adjudicators=adjudicators)
    return committee, committee.until_reading()
