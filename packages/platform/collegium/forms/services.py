"""Publish forms; save, freeze and copy the answers to them. The room that owns an entry has authorised the actor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Max

from collegium.forms import queries
from collegium.forms.changes import placed
from collegium.forms.errors import AnswerLocked, EntryFrozen, EntryIncomplete, EntryStale
from collegium.forms.judge import WHOLE_FORM
from collegium.forms.models import Entry, EntryChange, FormVersion
from collegium.forms.rows import carried_answers
from collegium.kit import clock, ids
from collegium.kit.canonical import canonical, digest
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from collegium.forms.answers import Answer
    from collegium.forms.definition import FormDefinition
    from collegium.forms.judge import FormState
    from collegium.forms.rows import CarriedRow
    from collegium.kit.principals import Actor


_NOTHING: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Saved:
    """What an operation left: the newest revision, the form as judged, and the paths that look different now."""

    revision: int
    state: FormState
    changed: tuple[str, ...]


def publish_form(*, actor: Actor, definition: FormDefinition) -> FormVersion:
    """Freeze a definition as the form's next version; the same definition again is the same version."""
    versions = FormVersion.objects.filter(space_id=actor.space, name=definition.name)
    same = versions.filter(digest=definition.digest).first()
    if same:
        return same
    last = versions.aggregate(last=Max("version"))["last"] or 0
    row = FormVersion.objects.create(
        space_id=actor.space,
        name=definition.name,
        version=last + 1,
        definition=definition.to_json(),
        digest=definition.digest,
    )
    record(
        actor, Action.FORM_PUBLISHED, "forms.form", row.id,
        new={"name": row.name, "version": row.version, "digest": row.digest},
    )  # fmt: skip
    return row


def open_entry(
    *,
    actor: Actor,
    form_version_id: UUID,
    owner: str,
    given: Mapping[str, Answer] | None = None,
    carried: Mapping[str, Sequence[CarriedRow]] | None = None,
) -> Entry:
    """The entry of `owner`, made when there is none.

    Args:
        actor: who opens it; their room has allowed it.
        form_version_id: the form of a new entry.
        owner: whose entry it is.
        given: what a new entry starts with in its given items, by name; read-only from then on.
        carried: the findings of earlier timepoints that a new entry starts with, by group.

    Raises:
        AnswerLocked: `given` names an item that is not given, or `carried` a group that does not carry.
    """
    found = Entry.objects.filter(space_id=actor.space, owner=owner).first()
    if found:
        return queries.entry(actor, found.id)
    start = _start(queries.definition(actor, form_version_id), given or {}, carried or {})
    entry, is_new = Entry.objects.get_or_create(
        space_id=actor.space,
        owner=owner,
        defaults={
            "form_version_id": form_version_id,
            "answers": {path: answer.to_json() for path, answer in start.items()},
            "revision": 1 if start else 0,
        },
    )
    if is_new:
        _note(actor, entry, entry.id, entry.answers)
    return queries.entry(actor, entry.id)


def copy_entry(*, actor: Actor, entry_id: UUID, owner: str) -> Entry:
    """A new draft that starts with the answers of another; its history names the source as its first change."""
    source = queries.entry(actor, entry_id)
    computed = queries.state(source).computed
    answers = {path: answer for path, answer in source.answers.items() if path not in computed}
    entry = Entry.objects.create(
        space_id=actor.space, form_version=source.form_version, owner=owner, answers=answers, revision=1
    )
    _note(actor, entry, source.id, answers)
    return entry


def _start(
    form: FormDefinition, given: Mapping[str, Answer], carried: Mapping[str, Sequence[CarriedRow]]
) -> dict[str, Answer]:
    """The answers a new entry starts with."""
    names = {item.name for item in form.items if item.given}
    carrying = {group.name for group in form.groups.values() if group.carry}
    if not (given.keys() <= names and carried.keys() <= carrying):
        raise AnswerLocked
    start = dict(given)
    for name, rows in carried.items():
        start |= carried_answers(form.groups[name], tuple(rows))
    return start


def _note(
    actor: Actor,
    entry: Entry,
    op_id: UUID,
    answers: Mapping[str, object],
    before: Mapping[str, object] = _NOTHING,
) -> None:
    """Keep answers as changes of the entry's newest revision. `before`: what stood there."""
    EntryChange.objects.bulk_create(
        EntryChange(
            space_id=actor.space, entry=entry, revision=entry.revision, op_id=op_id, item=path,
            old=before.get(path), new=answer, principal=actor.principal.text,
        )
        for path, answer in answers.items()
    )  # fmt: skip


