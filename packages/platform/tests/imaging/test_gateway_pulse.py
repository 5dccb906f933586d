"""What a gateway tells: kept in its own rows alone, alarms while they last, a trail that only grows."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from django.db import DatabaseError

from collegium.imaging.connections import jobs, queries, services
from collegium.imaging.connections.models import (
    Channel,
    ChannelVersion,
    Gateway,
    GatewayAlarm,
    GatewayTrailEntry,
)
from collegium.imaging.connections.words import SHARED, SILENT, TRAIL_BROKEN
from collegium.kit import clock
from collegium.kit.database import acting_as
from collegium.trust.audit.models import AuditEntry
from collegium_testkit.delivering import enrolled
from collegium_testkit.world import new_world
from collegium_wire import (
    NEWEST,
    NO_ENTRY,
    PROTOCOL,
    Alarm,
    ChannelBeat,
    ChannelConfiguration,
    EnrolmentRequest,
    Heartbeat,
    TrailEntry,
    paths,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium_testkit.delivering import Client, Sender

AT = datetime(2026, 1, 1, tzinfo=UTC)
FULL = Alarm(code="connect.spool.full", message="The disk is nearly full.", since=AT)
SHA = hashlib.sha256(b"recipe").hexdigest()


def beat(sender: Sender, **told: Any) -> Any:  # Any: fields of a heartbeat; a response
    given: dict[str, Any] = {  # Any: the same
        "protocol": NEWEST if "run" in told else PROTOCOL, "software": "test 2", "queue_objects": 3,
        "queue_bytes": 4_000, "failures": 1,
        "last_success_at": AT, "channels": (),
    }  # fmt: skip
    message = Heartbeat(**(given | told))
    answer = sender.client.post(paths.HEARTBEAT, content=message.to_json(), headers=sender.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def hostile_beat(sender: Sender, changes: dict[str, Any]) -> Any:  # Any: JSON; a response
    """A heartbeat with some of its JSON replaced by whatever a gateway could send."""
    usual = {
        "protocol": PROTOCOL, "software": "x", "queue_objects": 0, "queue_bytes": 0, "failures": 0,
        "last_success_at": None, "channels": [], "rate_in_mbps": 0.0, "rate_out_mbps": 0.0, "disk_free_bytes": 0,
        "alarms": [], "configuration": [], "trail": [],
    }  # fmt: skip
    content = json.dumps(usual | changes).encode()
    return sender.client.post(paths.HEARTBEAT, content=content, headers=sender.headers)


def entries(first: int, last: int, *, salt: str = "") -> tuple[TrailEntry, ...]:
    """Entries of a trail; another salt is another trail."""

    def digest(seq: int) -> str:
        return hashlib.sha256(f"{salt}{seq}".encode()).hexdigest() if seq else NO_ENTRY

    return tuple(
        TrailEntry(
            seq=seq, at=AT, action="quarantine.object.released", actor_role="operator", channel_id="",
            previous_hash=digest(seq - 1), hash=digest(seq),
        )
        for seq in range(first, last + 1)
    )  # fmt: skip


def told_by(sender: Sender) -> tuple[Gateway, Channel, list[str]]:
    """The gateway, its channel and the codes of its alarms, as an administrator sees them."""
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        actor = sender.world.actor()
        gateway = queries.gateway(actor, sender.gateway_id)
        return gateway, queries.channels(actor, gateway.id)[0], [one.code for one in queries.alarms(actor)]


def kept(sender: Sender) -> list[tuple[int, int]]:
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        rows = GatewayTrailEntry.objects.filter(gateway_id=sender.gateway_id).order_by("part", "seq")
        return list(rows.values_list("part", "seq"))


def new_request(sender: Sender) -> EnrolmentRequest:
    """With a code of its own for the same gateway, and a token that it made itself, as it now has."""
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        code = services.issue_code(actor=sender.world.actor(), gateway_id=sender.gateway_id).code
    token = secrets.token_hex(32)
    sender.headers = {"Authorization": f"Bearer {token}"}
    return EnrolmentRequest(
        protocol=PROTOCOL, code=code, gateway_name="North", software="test 3", token=token
    )


def enrolments(sender: Sender) -> int:
    """How often the trail of people says that this gateway was let in."""
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        return AuditEntry.objects.filter(action="connections.gateway.enrolled").count()


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the events that were announced."""
    names: list[str] = []
    monkeypatch.setattr("collegium.kit.events._deliver", [lambda name, *_rest: names.append(name)])
    return names


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Let time pass."""

    def pass_by(span: timedelta) -> None:
        at = clock.now() + span
        monkeypatch.setattr("collegium.kit.clock.now", lambda: at)

    return pass_by


ONE, OTHER, THIRD = ("a" * 64, "b" * 64, "c" * 64)


def test_two_gateways_that_take_turns_with_one_enrolment_are_told_apart_from_one_that_starts_anew(
    sender: Sender,
) -> None:
    started_anew = [beat(sender, run=run).get("is_shared") for run in (ONE, ONE, OTHER, THIRD)]
    alarms_before = told_by(sender)[2]

    taking_turns = [beat(sender, run=run).get("is_shared") for run in (OTHER, THIRD)]

    assert (started_anew, alarms_before) == ([None] * 4, [])
    assert taking_turns == [True, True]
    assert told_by(sender)[2] == [SHARED]


@pytest.mark.parametrize("others", range(1, 8))
def test_as_many_as_eight_gateways_with_one_enrolment_are_noticed_in_strict_turns(
    sender: Sender, others: int
) -> None:
    runs = [f"{number:064x}" for number in range(others + 1)]
    first_round = [beat(sender, run=run).get("is_shared") for run in runs]

    second_round = [beat(sender, run=run).get("is_shared") for run in runs]

    assert first_round == [None] * len(runs)
    assert second_round == [True] * len(runs)


def test_when_only_one_is_left_it_goes_on_by_itself(
    sender: Sender, later: Callable[[timedelta], None]
) -> None:
    for run in (ONE, OTHER, ONE):
        beat(sender, run=run)
    later(timedelta(minutes=6))

    assert "is_shared" not in beat(sender, run=ONE)
    assert told_by(sender)[2] == []


def test_a_gateway_of_before_is_told_nothing_that_it_does_not_know(sender: Sender) -> None:
    for run in (ONE, OTHER, ONE):
        beat(sender, run=run)

    assert "is_shared" not in beat(sender)


def test_rates_room_and_the_state_of_each_channel_are_kept(sender: Sender) -> None:
    beat(
        sender,
        rate_in_mbps=812.5,
        rate_out_mbps=94.0,
        disk_free_bytes=1 << 40,
        channels=(
            ChannelBeat(
                channel_id=sender.channel_id, queue_objects=7, quarantined_objects=2, last_received_at=AT,
                last_success_at=None, failures=4,
            ),
        ),
        configuration=(
            ChannelConfiguration(
                channel_id=sender.channel_id, setup_digest=SHA, recipe_in_force=SHA, recipe_waiting=SHA
            ),
        ),
    )  # fmt: skip

    gateway, channel, _alarms = told_by(sender)
    assert (gateway.rate_in_mbps, gateway.rate_out_mbps, gateway.disk_free_bytes) == (812.5, 94.0, 1 << 40)
    assert (channel.queue_objects, channel.quarantined_objects, channel.told_failures) == (7, 2, 4)
    assert (channel.told_setup_digest, channel.told_recipe, channel.told_waiting) == (SHA, SHA, SHA)


def test_what_a_gateway_says_of_anothers_channel_is_dropped(sender: Sender) -> None:
    other = enrolled(sender.client, new_world())
    foreign = ChannelBeat(
        channel_id=other.channel_id,
        queue_objects=99,
        quarantined_objects=99,
        last_received_at=None,
        last_success_at=None,
    )

    beat(sender, channels=(foreign,), alarms=(Alarm(**{**vars(FULL), "channel_id": other.channel_id}),))

    assert told_by(other)[1].queue_objects == 0
    assert told_by(other)[2] == []


@pytest.mark.requirement("C16")
def test_an_alarm_is_seen_while_it_is_told(sender: Sender, announced: list[str]) -> None:
    beat(sender, alarms=(FULL,))
    beat(sender, alarms=(FULL,))
    while_told = told_by(sender)[2]

    beat(sender)

    assert while_told == [FULL.code]
    assert told_by(sender)[2] == []
    assert announced == ["connections.gateway_alarm_raised", "connections.gateway_alarm_ended"]


def test_an_alarm_that_comes_and_goes_is_announced_once_in_a_while(
    sender: Sender, announced: list[str], later: Callable[[timedelta], None]
) -> None:
    for alarms in ((FULL,), (), (FULL,)):
        beat(sender, alarms=alarms)
    at_once = announced.count("connections.gateway_alarm_raised")

    later(timedelta(minutes=20))
    beat(sender, alarms=(FULL,))

    assert at_once == 1
    assert announced.count("connections.gateway_alarm_raised") == 2


def test_a_gateway_cannot_speak_under_the_servers_own_names(sender: Sender) -> None:
    beat(sender, alarms=(Alarm(code=SILENT, message="Not so.", since=AT),))

    assert told_by(sender)[2] == []


def test_a_gateway_that_invents_alarms_without_end_fills_no_table(sender: Sender) -> None:
    for round_ in range(6):
        beat(sender, alarms=tuple(Alarm(code=f"a.r{round_}n{n}", message="x", since=AT) for n in range(50)))

    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        assert GatewayAlarm.objects.filter(gateway_id=sender.gateway_id).count() == 200


@pytest.mark.requirement("C16")
def test_a_gateway_that_falls_silent_raises_an_alarm_until_it_is_heard(
    sender: Sender, later: Callable[[timedelta], None]
) -> None:
    beat(sender)
    jobs.look_for_silence(0)
    before = told_by(sender)[2]

    later(timedelta(minutes=2))
    jobs.look_for_silence(0)
    while_silent = told_by(sender)[2]
    beat(sender)

    assert before == []
    assert while_silent == [SILENT]
    assert told_by(sender)[2] == []


def test_a_gateway_that_was_shut_out_is_not_called_silent(
    sender: Sender, later: Callable[[timedelta], None]
) -> None:
    beat(sender, alarms=(FULL,))
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        services.revoke_gateway(actor=sender.world.actor(), gateway_id=sender.gateway_id, reason="stolen")

    later(timedelta(minutes=2))
    jobs.look_for_silence(0)

    assert told_by(sender)[2] == []


def test_the_answer_says_how_far_the_trail_is_kept(sender: Sender) -> None:
    answers = [
        beat(sender, trail=entries(*range_))["trail_seq"] for range_ in ((1, 3), (2, 5), (6, 6), (7, 6))
    ]

    assert answers == [3, 5, 6, 6]
    assert kept(sender) == [(1, seq) for seq in range(1, 7)]


@pytest.mark.parametrize(
    "wrong", [entries(3, 4, salt="forged"), entries(5, 6), entries(1, 2, salt="forged"), entries(4, 6)]
)
def test_a_trail_that_does_not_follow_is_not_kept_and_is_told(
    sender: Sender, wrong: tuple[TrailEntry, ...]
) -> None:
    beat(sender, trail=entries(1, 2))

    answer = beat(sender, trail=wrong)

    assert answer["trail_seq"] == 2
    assert kept(sender) == [(1, 1), (1, 2)]
    assert told_by(sender)[2] == [TRAIL_BROKEN]
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        assert AuditEntry.objects.filter(action="connections.gateway.trail_broken").count() == 1


def test_a_gateway_that_is_enrolled_anew_tells_its_trail_from_the_beginning(
    sender: Sender, client: Client
) -> None:
    beat(sender, trail=entries(1, 2))
    beat(sender, trail=entries(1, 2, salt="forged"))
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        code = services.issue_code(actor=sender.world.actor(), gateway_id=sender.gateway_id).code
    asked = EnrolmentRequest(protocol=PROTOCOL, code=code, gateway_name="North", software="test 3")
    token = client.post(paths.ENROL, content=asked.to_json()).json()["token"]
    sender.headers = {"Authorization": f"Bearer {token}"}

    answer = beat(sender, trail=entries(1, 1, salt="new"))

    assert answer["trail_seq"] == 1
    assert kept(sender) == [(1, 1), (1, 2), (2, 1)]
    assert told_by(sender)[2] == []


def test_an_enrolment_that_is_asked_again_does_not_hide_a_trail_that_was_cut(
    sender: Sender, client: Client
) -> None:
    asked = new_request(sender)
    client.post(paths.ENROL, content=asked.to_json())
    beat(sender, trail=entries(1, 2))
    beat(sender, trail=entries(1, 2, salt="cut"))
    before = enrolments(sender)

    again = client.post(paths.ENROL, content=asked.to_json())
    beat(sender, trail=entries(1, 2, salt="cut"))

    assert (again.status_code, enrolments(sender)) == (200, before)
    assert told_by(sender)[2] == [TRAIL_BROKEN]
    assert kept(sender) == [(1, 1), (1, 2)]


def test_an_enrolment_that_broke_off_half_way_is_written_down_when_it_is_asked_again(
    sender: Sender, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat(sender, trail=entries(1, 2))
    asked, before = new_request(sender), enrolments(sender)
    with monkeypatch.context() as cut, pytest.raises(OSError, match="power"):
        cut.setattr(services, "record_enrolment", Mock(side_effect=OSError("power")))
        client.post(paths.ENROL, content=asked.to_json())

    client.post(paths.ENROL, content=asked.to_json())
    beat(sender, trail=entries(1, 1, salt="new"))

    assert enrolments(sender) == before + 1
    assert kept(sender) == [(1, 1), (1, 2), (2, 1)]


@pytest.mark.parametrize(
    "changes",
    [
        {"rate_in_mbps": 1e308, "disk_free_bytes": 10**30, "queue_objects": 10**30, "failures": 10**30},
        {
            "alarms": [
                {
                    "code": "a.b",
                    "message": "x",
                    "since": "0001-01-01T00:00:00+00:00",
                    "channel_id": "' or 1=1",
                }
            ]
        },
        {
            "alarms": [
                {"code": "a.b", "message": "x", "since": "9999-12-31T23:59:59+00:00", "channel_id": "\u0001"}
            ]
        },
        {
            "configuration": [
                {"channel_id": "x", "setup_digest": SHA, "recipe_in_force": SHA, "recipe_waiting": ""}
            ]
        },
        {"software": "s" * 100_000},
    ],
)
def test_a_heartbeat_of_extremes_is_taken(sender: Sender, changes: dict[str, Any]) -> None:  # Any: JSON
    assert hostile_beat(sender, changes).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"software": "\x00"},
        {
            "alarms": [
                {"code": "a.b", "message": "\ud800", "since": "2026-01-01T00:00:00+00:00", "channel_id": ""}
            ]
        },
        {
            "alarms": [
                {"code": "Smith^John", "message": "x", "since": "2026-01-01T00:00:00+00:00", "channel_id": ""}
            ]
        },
        {"alarms": [{"code": "a.b", "message": "x", "since": "0001-01-01T00:00:00+14:00", "channel_id": ""}]},
        {"rate_out_mbps": -1},
        {"rate_out_mbps": "fast"},
        {"trail": [{"seq": 10**30}]},
        {"surprise": 1},
    ],
)
def test_a_heartbeat_that_is_none_is_refused_and_changes_nothing(
    sender: Sender,
    changes: dict[str, Any],  # Any: JSON
) -> None:
    answer = hostile_beat(sender, changes)

    assert answer.status_code == 422
    assert told_by(sender)[0].last_seen_at is None


@pytest.mark.parametrize("table", [GatewayTrailEntry, ChannelVersion])
def test_what_was_told_cannot_be_changed_afterwards(sender: Sender, table: Any) -> None:  # Any: a model
    beat(sender, trail=entries(1, 1))

    with (
        pytest.raises(DatabaseError),
        acting_as(sender.world.administrator.principal, [sender.world.space_id]),
    ):
        table.objects.update(space_id=sender.world.space_id)


@pytest.mark.requirement("R02", "R03")
@pytest.mark.parametrize("table", [GatewayAlarm, GatewayTrailEntry, ChannelVersion])
def test_another_tenant_sees_nothing_of_what_gateways_tell(
    sender: Sender, table: Any
) -> None:  # Any: a model
    beat(sender, alarms=(FULL,), trail=entries(1, 1))
    stranger = new_world()

    with acting_as(stranger.administrator.principal):
        assert table.objects.count() == 0
