"""Entries in the database: every change is kept, in order, and enters the audit chain as one digest a flush."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from django.db import DatabaseError, connection

from collegium.forms import queries, services
from collegium.forms.answers import Answer, AnswerKind
from collegium.forms.errors import AnswerRefused, EntryFrozen, EntryStale, ItemUnknown
from collegium.forms.models import EntryChange
from collegium.kit import ids
from collegium.kit.database import acting_as
from collegium.kit.errors import NotFound
from collegium.research.projects.project_file import parse_project
from collegium.trust.audit.models import AuditEntry
from collegium_testkit.study import EXAMPLE

if TYPE_CHECKING:
    from uuid import UUID

    from collegium_testkit.world import World

FORM = parse_project(EXAMPLE).forms["lesion"]


def value(text: str) -> Answer:
    return Answer(AnswerKind.VALUE, text)


def new_entry(world: World) -> UUID:
    with acting_as(world.administrator.principal, [world.space_id]):
        version = services.publish_form(actor=world.actor(), definition=FORM)
        return services.open_entry(actor=world.actor(), form_version_id=version.id, owner="test").id


def save(world: World, entry: UUID, base: int, **changes: Answer | None) -> services.Saved:
    with acting_as(world.administrator.principal, [world.space_id]):
        return services.save_changes(
            actor=world.actor(), entry_id=entry, op_id=ids.uuid7(), base_revision=base, changes=changes
        )


def test_every_change_is_kept_with_who_when_old_and_new(world: World) -> None:
    entry = new_entry(world)

    save(world, entry, 0, quality=value("3"))
    save(world, entry, 1, quality=value("4"))
    save(world, entry, 2, quality=None)

    with acting_as(world.administrator.principal, [world.space_id]):
        kept = [
            (row.revision, row.old, row.new, row.principal) for row in queries.changes(world.actor(), entry)
        ]
    three, four, who = (
        {"kind": "value", "value": "3"},
        {"kind": "value", "value": "4"},
        world.administrator.principal,
    )
    assert kept == [(3, four, None, who.text), (2, three, four, who.text), (1, None, three, who.text)]


def test_saving_what_is_there_already_is_no_change(world: World) -> None:
    entry = new_entry(world)
    save(world, entry, 0, quality=value("3"))

    saved = save(world, entry, 1, quality=value("3"))

    assert saved.revision == 1


def test_a_flush_puts_one_digest_of_the_changes_into_the_chain_that_can_be_computed_again(
    world: World,
) -> None:
    entry = new_entry(world)
    save(world, entry, 0, quality=value("3"), lesion=value("no"))
    save(world, entry, 1, quality=value("4"))

    with acting_as(world.administrator.principal, [world.space_id]):
        services.flush_entry(actor=world.actor(), entry_id=entry)
        services.flush_entry(actor=world.actor(), entry_id=entry)

    with acting_as(world.administrator.principal, [world.space_id]):
        (noted,) = AuditEntry.objects.filter(space_id=world.space_id, action="forms.entry.flushed")
        changes = list(EntryChange.objects.filter(entry_id=entry).order_by("revision", "item"))
    new = json.loads(noted.body)["new"]
    assert (new["changes"], new["from_revision"], new["to_revision"]) == (3, 1, 2)
    assert new["digest"] == services.changes_digest(changes)


def test_a_frozen_entry_takes_no_change(world: World) -> None:
    entry = new_entry(world)
    save(world, entry, 0, quality=value("3"), lesion=value("no"))
    with acting_as(world.administrator.principal, [world.space_id]):
        services.freeze_entry(actor=world.actor(), entry_id=entry, expected_revision=1)

    with pytest.raises(EntryFrozen):
        save(world, entry, 1, quality=value("4"))


def test_freezing_another_revision_than_was_looked_at_is_refused(world: World) -> None:
    entry = new_entry(world)
    save(world, entry, 0, quality=value("3"), lesion=value("no"))

    with acting_as(world.administrator.principal, [world.space_id]), pytest.raises(EntryStale):
        services.freeze_entry(actor=world.actor(), entry_id=entry, expected_revision=0)


def test_a_measured_item_without_a_mark_and_an_unknown_item_are_refused(world: World) -> None:
    entry = new_entry(world)

    with pytest.raises(AnswerRefused):
        save(world, entry, 0, diameter=value("12"))
    with pytest.raises(ItemUnknown):
        save(world, entry, 0, nothing=value("12"))


def test_the_same_definition_is_published_once_and_another_is_the_next_version(world: World) -> None:
    other = parse_project(EXAMPLE.replace("max: 5\n", "max: 9\n")).forms["lesion"]

    with acting_as(world.administrator.principal, [world.space_id]):
        versions = [
            services.publish_form(actor=world.actor(), definition=form).version
            for form in (FORM, FORM, other)
        ]

    assert versions == [1, 1, 2]


@pytest.mark.parametrize("table", ["forms_entrychange", "forms_formversion"])
def test_changes_and_published_forms_cannot_be_removed(world: World, table: str) -> None:
    entry = new_entry(world)
    save(world, entry, 0, quality=value("3"))

    with (
        acting_as(world.administrator.principal, [world.space_id]),
        pytest.raises(DatabaseError, match="permission denied"),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"delete from {table}")


def test_an_entry_of_another_project_is_not_found(world: World, other_world: World) -> None:
    entry = new_entry(world)

    with acting_as(other_world.administrator.principal), pytest.raises(NotFound):
        queries.entry(other_world.actor(), entry)
