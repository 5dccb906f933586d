"""Who belongs to which site, and who may not read which subject."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from django.db import DatabaseError, IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from collegium.kit import ids
from collegium.kit.database import acting_as
from collegium.kit.errors import NotFound, Refused
from collegium.research.pipeline.publishing import publish_project
from collegium.research.projects.errors import (
    ConflictAboutNothing,
    NotOfTheProject,
    ReasonNeeded,
    SiteUnknown,
)
from collegium.research.projects.models import Conflict, Site, Subject
from collegium.research.projects.people import queries, services
from collegium.research.projects.people.barriers import Barrier, barrier
from collegium.research.projects.services import list_subject
from collegium.trust.audit.models import AuditEntry
from collegium_testkit.study import EXAMPLE
from collegium_testkit.world import new_person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collegium_testkit.world import Person, World

TWO_SITES = EXAMPLE.replace(
    '  - {code: "01", name: Example hospital}',
    '  - {code: "01", name: Example hospital}\n  - {code: "02", name: Other hospital}',
)
KINDS = ("research.site", "research.conflict")
SITE, OTHER_SITE, SUBJECT = ids.uuid7(), ids.uuid7(), ids.uuid7()


@pytest.fixture
def trial(world: World) -> World:
    """Two sites, one subject of each and one of none."""
    with acting_as(world.administrator.principal, [world.space_id]):
        publish_project(actor=world.actor(), text=TWO_SITES)
        list_subject(actor=world.actor(), code="A-1", site_code="01")
        list_subject(actor=world.actor(), code="B-1", site_code="02")
        list_subject(actor=world.actor(), code="N-1")
    return world


@pytest.fixture
def manager(trial: World) -> Iterator[World]:
    """The trial while its administrator acts."""
    with acting_as(trial.administrator.principal, [trial.space_id]):
        yield trial


def site(world: World, code: str) -> Site:
    return Site.objects.get(space_id=world.space_id, code=code)


def subject(world: World, code: str) -> Subject:
    return Subject.objects.get(space_id=world.space_id, code=code)


def barriers(world: World, person: Person) -> dict[str, str]:
    """What keeps the person from each subject."""
    actor = world.actor()
    return {
        one.code: queries.conflict_of(actor, person.principal.text, one)
        for one in Subject.objects.filter(space_id=world.space_id)
    }


@pytest.mark.requirement("R21")
@pytest.mark.parametrize(
    ("own", "declared", "subjects", "expected"),
    [
        ([], [], [], Barrier.NOTHING),
        ([OTHER_SITE], [OTHER_SITE], [OTHER_SITE], Barrier.NOTHING),
        ([SITE], [], [], Barrier.OWN_SITE),
        ([], [SITE], [], Barrier.DECLARED_SITE),
        ([], [], [SUBJECT], Barrier.DECLARED_SUBJECT),
        ([SITE], [SITE], [SUBJECT], Barrier.OWN_SITE),
    ],
)
def test_the_first_barrier_that_holds_is_told(
    own: list[object], declared: list[object], subjects: list[object], expected: Barrier
) -> None:
    found = barrier(SUBJECT, SITE, own_sites=own, declared_sites=declared, declared_subjects=subjects)  # type: ignore[arg-type]  # ids all

    assert found is expected


@pytest.mark.requirement("R21")
@pytest.mark.parametrize(
    ("own", "declared", "expected"),
    [([SITE], [], Barrier.SITE_UNKNOWN), ([], [SITE], Barrier.SITE_UNKNOWN), ([], [], Barrier.NOTHING)],
)
def test_a_subject_of_no_known_site_is_kept_from_who_has_one(
    own: list[object], declared: list[object], expected: Barrier
) -> None:
    found = barrier(SUBJECT, None, own_sites=own, declared_sites=declared, declared_subjects=[])  # type: ignore[arg-type]  # ids all

    assert found is expected


@pytest.mark.requirement("R21")
def test_a_person_may_not_read_the_subjects_of_an_own_site(trial: World) -> None:
    reader = trial.join("Reader")

    with acting_as(trial.administrator.principal, [trial.space_id]):
        services.join_site(actor=trial.actor(), principal=reader.principal, site_id=site(trial, "01").id)

        assert barriers(trial, reader) == {"A-1": "own_site", "B-1": "", "N-1": "site_unknown"}


@pytest.mark.requirement("R21")
def test_declared_conflicts_hold_until_a_manager_withdraws_them(trial: World) -> None:
    reader = trial.join("Reader")
    with acting_as(reader.principal, [trial.space_id]):
        actor = trial.actor(reader)
        about_site = services.declare_conflict(
            actor=actor, principal=reader.principal, site_id=site(trial, "02").id, reason="I work there."
        )
        services.declare_conflict(
            actor=actor, principal=reader.principal, subject_id=subject(trial, "N-1").id, reason="A friend."
        )

    with acting_as(trial.administrator.principal, [trial.space_id]):
        before = barriers(trial, reader)
        services.withdraw_conflict(actor=trial.actor(), conflict_id=about_site.id, reason="Left the clinic.")
        after = barriers(trial, reader)

    assert before == {"A-1": "", "B-1": "declared_site", "N-1": "declared_subject"}
    assert after == {"A-1": "", "B-1": "", "N-1": "declared_subject"}


@pytest.mark.requirement("R21")
def test_everybody_with_a_conflict_is_found_in_two_queries(trial: World) -> None:
    first, second, third = (trial.join("Reader") for _ in range(3))
    with acting_as(trial.administrator.principal, [trial.space_id]):
        actor, one = trial.actor(), subject(trial, "A-1")
        services.join_site(actor=actor, principal=first.principal, site_id=site(trial, "01").id)
        services.declare_conflict(
            actor=actor, principal=second.principal, subject_id=one.id, reason="A relative."
        )

        with CaptureQueriesContext(connection) as asked:
            found = queries.conflicts_of(actor, one)

    assert len(asked) == 2
    assert found == {
        first.principal.text: Barrier.OWN_SITE,
        second.principal.text: Barrier.DECLARED_SUBJECT,
    }
    assert third.principal.text not in found


def test_a_place_at_a_site_ends_and_leaves_its_row(trial: World) -> None:
    reader = trial.join("Reader")
    with acting_as(trial.administrator.principal, [trial.space_id]):
        actor, one = trial.actor(), site(trial, "01")
        first = services.join_site(actor=actor, principal=reader.principal, site_id=one.id)
        again = services.join_site(actor=actor, principal=reader.principal, site_id=one.id)
        here = queries.sites_of(actor)
        services.leave_site(actor=actor, principal=reader.principal, site_id=one.id, reason="Moved.")

        first.refresh_from_db()
        assert queries.sites_of(actor) == {}

    assert again.id == first.id
    assert here == {reader.principal.text: {one.id}}
    assert first.ended_at is not None


def test_the_trail_names_every_place_and_conflict_with_its_reason(trial: World) -> None:
    reader = trial.join("Reader")
    with acting_as(trial.administrator.principal, [trial.space_id]):
        actor, one = trial.actor(), site(trial, "01")
        services.join_site(actor=actor, principal=reader.principal, site_id=one.id)
        services.leave_site(actor=actor, principal=reader.principal, site_id=one.id, reason="Moved.")
        declared = services.declare_conflict(
            actor=actor, principal=reader.principal, site_id=one.id, reason="Worked there."
        )
        services.withdraw_conflict(actor=actor, conflict_id=declared.id, reason="Long ago.")

        rows = AuditEntry.objects.filter(space_id=trial.space_id, object_kind__in=KINDS).order_by("id")
        told = [(row.action, json.loads(row.body)["reason"]) for row in rows]

    assert told == [
        ("research.site.joined", ""),
        ("research.site.left", "Moved."),
        ("research.conflict.declared", "Worked there."),
        ("research.conflict.withdrawn", "Long ago."),
    ]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 401])
def test_a_conflict_needs_a_reason(manager: World, reason: str) -> None:
    with pytest.raises(ReasonNeeded):
        services.declare_conflict(
            actor=manager.actor(),
            principal=manager.administrator.principal,
            site_id=site(manager, "01").id,
            reason=reason,
        )


def test_a_conflict_is_about_one_thing(manager: World) -> None:
    with pytest.raises(ConflictAboutNothing):
        services.declare_conflict(
            actor=manager.actor(), principal=manager.administrator.principal, reason="Why not."
        )


def test_the_database_keeps_no_conflict_about_two_things(manager: World) -> None:
    with pytest.raises(IntegrityError, match="conflict_about_one_thing"):
        Conflict.objects.create(
            space_id=manager.space_id,
            principal="x",
            reason="x",
            declared_by="x",
            site=site(manager, "01"),
            subject=subject(manager, "A-1"),
        )


@pytest.mark.requirement("R01")
@pytest.mark.parametrize("role", ["Editor", "Viewer", "Reader"])
def test_only_who_manages_members_gives_sites_and_speaks_for_others(trial: World, role: str) -> None:
    person, other = trial.join(role), trial.join("Reader")
    with acting_as(person.principal, [trial.space_id]):
        actor, one = trial.actor(person), site(trial, "01")

        with pytest.raises(Refused):
            services.join_site(actor=actor, principal=person.principal, site_id=one.id)
        with pytest.raises(Refused):
            services.leave_site(actor=actor, principal=person.principal, site_id=one.id)
        with pytest.raises(Refused):
            services.declare_conflict(actor=actor, principal=other.principal, site_id=one.id, reason="No.")
        own = services.declare_conflict(
            actor=actor, principal=person.principal, site_id=one.id, reason="I work there."
        )
        with pytest.raises(Refused):
            services.withdraw_conflict(actor=actor, conflict_id=own.id, reason="I want to read.")


def test_a_person_of_no_project_gets_no_site_and_no_conflict(trial: World) -> None:
    stranger = new_person().principal

    with acting_as(trial.administrator.principal, [trial.space_id]):
        actor, one = trial.actor(), site(trial, "01")
        with pytest.raises(NotOfTheProject):
            services.join_site(actor=actor, principal=stranger, site_id=one.id)
        with pytest.raises(NotOfTheProject):
            services.declare_conflict(actor=actor, principal=stranger, site_id=one.id, reason="Why not.")


@pytest.mark.requirement("R02")
def test_sites_subjects_and_conflicts_of_another_project_do_not_exist(
    trial: World, other_world: World
) -> None:
    with acting_as(trial.administrator.principal, [trial.space_id]):
        site_id, subject_id = site(trial, "01").id, subject(trial, "A-1").id
        conflict = services.declare_conflict(
            actor=trial.actor(), principal=trial.administrator.principal, site_id=site_id, reason="Own."
        )

    own = other_world.administrator.principal
    with acting_as(own, [other_world.space_id]):
        actor = other_world.actor()
        with pytest.raises(SiteUnknown):
            services.join_site(actor=actor, principal=own, site_id=site_id)
        with pytest.raises(NotFound):
            services.declare_conflict(actor=actor, principal=own, subject_id=subject_id, reason="Why not.")
        with pytest.raises(NotFound):
            services.withdraw_conflict(actor=actor, conflict_id=conflict.id, reason="Why not.")


@pytest.mark.requirement("R02")
@pytest.mark.parametrize("table", ["research_projects_sitemember", "research_projects_conflict"])
def test_rows_of_people_are_seen_by_their_project_alone_and_never_removed(
    trial: World, other_world: World, table: str
) -> None:
    with acting_as(trial.administrator.principal, [trial.space_id]):
        actor, person, one = trial.actor(), trial.administrator.principal, site(trial, "01")
        services.join_site(actor=actor, principal=person, site_id=one.id)
        services.declare_conflict(actor=actor, principal=person, site_id=one.id, reason="Own.")

    with acting_as(other_world.administrator.principal), connection.cursor() as cursor:
        cursor.execute(f"select count(*) from {table}")
        assert cursor.fetchone() == (0,)
    with (
        acting_as(trial.administrator.principal),
        pytest.raises(DatabaseError, match="permission denied"),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"delete from {table}")
