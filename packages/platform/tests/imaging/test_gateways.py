"""A gateway joins once, tells of itself, and can be shut out."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from collegium.imaging.connections import queries, services
from collegium.imaging.connections.errors import ChannelTaken, GatewayNameTaken
from collegium.imaging.connections.models import Channel, EnrolmentCode, Gateway
from collegium.kit.database import acting_as
from collegium.kit.errors import Refused
from collegium_testkit.delivering import RECIPE, enrolled
from collegium_testkit.world import new_world
from collegium_wire import PROTOCOL, EnrolmentRequest, Heartbeat, paths

if TYPE_CHECKING:
    from collegium_testkit.delivering import Client, Sender
    from collegium_testkit.world import World


def enrol(client: Client, code: str, token: str = "") -> Any:  # Any: a response
    asked = EnrolmentRequest(
        protocol=PROTOCOL, code=code, gateway_name="North", software="test 1", token=token
    )
    return client.post(paths.ENROL, content=asked.to_json())


def issued(world: World, lifetime: timedelta = timedelta(hours=1)) -> services.IssuedCode:
    with acting_as(world.administrator.principal, [world.space_id]):
        actor = world.actor()
        gateway = services.add_gateway(actor=actor, name="North")
        return services.issue_code(actor=actor, gateway_id=gateway.id, lifetime=lifetime)


def beat(sender: Sender) -> Any:  # Any: a response
    told = Heartbeat(
        protocol=PROTOCOL,
        software="test 2",
        queue_objects=3,
        queue_bytes=4_000,
        failures=1,
        last_success_at=datetime(2026, 1, 1, tzinfo=UTC),
        channels=(),
    )
    return sender.client.post(paths.HEARTBEAT, content=told.to_json(), headers=sender.headers)


@pytest.fixture
def token() -> str:
    """As a gateway makes its own."""
    return secrets.token_hex(32)


@pytest.fixture
def another() -> str:
    return secrets.token_hex(32)


def knows(client: Client, token: str) -> bool:
    """Whether the server lets a gateway of this token in."""
    answer = client.post(paths.LINE, content=b"x", headers={"Authorization": f"Bearer {token}"})
    return bool(answer.status_code == 200)


def test_a_code_works_once(client: Client, world: World) -> None:
    code = issued(world).code

    first, second = enrol(client, code), enrol(client, code)

    assert first.status_code == 200
    assert (second.status_code, second.json()["code"]) == (409, "connections.enrolment.used")


def test_an_answer_that_was_lost_is_given_again_for_the_same_code_and_token(
    client: Client, world: World, token: str
) -> None:
    code = issued(world).code

    first, again = enrol(client, code, token), enrol(client, code, token)

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert again.json()["token"] == token


@pytest.mark.parametrize("guess", ["0" * 64, ""], ids=["another token", "no token"])
def test_a_stolen_code_that_was_used_lets_nobody_else_in(
    client: Client, world: World, token: str, guess: str
) -> None:
    code = issued(world).code
    enrol(client, code, token)

    stolen = enrol(client, code, guess)

    assert (stolen.status_code, stolen.json()["code"]) == (409, "connections.enrolment.used")
    assert knows(client, token)


def test_a_code_is_not_repeated_after_its_life(client: Client, world: World, token: str) -> None:
    code = issued(world).code
    enrol(client, code, token)
    with acting_as(world.administrator.principal):
        EnrolmentCode.objects.update(expires_at=datetime(2026, 1, 1, tzinfo=UTC))

    late = enrol(client, code, token)

    assert (late.status_code, late.json()["code"]) == (404, "connections.enrolment.unknown")


def test_a_code_of_before_does_not_bring_its_token_back(
    client: Client, world: World, token: str, another: str
) -> None:
    first = issued(world)
    enrol(client, first.code, token)
    with acting_as(world.administrator.principal, [world.space_id]):
        second = services.issue_code(actor=world.actor(), gateway_id=first.gateway_id)
    enrol(client, second.code, another)

    old = enrol(client, first.code, token)

    assert (old.status_code, knows(client, another), knows(client, token)) == (409, True, False)


def test_a_gateway_that_was_shut_out_does_not_come_back_with_its_codes(
    client: Client, world: World, token: str, another: str
) -> None:
    spent = issued(world)
    enrol(client, spent.code, token)
    with acting_as(world.administrator.principal, [world.space_id]):
        unspent = services.issue_code(actor=world.actor(), gateway_id=spent.gateway_id)
        services.revoke_gateway(actor=world.actor(), gateway_id=spent.gateway_id, reason="stolen")

    answers = [enrol(client, spent.code, token), enrol(client, unspent.code, another)]

    assert {(one.status_code, one.json()["code"]) for one in answers} == {
        (404, "connections.enrolment.unknown")
    }
    assert not knows(client, token)


def test_a_token_that_another_gateway_has_is_not_taken(
    client: Client, world: World, token: str, another: str
) -> None:
    enrol(client, issued(world).code, token)
    code = issued(new_world()).code

    taken = enrol(client, code, token)

    assert (taken.status_code, taken.json()["code"]) == (404, "connections.enrolment.unknown")
    assert enrol(client, code, another).status_code == 200


def test_an_expired_code_and_an_invented_one_are_the_same(client: Client, world: World) -> None:
    expired, invented = enrol(client, issued(world, timedelta(seconds=-1)).code), enrol(client, "x" * 43)

    assert {(one.status_code, one.json()["code"]) for one in (expired, invented)} == {
        (404, "connections.enrolment.unknown")
    }


def test_neither_code_nor_token_is_kept(sender: Sender) -> None:
    with acting_as(sender.world.administrator.principal):
        gateway, code = Gateway.objects.get(), EnrolmentCode.objects.get()

    assert bytes(gateway.token_digest or b"") == queries.digest_of(sender.token)
    assert sender.token.encode() not in bytes(gateway.token_digest or b"") + bytes(code.digest)


def test_the_answer_carries_the_channels_with_their_recipe(sender: Sender) -> None:
    (channel,) = beat(sender).json()["channels"]

    assert channel["called_ae"] == "TRIAL"
    assert channel["recipe_yaml"] == RECIPE.text
    assert channel["recipe_digest"] == RECIPE.digest


def test_a_heartbeat_is_seen_by_people(sender: Sender) -> None:
    beat(sender)

    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        (row,) = queries.gateways(sender.world.actor())

    assert (row.software, row.queue_objects, row.failures) == ("test 2", 3, 1)
    assert row.last_seen_at is not None


def test_a_revoked_gateway_is_shut_out_within_seconds(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert beat(sender).status_code == 200
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        services.revoke_gateway(actor=sender.world.actor(), gateway_id=sender.gateway_id, reason="stolen")

    monkeypatch.setattr("collegium.imaging.connections.edge.KEPT_S", -1.0)

    assert beat(sender).status_code == 401


def test_a_switched_off_channel_takes_nothing(sender: Sender) -> None:
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        Channel.objects.update(is_on=False)

    assert beat(sender).json()["channels"] == []


@pytest.mark.requirement("R01")
@pytest.mark.parametrize("role", ["Editor", "Viewer", "Reader"])
def test_managing_gateways_takes_the_permission(world: World, role: str) -> None:
    person = world.join(role)

    with pytest.raises(Refused), acting_as(person.principal, [world.space_id]):
        services.add_gateway(actor=world.actor(person), name="Mine")


@pytest.mark.requirement("R02", "R03")
@pytest.mark.parametrize("table", [Gateway, Channel, EnrolmentCode])
def test_another_tenant_sees_no_gateway(sender: Sender, table: Any) -> None:  # Any: a model
    other = enrolled(sender.client, new_world())

    with acting_as(other.world.administrator.principal):
        assert table.objects.count() == 1


def test_names_and_titles_are_taken_once(sender: Sender) -> None:
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        actor = sender.world.actor()
        name = Gateway.objects.get().name
        with pytest.raises(GatewayNameTaken):
            services.add_gateway(actor=actor, name=name)
        with pytest.raises(ChannelTaken):
            services.add_channel(
                actor=actor,
                gateway_id=sender.gateway_id,
                name="Second",
                called_ae="TRIAL",
                project_name="P",
                site_code="02",
                site_name="South",
                recipe_text=RECIPE.text,
            )
