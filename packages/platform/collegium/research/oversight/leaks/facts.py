"""What a project keeps from blinded people: gathered once, then told person by person.

Pure but for its input: the rows come from `queries`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from collegium.research.oversight.leaks.hidden import Needle
from collegium.research.projects.definition import SubjectLabel, Told
from collegium.trust.access.permissions import Permission

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date
    from uuid import UUID

    from django.contrib.auth.base_user import AbstractBaseUser

    from collegium.kit.principals import Principal
    from collegium.research.projects.definition import Blinding

_SEES_IMAGES = frozenset({Permission.EXAM_VIEW})
_SEES_SUBJECTS = frozenset({
    Permission.SUBJECT_VIEW, Permission.TASK_VIEW_ALL, Permission.RESULTS_VIEW, Permission.SITE_VIEW,
})  # fmt: skip
OF_AN_EXAM = " of an exam"
DESCRIPTION = "StudyDescription" + OF_AN_EXAM
_SINGLE_WORD_FROM = 12
"""A single word of a header counts as telling on a page from this length; a shorter one is told by its attribute."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the project."""

    principal: Principal
    account: AbstractBaseUser
    name: str
    email: str
    role: str
    permissions: frozenset[str]

    @property
    def is_blinded(self) -> bool:
        """Whether there is something to keep from them: they may open neither exams nor lists of subjects."""
        return not self.permissions & (_SEES_IMAGES | _SEES_SUBJECTS)

    @property
    def title(self) -> str:
        return f"{self.name} ({self.role})"


@dataclass(frozen=True, slots=True)
class OwnTask:
    """A task as far as the check needs it; `born` orders tasks by arrival."""

    id: UUID
    label: str
    assignee: str
    step: str
    state: str
    born: str
    subject: str
    visit: str
    site: str
    blinding: Blinding
    words: str
    """What its form and step say: the reader sees it."""
    days: tuple[date, ...]


@dataclass(frozen=True)
class Facts:
    """Everything of a project that somebody may not know."""

    project: str
    space_id: UUID
    members: tuple[Member, ...]
    tasks: tuple[OwnTask, ...]
    archive_ids: tuple[Needle, ...]
    """UIDs, row ids, blob keys and digests: nobody who is blinded may find one."""
    foreign: dict[str, str]
    """Ids by part of an address: rows that a blinded person may not open."""
    subjects: tuple[tuple[str, UUID], ...]
    sites: tuple[tuple[str, str, UUID], ...]
    visits: tuple[tuple[str, tuple[str, ...]], ...]
    """Codes with their labels in every language."""
    dates: frozenset[str]
    attributes: tuple[tuple[str, str], ...]
    """Descriptive attributes: keyword and value."""
    doors: tuple[str, ...]
    """Names of gateways and channels."""
    product: str
    """The words of the product's own pages."""
    worked: dict[str, set[date]] = field(default_factory=dict)
    """Days on which each principal did something: they stand in the person's own history."""
    has_open_results: bool = False
    """Whether a second person opened the final results to those who look on."""

    def tasks_of(self, member: Member) -> list[OwnTask]:
        return [task for task in self.tasks if task.assignee == member.principal.text]

    def kept_from(self, member: Member, own: list[OwnTask]) -> Iterator[Needle]:
        """What this person must not find anywhere."""
        yield from self._subjects(member, own)
        yield from self._places(member, own)
        yield from self.archive_ids
        yield from self._people(member)
        granted = {keyword for task in own for keyword in task.blinding.show}
        if not any("Date" in keyword for keyword in granted):
            yield from (Needle("date", day) for day in self.dates)
        yield from (
            Needle(keyword + OF_AN_EXAM, value)
            for keyword, value in self.attributes
            if keyword not in granted and _tells(value)
        )
        if Permission.GATEWAY_MANAGE not in member.permissions:
            yield from (Needle("gateway", name) for name in self.doors)
        mine = {task.id for task in own}
        yield from (
            Needle("task of somebody else", str(task.id)) for task in self.tasks if task.id not in mine
        )

    def seen_by(self, member: Member, own: list[OwnTask]) -> str:
        """Text that the person may see: words and days of it tell nothing."""
        days = {day for task in own for day in task.days} | self.worked.get(member.principal.text, set())
        words = {task.words for task in own}
        return "\n".join([
            self.project, self.product, member.name, member.email, *words, *(day.isoformat() for day in sorted(days)),
        ])  # fmt: skip

    def _subjects(self, member: Member, own: list[OwnTask]) -> Iterator[Needle]:
        if member.permissions & _SEES_SUBJECTS:
            return
        by_code = {task.subject for task in own if task.blinding.subject_label is SubjectLabel.CODE}
        reads_results = self._reads_results(member)
        for code, id_ in self.subjects:
            if code not in by_code and not reads_results:
                yield Needle("subject code", code)
            yield Needle("row of a subject", str(id_))

    def _places(self, member: Member, own: list[OwnTask]) -> Iterator[Needle]:
        if Permission.PROJECT_VIEW in member.permissions:
            return
        sites = {task.site for task in own if Told.SITE in task.blinding.tell}
        visits = {task.visit for task in own if Told.VISIT in task.blinding.tell}
        if Permission.BOARD_VIEW in member.permissions:  # the board counts by site and by visit
            sites |= {code for code, _name, _id in self.sites}
            visits |= {code for code, _labels in self.visits}
        for code, name, id_ in self.sites:
            yield Needle("row of a site", str(id_))
            if code not in sites:
                yield from (Needle("site", code), Needle("site", name))
        for code, labels in self.visits:
            if code not in visits:
                yield from (Needle("visit", word) for word in (code, *labels))

    def _reads_results(self, member: Member) -> bool:
        """Whether the tables of final results, which name subjects, are open to this person."""
        looks_on = (
            Permission.BOARD_VIEW in member.permissions and Permission.READ_WRITE not in member.permissions
        )
        return self.has_open_results and looks_on

    def _people(self, member: Member) -> Iterator[Needle]:
        for other in self.members:
            if other.principal == member.principal:
                continue
            yield Needle("e-mail of somebody else", other.email)
            if Permission.MEMBERS_VIEW not in member.permissions:
                yield Needle("name of somebody else", other.name)
                yield Needle("principal of somebody else", str(other.principal.id))


def allowed_fields(tasks: Iterable[OwnTask]) -> frozenset[str]:
    """The keywords that these tasks may be shown."""
    return frozenset(keyword for task in tasks for keyword in task.blinding.show)


def _tells(value: str) -> bool:
    return " " in value.strip() or any(c.isdigit() for c in value) or len(value) >= _SINGLE_WORD_FROM
