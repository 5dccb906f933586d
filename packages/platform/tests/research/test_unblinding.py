"""Unblinding: asked with a reason, approved by a second person under signature; what it opens and never opens."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from collegium.imaging.archive.attributes import DESCRIPTIVE
from collegium.kit import ids
from collegium.kit.database import acting_as
from collegium.kit.errors import NotFound, Refused
from collegium.notifications.models import Notification, NotificationKind
from collegium.research.pipeline import sight
from collegium.research.pipeline.services import cancel_task
from collegium.research.projects.errors import (
    AlreadyAsked,
    AlreadyDecided,
    AlreadyUnblinded,
    NothingToUnblind,
    NotYourRequest,
    OwnRequest,
    OwnTask,
    ReasonNeeded,
)
from collegium.research.projects.models import Unblinding
from collegium.research.projects.people import members
from collegium.research.projects.unblinding import queries, services
from collegium.research.projects.unblinding.record import KIND
from collegium.research.reads import services as reads
from collegium.trust.access.queries import actor_in
from collegium.trust.audit.models import AuditEntry
from collegium.trust.identity.errors import WrongPassword
from collegium.trust.signatures.models import Signature
from collegium.trust.signatures.services import OnlyAPersonSigns
from collegium.trust.tenancy.queries import members as members_of
from collegium_testkit.committee import being_read
from collegium_testkit.world import PASSWORD, new_world

if TYPE_CHECKING:
    from collegium.imaging.grants.models import ViewGrant
    from collegium.kit.principals import Actor, Principal
    from collegium.research.pipeline.models import Task
    from collegium_testkit.beginnings import Beginnings
    from collegium_testkit.committee import Committee
    from collegium_testkit.world import Person, World

pytestmark = pytest.mark.requirement("R44")

RESULTS = Unblinding.Scope.RESULTS


@dataclass
class Trial:
    """A committee with open reading tasks; a monitor who asks, a second administrator who decides."""

    committee: Committee
    monitor: Person
    second: Person
    task: Task
    other: Task

    @property
    def world(self) -> World:
        return self.committee.world

    def reader(self, task: Task) -> Person:
        return self.committee.people[self.committee.who(task)]

    def ask(
        self, task: Task | None = None, *, by: Person | None = None, reason: str = "Safety."
    ) -> Unblinding:
        person = by or self.monitor
        with acting_as(person.principal, [self.world.space_id]):
            actor = self.world.actor(person)
            return sight.ask_for_task(actor=actor, task_id=(task or self.task).id, reason=reason)

    def ask_for_results(self) -> Unblinding:
        with acting_as(self.monitor.principal, [self.world.space_id]):
            actor = self.world.actor(self.monitor)
            return services.ask_unblinding(actor=actor, scope=RESULTS, reason="The trial is locked.")

    def decide(
        self, request: Unblinding, *, approve: bool = True, by: Person | None = None, password: str = PASSWORD
    ) -> Unblinding:
        person = by or self.world.administrator
        with acting_as(person.principal, [self.world.space_id]):
            return services.decide_unblinding(
                actor=self.world.actor(person), request_id=request.id, approve=approve, reason="Agreed.",
                password=password,
            )  # fmt: skip

    def withdraw(self, request: Unblinding, by: Person | None = None) -> Unblinding:
        person = by or self.monitor
        with acting_as(person.principal, [self.world.space_id]):
            return services.withdraw_unblinding(
                actor=self.world.actor(person), request_id=request.id, reason="Not needed."
            )

    def sight(self, task: Task | None = None) -> sight.Sight:
        asked = task or self.task
        person = self.reader(asked)
        with acting_as(person.principal, [self.world.space_id]):
            return sight.sight_of(self.world.actor(person), asked)

    def grant(self, task: Task | None = None) -> ViewGrant:
        asked = task or self.task
        person = self.reader(asked)
        with acting_as(person.principal, [self.world.space_id]):
            grant = reads.open_task(actor=self.world.actor(person), task_id=asked.id).grant
        assert grant
        return grant

    def change_role(self, person: Person, role: str) -> None:
        with acting_as(self.world.administrator.principal, [self.world.space_id]):
            actor = self.world.actor()
            (membership,) = [one.id for one in members_of(actor) if one.principal == person.principal]
            members.change_role(actor=actor, membership_id=membership, role=role, reason="Other work.")


def trial_being_read() -> Trial:
    committee, (first, second) = being_read()
    return Trial(
        committee, committee.world.join("Monitor"), committee.world.join("Administrator"), first, second
    )


@pytest.fixture
def trial(beginnings: Beginnings) -> Trial:
    return beginnings.begin(trial_being_read)


def tamper(statement: str, *values: object) -> None:
    """What an owner of the database could do: change a row past all rules of the product."""
    with psycopg.connect(os.environ["COLLEGIUM_OWNER_DATABASE_URL"], autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        assert connection.execute(statement, values).rowcount == 1


def told(person: Person, kind: NotificationKind) -> list[str]:
    with acting_as(person.principal):
        return [row.address for row in Notification.objects.filter(person=person.principal.id, kind=kind)]


def trail(trial: Trial, request: Unblinding) -> list[tuple[str, str]]:
    """Action and reason of every entry about a request, in order."""
    with acting_as(trial.world.administrator.principal, [trial.world.space_id]):
        rows = AuditEntry.objects.filter(object_kind=KIND, object_id=str(request.id)).order_by("id")
        return [(row.action, json.loads(row.body)["reason"]) for row in rows]


def installation_trail(request: Unblinding) -> list[tuple[object, ...]]:
    """What the installation's chain says of a request; only the database's owner reads it."""
    with psycopg.connect(os.environ["COLLEGIUM_OWNER_DATABASE_URL"], autocommit=True) as connection:
        connection.execute("set row_security = off")
        return connection.execute(
            "select action, principal from trust_audit_auditentry where object_id = %s and space_id is null",
            [str(request.id)],
        ).fetchall()


def test_a_task_stays_blinded_until_a_second_person_approved(trial: Trial) -> None:
    before = trial.sight()
    request = trial.ask()
    asked = trial.sight()
    trial.decide(request)

    after = trial.sight()

    assert before == asked
    assert (before.label, before.is_unblinded) == (trial.task.label, False)
    assert (after.label, after.is_unblinded) == ("S-001", True)


def test_an_unblinded_task_gets_a_new_grant_with_code_and_every_descriptive_field(trial: Trial) -> None:
    before = trial.grant()
    trial.decide(trial.ask())

    after = trial.grant()

    assert after.id != before.id
    assert (before.label, after.label) == (trial.task.label, "S-001")
    assert len(after.allow_fields) == len(DESCRIPTIVE) > len(before.allow_fields)
    assert {"StudyDate", "PatientSex", "ClinicalTrialSiteID"} <= set(after.allow_fields)
    assert trial.grant().id == after.id


def test_the_grant_of_another_task_of_the_same_subject_stays_what_it_was(trial: Trial) -> None:
    before = trial.grant(trial.other)
    trial.decide(trial.ask(trial.task))

    after = trial.grant(trial.other)

    assert after.id == before.id
    assert not trial.sight(trial.other).is_unblinded
    assert (after.label, after.allow_fields) == (trial.other.label, before.allow_fields)


def test_a_task_given_to_another_after_the_approval_is_blinded_for_them(trial: Trial) -> None:
    trial.decide(trial.ask())
    third = trial.world.join("Reader")
    trial.task.assignee = third.principal.text

    with acting_as(third.principal, [trial.world.space_id]):
        seen = sight.sight_of(trial.world.actor(third), trial.task)

    assert (seen.label, seen.is_unblinded) == (trial.task.label, False)


def test_who_asked_does_not_decide(trial: Trial) -> None:
    request = trial.ask(by=trial.second)

    with pytest.raises(OwnRequest):
        trial.decide(request, by=trial.second)

    assert not trial.sight().is_unblinded


def test_who_asked_does_not_decide_after_a_change_of_role_either(trial: Trial) -> None:
    request = trial.ask(by=trial.monitor)
    trial.change_role(trial.monitor, "Administrator")

    with pytest.raises(OwnRequest):
        trial.decide(request, by=trial.monitor)

    assert not trial.sight().is_unblinded
    assert [action for action, _ in trail(trial, request)][:1] == ["research.unblinding.asked"]


def test_an_attempt_to_decide_about_the_own_request_stays_in_the_installations_trail(trial: Trial) -> None:
    request = trial.ask(by=trial.second)

    with pytest.raises(Refused):
        trial.decide(request, by=trial.second)

    assert installation_trail(request) == [("access.act.refused", trial.second.principal.text)]


def test_a_job_on_behalf_of_another_administrator_cannot_approve(trial: Trial) -> None:
    request = trial.ask()
    job = trial.world.administrator.principal.as_job("nightly")

    with acting_as(job, [trial.world.space_id]), pytest.raises(OnlyAPersonSigns):
        services.decide_unblinding(
            actor=_actor(job, trial.world), request_id=request.id, approve=True, reason="x", password=PASSWORD
        )

    assert not trial.sight().is_unblinded


def test_a_job_on_behalf_of_the_asker_is_the_asker(trial: Trial) -> None:
    request = trial.ask(by=trial.second)
    job = trial.second.principal.as_job("nightly")

    with acting_as(job, [trial.world.space_id]), pytest.raises(OwnRequest):
        services.decide_unblinding(
            actor=_actor(job, trial.world), request_id=request.id, approve=True, reason="x", password=PASSWORD
        )


@pytest.mark.parametrize(
    "role", ["Reader", "Adjudicator", "Data manager", "Site user", "Sponsor viewer", "Editor"]
)
def test_a_role_that_may_not_ask_is_refused_and_may_not_see_requests(trial: Trial, role: str) -> None:
    person = trial.world.join(role)

    with pytest.raises(Refused):
        trial.ask(by=person)

    with acting_as(person.principal, [trial.world.space_id]):
        assert not queries.may_see(trial.world.actor(person))


def test_the_reader_of_the_task_cannot_ask(trial: Trial) -> None:
    with pytest.raises(Refused):
        trial.ask(by=trial.reader(trial.task))


def test_whose_task_it_is_neither_asks_nor_decides_in_another_role(trial: Trial) -> None:
    reader = trial.reader(trial.task)
    request = trial.ask()
    trial.change_role(reader, "Administrator")

    with pytest.raises(OwnTask):
        trial.decide(request, by=reader)
    trial.decide(request, approve=False)
    with pytest.raises(OwnTask):
        trial.ask(by=reader)


def test_a_monitor_asks_and_does_not_decide(trial: Trial) -> None:
    request = trial.ask()

    with pytest.raises(Refused):
        trial.decide(request, by=trial.world.join("Monitor"))


def test_a_refused_request_opens_nothing_and_the_refusal_is_signed(trial: Trial) -> None:
    refused = trial.decide(trial.ask(), approve=False)

    assert not trial.sight().is_unblinded
    assert refused.signature
    assert refused.signature.meaning == "I refuse that what this request names is unblinded."


def test_a_withdrawn_request_opens_nothing_and_cannot_be_approved(trial: Trial) -> None:
    request = trial.ask()
    trial.withdraw(request)

    with pytest.raises(AlreadyDecided):
        trial.decide(request)

    assert not trial.sight().is_unblinded


def test_only_who_asked_withdraws(trial: Trial) -> None:
    request = trial.ask()

    with pytest.raises(NotYourRequest):
        trial.withdraw(request, by=trial.world.administrator)


def test_an_approval_is_not_taken_back(trial: Trial) -> None:
    request = trial.decide(trial.ask())

    with pytest.raises(AlreadyDecided):
        trial.withdraw(request)
    with pytest.raises(AlreadyDecided):
        trial.decide(request, approve=False, by=trial.second)

    assert trial.sight().is_unblinded


def test_a_wrong_password_decides_nothing(trial: Trial) -> None:
    request = trial.ask()

    with pytest.raises(WrongPassword):
        trial.decide(request, password="wrong")

    assert not trial.sight().is_unblinded
    assert [action for action, _ in trail(trial, request)] == ["research.unblinding.asked"]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 401])
def test_a_request_says_why(trial: Trial, reason: str) -> None:
    with pytest.raises(ReasonNeeded):
        trial.ask(reason=reason)


def test_one_request_of_a_task_is_open_at_a_time(trial: Trial) -> None:
    trial.ask()

    with pytest.raises(AlreadyAsked):
        trial.ask(by=trial.second)


def test_after_a_refusal_it_may_be_asked_again_and_after_an_approval_not(trial: Trial) -> None:
    trial.decide(trial.ask(), approve=False)
    trial.decide(trial.ask())

    with pytest.raises(AlreadyUnblinded):
        trial.ask()


def test_a_request_of_another_project_is_not_found(trial: Trial) -> None:
    request = trial.ask()
    elsewhere = new_world("Elsewhere")

    with acting_as(elsewhere.administrator.principal, [elsewhere.space_id]), pytest.raises(NotFound):
        services.decide_unblinding(
            actor=elsewhere.actor(), request_id=request.id, approve=True, reason="x", password=PASSWORD
        )
    with acting_as(elsewhere.administrator.principal, [elsewhere.space_id]), pytest.raises(NotFound):
        sight.ask_for_task(actor=elsewhere.actor(), task_id=trial.task.id, reason="x")

    assert not trial.sight().is_unblinded


def test_nobody_is_unblinded_by_a_task_that_counts_no_more(trial: Trial) -> None:
    with acting_as(trial.world.administrator.principal, [trial.world.space_id]):
        cancel_task(actor=trial.world.actor(), task_id=trial.task.id, reason="Wrong.")

    with pytest.raises(NothingToUnblind):
        trial.ask()


ROW = "update research_projects_unblinding set "


@pytest.mark.parametrize(
    "change",
    [
        "reason = 'Another reason.'",
        "decision_reason = 'Forged.'",
        "asked_by = 'person:00000000-0000-7000-8000-000000000001'",
        "decided_at = decided_at - interval '1 day'",
        "asked_at = asked_at - interval '1 day'",
    ],
)
def test_an_approved_row_that_was_changed_counts_as_not_approved(trial: Trial, change: str) -> None:
    request = trial.decide(trial.ask())
    assert trial.sight().is_unblinded

    tamper(f"{ROW} {change} where id = %s", request.id)

    assert not trial.sight().is_unblinded


def test_an_approval_cannot_be_moved_to_another_task(trial: Trial) -> None:
    request = trial.decide(trial.ask(trial.task))

    tamper(
        f"{ROW} object_id = %s, person = %s where id = %s",
        str(trial.other.id), trial.other.assignee, request.id,
    )  # fmt: skip

    assert not trial.sight(trial.other).is_unblinded
    assert not trial.sight(trial.task).is_unblinded


@pytest.mark.parametrize("approve", [True, False])
def test_a_request_set_to_approved_by_hand_opens_nothing(trial: Trial, *, approve: bool) -> None:
    refused = trial.decide(trial.ask(), approve=False)
    signed = trial.decide(trial.ask(trial.other), approve=approve)

    tamper(f"{ROW} state = 'approved' where id = %s", refused.id)
    own = trial.sight().is_unblinded
    tamper(f"{ROW} signature_id = %s where id = %s", signed.signature_id, refused.id)

    assert not own
    assert not trial.sight().is_unblinded


def test_a_signature_given_for_something_else_approves_nothing(trial: Trial) -> None:
    request = trial.decide(trial.ask())

    tamper(
        "update trust_signatures_signature set object_id = %s where id = %s",
        ids.uuid7(),
        request.signature_id,
    )

    assert not trial.sight().is_unblinded


def test_the_database_refuses_a_decision_of_the_asker_and_any_without_signature(trial: Trial) -> None:
    request = trial.ask()
    with acting_as(trial.world.administrator.principal, [trial.world.space_id]):
        row = Unblinding.objects.filter(id=request.id)
        signature = _any_signature(trial)

        with pytest.raises(IntegrityError), transaction.atomic():
            row.update(state="approved", decided_by="somebody", decided_at=timezone.now())
        with pytest.raises(IntegrityError), transaction.atomic():
            row.update(state="approved", decided_by=request.asked_by, signature=signature)
        with pytest.raises(DatabaseError), transaction.atomic():
            row.delete()


def test_everything_stands_in_the_trail_with_its_reason(trial: Trial) -> None:
    request = trial.ask(reason="A serious adverse event.")
    trial.withdraw(request)
    again = trial.ask()
    trial.decide(again)

    assert trail(trial, request) == [
        ("research.unblinding.asked", "A serious adverse event."),
        ("research.unblinding.withdrawn", "Not needed."),
    ]
    assert [action for action, _ in trail(trial, again)] == [
        "research.unblinding.asked", "signatures.record.signed", "research.unblinding.approved",
    ]  # fmt: skip


def test_all_who_may_decide_are_told_but_the_asker_and_the_asker_is_told_the_decision(trial: Trial) -> None:
    request = trial.ask(by=trial.second)
    trial.decide(request)

    address = [f"/projects/{trial.world.space_id}/unblinding/"]
    assert told(trial.world.administrator, NotificationKind.UNBLINDING_ASKED) == address
    assert told(trial.second, NotificationKind.UNBLINDING_ASKED) == []
    assert told(trial.second, NotificationKind.UNBLINDING_DECIDED) == address
    assert told(trial.reader(trial.task), NotificationKind.UNBLINDING_ASKED) == []


def test_that_a_read_was_opened_unblinded_stands_in_its_trail(trial: Trial) -> None:
    trial.decide(trial.ask())
    trial.grant()

    with acting_as(trial.world.administrator.principal, [trial.world.space_id]):
        opened = AuditEntry.objects.filter(action="research.read.opened").order_by("-id").first()
    assert opened
    assert json.loads(opened.body)["new"]["unblinded"] is True


def _actor(principal: Principal, world: World) -> Actor:
    return actor_in(principal, world.space_id)


def _any_signature(trial: Trial) -> Signature:
    found = Signature.objects.filter(space_id=trial.world.space_id).first()
    assert found
    return found
