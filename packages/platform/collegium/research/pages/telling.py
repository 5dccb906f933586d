"""A project's history in words: labels for things and codes, and consequences by what they followed from."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from collegium.forms.definition import in_language
from collegium.imaging.archive import queries as archive
from collegium.kit import ids
from collegium.research.data_queries import queries as data_queries
from collegium.research.pipeline import queries as pipeline
from collegium.research.pipeline.models import Discrepancy, Unplaced
from collegium.research.projects import queries as projects
from collegium.research.projects.people.barriers import Barrier
from collegium.research.reads import queries as reads
from collegium.trust.access.permissions import Permission
from collegium.trust.access.queries import may
from collegium.trust.audit import queries as audit
from collegium.trust.audit import words
from collegium.trust.identity.queries import names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from uuid import UUID

    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task
    from collegium.research.projects.models import Visit
    from collegium.trust.audit.queries import HistoryLine

_Things = dict[str, tuple[str, str]]


def told(
    actor: Actor, lines: Sequence[HistoryLine], language: str, *, here: Collection[str] = ()
) -> list[words.Told]:
    """Entries of the actor's project as a person reads them, newest first.

    Args:
        actor: who looks; links lead only where they may go.
        lines: entries of the project, newest first.
        language: of the labels.
        here: ids of the things whose page this is.
    """
    nearby = audit.around(actor, lines)
    all_lines = [*lines, *nearby]
    scene = Scene(actor, all_lines, language)
    return words.tell(lines, names(words.people_in(all_lines)), scene=scene, nearby=nearby, here=here)


class Scene:
    """What the things in some entries are called. A handful of queries, however many entries."""

    def __init__(self, actor: Actor, lines: Iterable[HistoryLine], language: str) -> None:
        self._actor, self._language = actor, language
        version = projects.newest_version(actor)
        self._definition = projects.definition(version) if version else None
        self._sites = {site.code: site.name for site in projects.sites(actor)}
        self._keys = {line.id: _key(line) for line in lines}
        by_room: dict[str, set[str]] = defaultdict(set)
        for room, about in self._keys.values():
            by_room[room].add(about)
        self._things: dict[str, _Things] = {
            room: _NAMED[room](self, {one for one in about if ids.parse(one)})
            for room, about in by_room.items()
            if room in _NAMED
        }

    def thing(self, line: HistoryLine) -> tuple[str, str]:
        """What an entry is about, in words, and its page if the actor may open it."""
        room, about = self._keys[line.id]
        if room == "step":
            return self._step(about), ""
        if room == "research.subject":
            return str((line.new or {}).get("code", "")), ""
        return self._things.get(room, {}).get(about, ("", ""))

    def value(self, key: str, text: str) -> str:
        """A recorded code in words."""
        if key == "step":
            return self._step(text)
        if key == "visit":
            return self._visit(text)
        return str(self._sites.get(text, text) if key == "site" else _WORDS.get((key, text), text))

    def tasks(self, about: Iterable[str]) -> _Things:
        """By id: "Independent reading, 01-001, Week 8"."""
        found = pipeline.tasks(self._actor).filter(id__in=list(about))
        return {str(task.id): (self._of_task(task), self._page("project-task", Permission.TASK_VIEW_ALL, task.id))
                for task in found}  # fmt: skip

    def reads(self, about: Iterable[str]) -> _Things:
        """By id of the read: its task."""
        return self._by_task(reads.tasks_of_reads(self._actor, about))

    def read_versions(self, about: Iterable[str]) -> _Things:
        """By id of the version: its task."""
        return self._by_task(reads.tasks_of_versions(self._actor, about))

    def units(self, about: Iterable[str]) -> _Things:
        """By id of the reading unit: subject and visit."""
        found = pipeline.units(self._actor).filter(id__in=list(about))
        return {str(unit.id): (self._of(unit.subject.code, unit.visit), "") for unit in found}

    def discrepancies(self, about: Iterable[str]) -> _Things:
        """By id of the judgement: subject and visit."""
        rows = pipeline.discrepancies(self._actor).filter(id__in=list(about))
        return {str(one.id): (self._of(one.unit.subject.code, one.unit.visit), "") for one in rows}

    def exams(self, about: Iterable[str]) -> _Things:
        """By id: the subject's code and what the exam is."""
        found = archive.exams(self._actor).filter(id__in=list(about))
        return {
            str(exam.id): (
                ", ".join(filter(None, (exam.subject_code, exam.description or exam.modalities))),
                self._page("exam", Permission.EXAM_VIEW, exam.id),
            )
            for exam in found
        }

    def queries(self, about: Iterable[str]) -> _Things:
        """By id: whose subject it is about, and its page."""
        found = data_queries.visible(self._actor).filter(id__in=list(about))
        return {
            str(one.id): (one.subject.code, self._page("query", Permission.QUERY_MANAGE, one.id))
            for one in found
        }

    def _by_task(self, tasks: Mapping[UUID, UUID]) -> _Things:
        named = self.tasks({str(task_id) for task_id in tasks.values()})
        return {str(one): named[str(task_id)] for one, task_id in tasks.items() if str(task_id) in named}

    def _of_task(self, task: Task) -> str:
        definition = projects.definition(task.project_version)
        step = in_language(definition.step(task.step).label, self._language)
        return f"{step}, {self._of(task.unit.subject.code, task.unit.visit)}"

    def _of(self, subject: str, visit: Visit | None) -> str:
        return ", ".join(filter(None, (subject, self._visit(visit.code) if visit else "")))

    def _step(self, name: str) -> str:
        steps = self._definition.pipeline if self._definition else ()
        bare = name.removeprefix("final.")
        label = next((in_language(step.label, self._language) for step in steps if step.name == bare), name)
        return label if bare == name else _("Final results")

    def _visit(self, code: str) -> str:
        planned = self._definition.visit(code) if self._definition and code else None
        return in_language(planned.label, self._language) if planned else code

    def _page(self, name: str, permission: Permission, about: UUID) -> str:
        return reverse(name, args=[self._actor.space, about]) if may(self._actor, permission) else ""


