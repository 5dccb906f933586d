"""Answers that were saved and then left alone enter the audit chain by themselves, once."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import psycopg
import pytest

from collegium.forms import jobs, queries, services
from collegium.forms.answers import Answer, AnswerKind
from collegium.kit import ids
from collegium.kit.database import acting_as
from collegium.research.projects.project_file import parse_project
from collegium.trust.audit.models import AuditEntry
from collegium.trust.tenancy import services as tenancy
from collegium.trust.tenancy.queries import members
from collegium_testkit.study import EXAMPLE

if TYPE_CHECKING:
    from uuid import UUID

    from collegium_testkit.world import Person, World

pytestmark = pytest.mark.requirement("S01")

FORM = parse_project(EXAMPLE).forms["lesion"]


@pytest.fixture
def reader(world: World) -> Person:
    return world.join("Reader")


def saved_entry(world: World, person: Person) -> UUID:
    """An entry with one saved change of `person`."""
    with acting_as(person.principal, [world.space_id]):
        actor = world.actor(person)
        version = services.publish_form(actor=actor, definition=FORM)
        entry = services.open_entry(actor=actor, form_version_id=version.id, owner=str(ids.uuid7()))
        services.save_changes(
            actor=actor,
            entry_id=entry.id,
            op_id=ids.uuid7(),
            base_revision=0,
            changes={"quality": Answer(AnswerKind.VALUE, "3")},
        )
    return entry.id


def let_a_minute_pass(entry_id: UUID) -> None:
    """Age the changes of an entry, as its owner alone could."""
    with psycopg.connect(os.environ["COLLEGIUM_OWNER_DATABASE_URL"], autocommit=True) as owner:
        owner.execute("set session_replication_role = replica")
        owner.execute(
            "update forms_entrychange set at = at - interval '61 seconds' where entry_id = %s", [entry_id]
        )


def leave(world: World, person: Person) -> None:
    with acting_as(world.administrator.principal, [world.space_id]):
        actor = world.actor()
        (member,) = [one for one in members(actor) if one.principal == person.principal]
        tenancy.end_membership(actor=actor, membership_id=member.id)


def flushes(world: World) -> list[AuditEntry]:
    with acting_as(world.administrator.principal, [world.space_id]):
        return list(AuditEntry.objects.filter(space_id=world.space_id, action="forms.entry.flushed"))


def test_an_idle_entry_is_flushed_on_behalf_of_who_changed_it(world: World, reader: Person) -> None:
    entry = saved_entry(world, reader)
    let_a_minute_pass(entry)

    jobs.flush_idle(0)

    (noted,) = flushes(world)
    assert (noted.object_id, noted.principal) == (str(entry), f"job:forms.flush|{reader.principal}")
    assert json.loads(noted.body)["new"]["to_revision"] == 1


def test_an_entry_that_was_just_changed_is_left_alone(world: World, reader: Person) -> None:
    saved_entry(world, reader)

    jobs.flush_idle(0)

    assert flushes(world) == []


def test_two_runs_flush_once(world: World, reader: Person) -> None:
    let_a_minute_pass(saved_entry(world, reader))

    jobs.flush_idle(0)
    jobs.flush_idle(60)

    assert len(flushes(world)) == 1


def test_who_left_the_project_keeps_nobody_from_being_flushed(world: World, reader: Person) -> None:
    left_behind, other = saved_entry(world, reader), saved_entry(world, world.administrator)
    let_a_minute_pass(left_behind)
    let_a_minute_pass(other)
    leave(world, reader)

    jobs.flush_idle(0)

    assert [noted.object_id for noted in flushes(world)] == [str(other)]


def test_leaving_between_listing_and_flush_breaks_nothing(
    world: World, reader: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = saved_entry(world, reader)
    leave(world, reader)
    listed = [queries.IdleEntry(world.space_id, entry, reader.principal)]
    monkeypatch.setattr(queries, "idle_entries", lambda **_: listed)

    jobs.flush_idle(0)

    assert flushes(world) == []


def test_an_entry_that_fails_is_told_after_the_others_were_flushed(
    world: World, reader: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = saved_entry(world, reader), saved_entry(world, reader)
    let_a_minute_pass(bad)
    let_a_minute_pass(good)
    flush = services.flush_entry

    def failing(*, actor: object, entry_id: UUID) -> None:
        if entry_id == bad:
            raise ZeroDivisionError
        flush(actor=actor, entry_id=entry_id)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(services, "flush_entry", failing)

    with pytest.raises(ExceptionGroup, match="could not be flushed"):
        jobs.flush_idle(0)

    assert [noted.object_id for noted in flushes(world)] == [str(good)]


def test_the_worker_knows_the_job_and_when_it_is_due() -> None:
    from procrastinate.contrib.django import app

    due = {task.task.name: task.cron for task in app.periodic_registry.periodic_tasks.values()}

    assert due["forms.flush"] == "* * * * *"
