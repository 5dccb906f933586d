"""An alarm of a gateway reaches the people of its site and those who manage gateways, and nobody else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from collegium.imaging.connections import pulse, queries, services
from collegium.imaging.connections.events import GatewayAlarmEnded, GatewayAlarmRaised
from collegium.kit.database import acting_as
from collegium.kit.principals import Principal
from collegium.notifications import queries as notifications
from collegium.research.projects.people.gateway_alarms import (
    on_gateway_alarm_ended,
    on_gateway_alarm_raised,
)
from collegium.trust.access.queries import actor_in
from collegium_deid import load_recipe
from collegium_testkit.committee import Committee
from collegium_testkit.pages import client_of
from collegium_wire import PROTOCOL, Alarm, Heartbeat

if TYPE_CHECKING:
    from uuid import UUID

    from collegium_testkit.world import Person, World

AT = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = "The disk of the gateway is nearly full."


@pytest.fixture
def committee(world: World) -> Committee:
    made = Committee(world)
    made.gather()
    return made


def gateway_of(world: World, site_code: str) -> Principal:
    """A gateway with one channel of this site."""
    with acting_as(world.administrator.principal, [world.space_id]):
        actor = world.actor()
        made = services.add_gateway(actor=actor, name=f"Gateway {site_code}")
        services.add_channel(
            actor=actor, gateway_id=made.id, name="CT", called_ae="TRIAL", project_name="P", site_code=site_code,
            site_name="North", recipe_text=load_recipe("trial").text,
        )  # fmt: skip
    return Principal.gateway(made.id)


def beat(world: World, gateway: Principal, *alarms: Alarm) -> UUID:
    """Tell these alarms; the id of the one that is known."""
    message = Heartbeat(
        protocol=PROTOCOL, software="x", queue_objects=0, queue_bytes=0, failures=0, last_success_at=None,
        channels=(), alarms=alarms,
    )  # fmt: skip
    with acting_as(gateway, [world.space_id]):
        pulse.take_pulse(actor=actor_in(gateway, world.space_id), beat=message)
    with acting_as(world.administrator.principal, [world.space_id]):
        actor = world.actor()
        known = [*queries.alarms(actor), *queries.past_alarms(actor, gateway.id)]
    return next(one.id for one in known if one.gateway_id == gateway.id)


def told(person: Person) -> list[tuple[str, bool]]:
    with acting_as(person.principal):
        lines = notifications.lines(person.principal)
        return [(one.address, one.is_done) for one in lines if one.kind == "gateway_alarm"]


@pytest.mark.requirement("C16")
def test_who_can_do_something_about_an_alarm_is_told_until_it_is_over(committee: Committee) -> None:
    world = committee.world
    gateway = gateway_of(world, "01")
    alarm_id = beat(world, gateway, Alarm(code="a.b", message=WORDS, since=AT))

    on_gateway_alarm_raised(gateway.as_job("test"), GatewayAlarmRaised(world.space_id, alarm_id))
    while_on = [told(person) for person in (world.administrator, committee.people["site"])]
    beat(world, gateway)
    on_gateway_alarm_ended(gateway.as_job("test"), GatewayAlarmEnded(world.space_id, alarm_id))

    assert while_on == [
        [(f"/projects/{world.space_id}/gateways/{gateway.id}/", False)],
        [(f"/projects/{world.space_id}/site/", False)],
    ]
    assert [is_done for _address, is_done in told(world.administrator) + told(committee.people["site"])] == [
        True,
        True,
    ]


def test_nobody_else_is_told(committee: Committee) -> None:
    world = committee.world
    gateway = gateway_of(world, "01")
    elsewhere = world.join("Site user")
    alarm_id = beat(world, gateway, Alarm(code="a.b", message=WORDS, since=AT))

    on_gateway_alarm_raised(gateway.as_job("test"), GatewayAlarmRaised(world.space_id, alarm_id))

    others = [elsewhere, *(committee.people[name] for name in ("reader1", "reader2", "adjudicator1"))]
    assert [told(person) for person in others] == [[]] * 4


def test_what_is_over_before_it_is_told_is_told_to_nobody(committee: Committee) -> None:
    world = committee.world
    gateway = gateway_of(world, "01")
    beat(world, gateway, Alarm(code="a.b", message=WORDS, since=AT))
    alarm_id = beat(world, gateway)

    on_gateway_alarm_raised(gateway.as_job("test"), GatewayAlarmRaised(world.space_id, alarm_id))

    assert told(world.administrator) == []


@pytest.mark.parametrize(("site_code", "is_shown"), [("01", True), ("02", False)])
def test_a_site_sees_the_alarms_of_its_own_gateway(
    committee: Committee, site_code: str, is_shown: bool
) -> None:
    beat(
        committee.world,
        gateway_of(committee.world, site_code),
        Alarm(code="a.b", message=WORDS, since=AT),
    )

    page = client_of(committee.people["site"]).get(f"/projects/{committee.world.space_id}/site/")

    assert (WORDS in page.content.decode()) is is_shown