def save_changes(  # noqa: PLR0913  an operation has this many facts
    *,
    actor: Actor,
    entry_id: UUID,
    op_id: UUID,
    base_revision: int,
    changes: Mapping[str, Answer | None],
    language: str = "en",
) -> Saved:
    """Save one operation: all its changes or none. The same `op_id` again changes nothing and answers alike.

    Args:
        actor: who answers; their room has allowed it.
        entry_id: the entry.
        op_id: chosen by the client, one for each operation.
        base_revision: the revision the client saw.
        changes: new answers by path; None empties an item. A draft may be invalid.
        language: of the messages in the judged state.

    Raises:
        EntryFrozen: it was submitted.
        EntryStale: somebody saved since `base_revision`.
        ItemUnknown, AnswerRefused, AnswerLocked, RowCarried, RowsClosed, TooManyRows: the change does not fit the form.
    """
    entry = queries.locked_entry(actor, entry_id)
    before = queries.state(entry, language)
    if EntryChange.objects.filter(space_id=actor.space, entry=entry, op_id=op_id).exists():
        return Saved(entry.revision, before, tuple(changes))
    if entry.frozen_at:
        raise EntryFrozen
    if base_revision != entry.revision:
        raise EntryStale(entry.revision, before)
    fitting = placed(queries.form_of(entry), queries.answers_of(entry), changes)
    stored = {name: answer.to_json() if answer else None for name, answer in fitting.items()}
    moved = {name: new for name, new in stored.items() if entry.answers.get(name) != new}
    if not moved:
        return Saved(entry.revision, before, tuple(changes))
    entry.revision += 1
    _note(actor, entry, op_id, moved, entry.answers)
    entry.answers = {name: body for name, body in (entry.answers | moved).items() if body is not None}
    entry.save(update_fields=["answers", "revision"])
    after = queries.state(entry, language)
    return Saved(entry.revision, after, tuple(dict.fromkeys([*changes, *_different(before, after)])))


def freeze_entry(*, actor: Actor, entry_id: UUID, expected_revision: int) -> Entry:
    """Close a complete entry for good and put its unflushed changes into the audit chain.

    Raises:
        EntryFrozen, EntryStale: as in `save_changes`.
        EntryIncomplete: something required is missing or an answer cannot stand.
    """
    entry = queries.locked_entry(actor, entry_id)
    if entry.frozen_at:
        raise EntryFrozen
    state = queries.state(entry)
    if expected_revision != entry.revision:
        raise EntryStale(entry.revision, state)
    if not state.is_complete:
        problems: dict[str, list[str]] = {}
        for path, problem in state.errors:
            problems.setdefault(path, []).append(problem.message)
        raise EntryIncomplete(problems)
    # From here on the computed values are what they were, whatever becomes of the evaluator.
    computed = {path: answer.to_json() for path, answer in state.computed.items()}
    if computed:
        entry.revision += 1
        entry.answers |= computed
        _note(actor, entry, ids.uuid7(), computed)
    _flush(actor, entry)
    entry.frozen_at = clock.now()
    entry.save(update_fields=["answers", "frozen_at", "flushed_revision", "revision"])
    return entry


def flush_entry(*, actor: Actor, entry_id: UUID) -> None:
    """Put the changes since the last flush into the audit chain, as one digest."""
    entry = queries.locked_entry(actor, entry_id)
    _flush(actor, entry)
    entry.save(update_fields=["flushed_revision"])


def changes_digest(changes: list[EntryChange]) -> str:
    """The digest a flush records: over all facts of the changes, in order. Who verifies computes it again."""
    return digest(
        canonical(
            [
                [str(c.id), c.revision, str(c.op_id), c.item, c.old, c.new, c.principal, c.at.isoformat()]
                for c in changes
            ]
        )
    )


def _flush(actor: Actor, entry: Entry) -> None:
    rows = EntryChange.objects.filter(
        space_id=actor.space, entry=entry, revision__gt=entry.flushed_revision
    ).order_by("revision", "item")
    changes = list(rows)
    if not changes:
        return
    record(
        actor, Action.ENTRY_FLUSHED, "forms.entry", entry.id,
        new={
            "changes": len(changes),
            "digest": changes_digest(changes),
            "from_revision": entry.flushed_revision + 1,
            "owner": entry.owner,
            "to_revision": entry.revision,
        },
    )  # fmt: skip
    entry.flushed_revision = entry.revision


def _different(before: FormState, after: FormState) -> list[str]:
    """The paths that look different now."""
    was = before.by_path
    paths = [path for path, now in after.by_path.items() if was.get(path) != now]
    if (before.problems, before.unjudged) != (after.problems, after.unjudged):
        paths.append(WHOLE_FORM)
    return paths
