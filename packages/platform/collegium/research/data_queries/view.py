"""A query as one person sees it: a blinded reader by the task's label and without names, all others in full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from collegium.forms.definition import in_language
from collegium.kit.principals import Principal
from collegium.research.data_queries import policies
from collegium.research.data_queries.models import QueryState
from collegium.research.projects import queries as projects
from collegium.trust.identity.queries import names

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from collegium.forms.definition import FormDefinition
    from collegium.kit.principals import Actor
    from collegium.research.data_queries.models import DataQuery
    from collegium.research.pipeline.models import Task


@dataclass(frozen=True, slots=True)
class MessageView:
    """One turn of the dialogue."""

    who: str
    act: str
    text: str
    at: datetime
    is_own: bool


@dataclass(frozen=True, slots=True)
class QueryView:
    """A query in a list, beside an item, or on its own page."""

    id: UUID
    space_id: UUID
    listing: UUID
    subject: str
    visit: str
    step: str
    item: str
    path: str
    kind: str
    kind_word: str
    state: str
    asked_of: str
    text: str
    opened_by: str
    opened_at: datetime
    messages: tuple[MessageView, ...]
    task_id: UUID | None
    is_blind: bool
    may_answer: bool
    may_close: bool
    may_reopen: bool

    @property
    def is_open(self) -> bool:
        return self.state == QueryState.OPEN

    @property
    def latest(self) -> MessageView:
        """What was said last."""
        return self.messages[-1]


@dataclass(frozen=True, slots=True)
class PageQueries:
    """The live queries of one task, by the path of their item; those about the whole task under no path."""

    by_path: Mapping[str, Sequence[QueryView]]
    all: tuple[QueryView, ...]

    @classmethod
    def of(cls, views: Sequence[QueryView]) -> PageQueries:
        by_path: dict[str, list[QueryView]] = {}
        for view in views:
            by_path.setdefault(view.path, []).append(view)
        return cls(by_path, tuple(views))

    @property
    def open_count(self) -> int:
        return sum(view.is_open for view in self.all)

    @property
    def general(self) -> Sequence[QueryView]:
        """Those about the whole task."""
        return self.by_path.get("", ())


def shown(actor: Actor, query: DataQuery, language: str = "en") -> QueryView:
    """The query for this actor, who may see it; its dialogue has been fetched with it."""
    return all_shown(actor, [query], language)[0]


def all_shown(actor: Actor, rows: Sequence[DataQuery], language: str = "en") -> list[QueryView]:
    """Several at once: one question for all names, one for the actor's sites."""
    texts = {row.opened_by for row in rows} | {one.written_by for row in rows for one in row.messages.all()}
    people = [Principal.parse(text) for text in texts if text]
    known = names(one.id for one in people if one.kind == "person")
    seen = _Seen(actor, known, policies.sites_asked(actor), projects.visit_names(actor, language), language)
    return [_view(seen, row) for row in rows]


@dataclass(frozen=True, slots=True)
class _Seen:
    """Who looks, and what is the same for every query they look at."""

    actor: Actor
    names: Mapping[UUID, str]
    sites: Collection[UUID]
    visits: Mapping[str, str]
    language: str


def _view(seen: _Seen, query: DataQuery) -> QueryView:
    actor = seen.actor
    is_blind, handles = policies.is_blind(actor, query), policies.may_handle(actor, query)
    task = query.task
    # A site never learns which task or reader its question came from.
    tells_task = task is not None and (is_blind or policies.manages_all(actor))
    step, item = _place(task, query.item, seen.language) if task and tells_task else ("", "")
    messages = sorted(query.messages.all(), key=lambda one: one.id)
    return QueryView(
        id=query.id,
        space_id=query.space_id,
        listing=query.listing,
        subject=task.label if task and is_blind else query.subject.code,
        visit="" if is_blind or not query.visit else seen.visits.get(query.visit.code, query.visit.code),
        step=step,
        item=item,
        path=query.item,
        kind=query.kind,
        kind_word=str(query.get_kind_display()),
        state=query.state,
        asked_of=query.asked_of,
        text=query.text,
        opened_by=_who(actor, query.opened_by, seen.names, is_blind=is_blind),
        opened_at=query.opened_at,
        messages=tuple(
            MessageView(
                _who(actor, one.written_by, seen.names, is_blind=is_blind),
                str(one.get_act_display()),
                one.text,
                one.written_at,
                one.written_by == actor.principal.text,
            )
            for one in messages
        ),
        task_id=task.id if task and tells_task else None,
        is_blind=is_blind,
        may_answer=query.state == QueryState.OPEN and policies.may_answer(actor, query, seen.sites),
        may_close=query.state != QueryState.CLOSED and handles,
        may_reopen=query.state != QueryState.OPEN and handles,
    )


def _place(task: Task, path: str, language: str) -> tuple[str, str]:
    """The step and the item of a query, in words."""
    definition = projects.definition(task.project_version)
    step = definition.step(task.step)
    return in_language(step.label, language), item_label(definition.forms[step.form], path, language)


def item_label(form: FormDefinition, path: str, language: str) -> str:
    """What the form calls the answer at this path; nothing for the whole form."""
    group, item = form.groups.get(path.split(".", maxsplit=1)[0]), form.item_at(path)
    labels = [part.label for part in (group, item) if part]
    return ": ".join(in_language(label, language) for label in labels)


def _who(actor: Actor, text: str, known: Mapping[UUID, str], *, is_blind: bool) -> str:
    if not text:
        return _("A check of the form")
    if text == actor.principal.text:
        return _("You")
    if is_blind:
        return _("Data management")
    return known.get(Principal.parse(text).id, _("The installation"))
