"""Open, answer, close and reopen data queries. Lock order: after task, read, entry and mark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse

from collegium.kit import clock, live
from collegium.kit.canonical import digest
from collegium.kit.errors import NotFound
from collegium.kit.principals import Principal
from collegium.notifications.services import NotificationKind, tell, withdraw
from collegium.research.data_queries import policies, queries
from collegium.research.data_queries.errors import (
    NobodyToAsk,
    QueryItemUnknown,
    QueryMoved,
    QueryTextNeeded,
    SiteCannotBeAsked,
    TextNamesSubject,
)
from collegium.research.data_queries.models import (
    Act,
    AskedOf,
    DataQuery,
    QueryKind,
    QueryMessage,
    QueryState,
)
from collegium.research.data_queries.view import item_label
from collegium.research.pipeline import queries as pipeline
from collegium.research.projects import queries as projects
from collegium.research.projects.definition import StepKind
from collegium.trust.access.policies import Permission, require
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from collegium.kit.principals import Actor
    from collegium.research.data_queries.checks import Failed
    from collegium.research.pipeline.models import Task
    from collegium.research.projects.models import Subject

KIND = "research.query"
TEXT_LENGTH = 1000
_SITE_ANSWERS = (StepKind.FORM, StepKind.QC)
_SHORTEST_NAME = 4
"""A shorter site name says too little to be looked for in a text."""


def open_task_query(
    *, actor: Actor, task_id: UUID, text: str, item: str = "", asked_of: AskedOf = AskedOf.PERSON
) -> DataQuery:
    """Ask about a task, or about one answer of it.

    Args:
        actor: who handles queries.
        task_id: the task.
        text: the question; without the subject's code when its person may not know it.
        item: path of the answer; empty for the whole task.
        asked_of: the task's person, or the subject's site. A site is never asked about a read.

    Raises:
        NotFound: no such task in the project, or of a site that is not the actor's.
        QueryTextNeeded, TextNamesSubject, QueryItemUnknown, SiteCannotBeAsked, NobodyToAsk: nothing was asked.
    """
    require(actor, Permission.QUERY_MANAGE)
    task = pipeline.locked_task(actor, task_id)
    _require_own(actor, task.unit.subject)
    if not policies.manages_all(actor) and asked_of is AskedOf.PERSON:
        raise NotFound
    step = projects.definition(task.project_version).step(task.step)
    if asked_of is AskedOf.SITE and (step.kind not in _SITE_ANSWERS or not task.unit.subject.site_id):
        raise SiteCannotBeAsked
    if asked_of is AskedOf.PERSON and not task.assignee:
        raise NobodyToAsk
    form = projects.definition(task.project_version).forms[step.form]
    if item and not item_label(form, item, ""):
        raise QueryItemUnknown
    said = _text(text)
    if asked_of is AskedOf.PERSON:
        _require_blind_safe(task, said)
    query = DataQuery(
        space_id=actor.space, subject=task.unit.subject, visit=task.unit.visit, task=task, item=item,
        kind=QueryKind.MANUAL, asked_of=asked_of, text=said, opened_by=actor.principal.text,
    )  # fmt: skip
    _open(actor, query, actor.principal.text)
    _tell_asked(actor, query)
    return query


def open_subject_query(*, actor: Actor, subject_id: UUID, text: str, visit_code: str = "") -> DataQuery:
    """Ask a site about one of its subjects: a missing exam, a corrective action.

    Raises:
        NotFound: no such subject in the project, or of a site that is not the actor's.
        SiteCannotBeAsked: the subject belongs to no site.
        QueryTextNeeded: nothing was asked.
    """
    require(actor, Permission.QUERY_MANAGE)
    subject = projects.locked_subject(actor, subject_id)
    _require_own(actor, subject)
    if subject.site_id is None:
        raise SiteCannotBeAsked
    visit = next((one for one in projects.visits_of(subject) if one.code == visit_code), None)
    query = DataQuery(
        space_id=actor.space, subject=subject, visit=visit, kind=QueryKind.MANUAL, asked_of=AskedOf.SITE,
        text=_text(text), opened_by=actor.principal.text,
    )  # fmt: skip
    _open(actor, query, actor.principal.text)
    _tell_asked(actor, query)
    return query


def open_system_queries(*, actor: Actor, task: Task, problems: Iterable[Failed]) -> None:
    """Bring the system queries of a task up to its failed checks; again is a no-op.

    A failure opens one query an item and rule. When its check holds again the query closes by itself. A failure
    that a person accepted, by closing its query, is not asked about again until the check has held in between.

    Args:
        actor: whose change was judged.
        task: the task, locked.
        problems: every check that fails now (`checks.failed_checks`).
    """
    failing = {(one.item, one.rule): one for one in problems}
    rows = DataQuery.objects.select_for_update(of=("self",)).filter(
        space_id=actor.space, task=task, kind=QueryKind.SYSTEM, is_cured=False
    )
    known = {(row.item, row.rule): row for row in rows}
    for key, row in known.items():
        if key not in failing:
            _cure(actor, row)
    for key, failure in failing.items():
        if key not in known:
            query = DataQuery(
                space_id=actor.space, subject=task.unit.subject, visit=task.unit.visit, task=task,
                item=failure.item, rule=failure.rule, kind=QueryKind.SYSTEM, asked_of=AskedOf.PERSON,
                text=failure.text[:TEXT_LENGTH],
            )  # fmt: skip
            _open(actor, query, "")


def answer_query(*, actor: Actor, query_id: UUID, text: str) -> DataQuery:
    """Answer a query that was put to the actor.

    Raises:
        NotFound: no query the actor may see.
        NotAskedOfYou: it was put to somebody else.
        QueryMoved: it is answered or closed.
        QueryTextNeeded: nothing was said.
    """
    query = queries.locked_query(actor, query_id)
    policies.require_asked(actor, query)
    if query.state != QueryState.OPEN:
        raise QueryMoved
    query.answered_at = clock.now()
    _move(actor, query, Act.ANSWERED, _text(text))
    withdraw(actor, about=query.id, kinds=[NotificationKind.QUERY_OPENED])
    if query.opened_by:
        _tell(actor, query, {query.opened_by}, NotificationKind.QUERY_ANSWERED)
    return query


def close_query(*, actor: Actor, query_id: UUID, text: str = "") -> DataQuery:
    """End a query, with or without a last word.

    Raises:
        Refused, NotFound: not the actor's to close; nobody closes a query about an own task.
        QueryMoved: it is closed already.
        TextNamesSubject: nothing was closed.
    """
    query = _handled(actor, query_id)
    if query.state == QueryState.CLOSED:
        raise QueryMoved
    said = _text(text, is_needed=False)
    _require_safe(query, said)
    query.closed_at = clock.now()
    _move(actor, query, Act.CLOSED, said)
    withdraw(actor, about=query.id, kinds=[NotificationKind.QUERY_OPENED, NotificationKind.QUERY_ANSWERED])
    return query


def reopen_query(*, actor: Actor, query_id: UUID, text: str) -> DataQuery:
    """Ask again: the answer does not do.

    Raises:
        Refused, NotFound: not the actor's to ask.
        QueryMoved: it is open.
        QueryTextNeeded, TextNamesSubject: nothing was asked.
    """
    query = _handled(actor, query_id)
    if query.state == QueryState.OPEN:
        raise QueryMoved
    said = _text(text)
    _require_safe(query, said)
    query.answered_at = query.closed_at = None
    _move(actor, query, Act.REOPENED, said)
    withdraw(actor, about=query.id, kinds=[NotificationKind.QUERY_ANSWERED])
    _tell_asked(actor, query)
    return query


def _handled(actor: Actor, query_id: UUID) -> DataQuery:
    require(actor, Permission.QUERY_MANAGE)
    query = queries.locked_query(actor, query_id)
    if not policies.may_handle(actor, query):
        raise NotFound
    return query


def _cure(actor: Actor, query: DataQuery) -> None:
    """The check holds again: what was still asked is asked no more."""
    query.is_cured = True
    query.save(update_fields=["is_cured"])
    if query.state != QueryState.CLOSED:
        query.closed_at = clock.now()
        _move(actor, query, Act.CLOSED, "", by_itself=True)


def _open(actor: Actor, query: DataQuery, written_by: str) -> None:
    query.save(force_insert=True)
    _say(actor, query, Act.OPENED, query.text, written_by)
    about = {"item": query.item} if query.item else {}
    record(
        actor, Action.QUERY_OPENED, KIND, query.id,
        new={**about, "asked_of": query.asked_of, "digest": digest(query.text), "kind": query.kind,
             "subject": query.subject.code, "task": str(query.task_id) if query.task_id else None},
    )  # fmt: skip


_MOVES = {
    Act.ANSWERED: (QueryState.ANSWERED, Action.QUERY_ANSWERED),
    Act.CLOSED: (QueryState.CLOSED, Action.QUERY_CLOSED),
    Act.REOPENED: (QueryState.OPEN, Action.QUERY_REOPENED),
}


def _move(actor: Actor, query: DataQuery, act: Act, text: str, *, by_itself: bool = False) -> DataQuery:
    before = query.state
    query.state, action = _MOVES[act]
    query.save(update_fields=["state", "answered_at", "closed_at"])
    _say(actor, query, act, text, "" if by_itself else actor.principal.text)
    record(
        actor, action, KIND, query.id,
        old={"state": str(before)}, new={"digest": digest(text), "state": str(query.state)},
    )  # fmt: skip
    return query


def _say(actor: Actor, query: DataQuery, act: Act, text: str, written_by: str) -> None:
    QueryMessage.objects.create(space_id=actor.space, query=query, act=act, text=text, written_by=written_by)
    _wake(actor, query)


def _wake(actor: Actor, query: DataQuery) -> None:
    """Open pages of both sides, and of those who oversee, load the query again."""
    wrote = {one.written_by for one in QueryMessage.objects.filter(space_id=actor.space, query=query)}
    for text in sorted({*queries.people_asked(actor, query), query.opened_by, *wrote} - {""}):
        live.changed(person=Principal.parse(text).behalf.id, thing="queries")
    live.changed(space=actor.space, thing="queries")


def _tell_asked(actor: Actor, query: DataQuery) -> None:
    """Whom the query was put to: the task's person, or the people of the site who may see it."""
    asked = queries.people_asked(actor, query)
    _tell(actor, query, asked, NotificationKind.QUERY_OPENED)


