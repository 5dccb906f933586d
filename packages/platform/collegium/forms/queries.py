"""Read forms, entries and their history. An entry's owner has authorised the reader."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.db import connection

from collegium.forms.answers import Answer
from collegium.forms.definition import FormDefinition
from collegium.forms.judge import FormState, judge
from collegium.forms.models import Entry, EntryChange, FormVersion
from collegium.kit.errors import NotFound
from collegium.kit.principals import Principal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import timedelta
    from uuid import UUID

    from django.db.models import QuerySet

    from collegium.kit.principals import Actor


def definition(actor: Actor, form_version_id: UUID) -> FormDefinition:
    """A published form.

    Raises:
        NotFound: not a form of the actor's space.
    """
    row = FormVersion.objects.filter(space_id=actor.space, id=form_version_id).first()
    if row is None:
        raise NotFound
    return parsed(row.definition)


def form_of(row: Entry) -> FormDefinition:
    """The form of an entry. A published form never changes, so it is read once a process."""
    known = _forms.get(row.form_version_id)
    if known is None:
        if len(_forms) > KEPT:
            _forms.clear()
        known = _forms[row.form_version_id] = parsed(row.form_version.definition)
    return known


KEPT = 500
"""Forms a process keeps compiled."""

_forms: dict[UUID, FormDefinition] = {}


@lru_cache(maxsize=256)
def parsed(text: str) -> FormDefinition:
    """A frozen definition with its rules compiled, once a process."""
    return FormDefinition.from_json(text)


def entry(actor: Actor, entry_id: UUID) -> Entry:
    """An entry with its form version.

    Raises:
        NotFound: not an entry of the actor's space.
    """
    return _one(_entries(actor), entry_id)


def locked_entry(actor: Actor, entry_id: UUID) -> Entry:
    """The same, locked until the transaction ends."""
    return _one(Entry.objects.filter(space_id=actor.space).select_for_update(of=("self",)), entry_id)


def answers_of(row: Entry) -> dict[str, Answer]:
    """The answers of an entry as values."""
    stored: Mapping[str, Mapping[str, Any]] = row.answers  # Any: JSON
    return {name: Answer.from_json(body) for name, body in stored.items()}


def state(row: Entry, language: str = "en") -> FormState:
    """The entry as judged now; of a frozen one the computed values are those that were frozen."""
    return judge(form_of(row), answers_of(row), language, is_frozen=row.frozen_at is not None)


def answers_by_entry(actor: Actor, entry_ids: Iterable[UUID]) -> dict[UUID, dict[str, Answer]]:
    """The answers that count, of several entries."""
    return {row.id: counted_answers(row) for row in _entries(actor).filter(id__in=set(entry_ids))}


def counted_answers(row: Entry) -> dict[str, Answer]:
    """The answers of an entry that count, by path: those of items that are shown, and the rows of groups."""
    return state(row).counted


def changes(actor: Actor, entry_id: UUID, *, limit: int = 500) -> list[EntryChange]:
    """The newest changes of an entry, newest first."""
    found = EntryChange.objects.filter(space_id=actor.space, entry_id=entry_id)
    return list(found.order_by("-revision", "item")[:limit])


@dataclass(frozen=True, slots=True)
class IdleEntry:
    """An entry with changes that are in no audit chain yet, and who made the newest of them."""

    space_id: UUID
    entry_id: UUID
    principal: Principal


def idle_entries(*, idle: timedelta, limit: int = 500) -> list[IdleEntry]:
    """Entries of all spaces that wait for a flush, idle longest first: the installation's question.

    Entries whose person left the project are left out: nobody acts for who has no rights.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select space, entry, principal from forms_idle_entries(make_interval(secs => %s), %s)",
            [idle.total_seconds(), limit],
        )
        return [IdleEntry(space, one, Principal.parse(who)) for space, one, who in cursor.fetchall()]


def _entries(actor: Actor) -> QuerySet[Entry]:
    return Entry.objects.filter(space_id=actor.space).select_related("form_version")


def _one(entries: QuerySet[Entry], entry_id: UUID) -> Entry:
    row = entries.filter(id=entry_id).first()
    if row is None:
        raise NotFound
    return row