def _key(line: HistoryLine) -> tuple[str, str]:
    """Which kind of thing an entry is about, and its id: as the entry says, or as its values do."""
    said = line.new or {}
    owner = str(said.get("owner", ""))
    for prefix, room in (
        ("research.task:", "research.task"),
        ("research.read_version:", "research.read_version"),
    ):
        if owner.startswith(prefix):
            return room, owner.removeprefix(prefix)
    if "exam" in said:
        return "imaging.exam", str(said["exam"])
    if line.object_kind in ("research.exam", "imaging.exam"):
        return "imaging.exam", line.object_id
    if line.object_kind == "research.results":
        return "step", line.object_id
    if line.object_kind == "research.order":
        return "step", line.object_id.partition(":")[0]
    return line.object_kind, line.object_id


_NAMED = {
    "research.task": Scene.tasks,
    "research.read": Scene.reads,
    "research.read_version": Scene.read_versions,
    "research.unit": Scene.units,
    "research.discrepancy": Scene.discrepancies,
    "imaging.exam": Scene.exams,
    "research.query": Scene.queries,
}
_WORDS = {
    ("outcome", Discrepancy.Outcome.AGREED.value): gettext_lazy("they agree"),
    ("outcome", Discrepancy.Outcome.DIFFERS.value): gettext_lazy("they differ"),
    ("outcome", Discrepancy.Outcome.UNKNOWN.value): gettext_lazy("the rule cannot tell"),
    ("asked_of", "site"): gettext_lazy("the site"),
    ("asked_of", "person"): gettext_lazy("the task's person"),
    **{("why", code): words for code, words in Unplaced.choices},
    **{("why", code): words for code, words in Barrier.choices},
}