def _tell(actor: Actor, query: DataQuery, people: Iterable[str], kind: NotificationKind) -> None:
    """Say that there is something, never what: the address holds nothing but random ids."""
    address = reverse("query", args=[query.space_id, query.id])
    for text in sorted(people):
        if text != actor.principal.text:
            tell(actor, to=Principal.parse(text), kind=kind, address=address, about=query.id)


def _text(text: str, *, is_needed: bool = True) -> str:
    said = text.strip()
    if len(said) > TEXT_LENGTH or (is_needed and not said):
        raise QueryTextNeeded
    return said


def _require_own(actor: Actor, subject: Subject) -> None:
    if not policies.may_ask_about(actor, subject):
        raise NotFound


def _require_safe(query: DataQuery, text: str) -> None:
    if query.task is not None and query.asked_of == AskedOf.PERSON:
        _require_blind_safe(query.task, text)


def _require_blind_safe(task: Task, text: str) -> None:
    """A question to a blinded person names neither the subject nor its site."""
    if not policies.hides_subject(task):
        return
    subject = task.unit.subject
    site = subject.site.name if subject.site and len(subject.site.name) >= _SHORTEST_NAME else ""
    if any(name and name.casefold() in text.casefold() for name in (subject.code, site)):
        raise TextNamesSubject
