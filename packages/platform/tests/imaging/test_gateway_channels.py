"""A channel is told anew: by who may, with a reason, as a version; what was cleaned before still comes in, or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from collegium.imaging.connections import queries, services
from collegium.imaging.connections.errors import (
    ChannelInvalid,
    ChannelMoved,
    ChannelNotFound,
    ChannelTaken,
    ReasonMissing,
    RecipeInvalid,
)
from collegium.imaging.connections.services import Limits
from collegium.kit.database import acting_as
from collegium.kit.errors import NotFound, Refused
from collegium.trust.audit import queries as audit
from collegium_deid import load_recipe
from collegium_testkit.delivering import RECIPE, enrolled
from collegium_testkit.world import new_world
from collegium_wire import PROTOCOL, Allocation, Heartbeat, paths

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium.imaging.connections.models import Channel
    from collegium_testkit.delivering import CleanExam, Sender
    from collegium_testkit.world import Person

STRICT = load_recipe("strict").text


def change(sender: Sender, by: Person | None = None, **given: Any) -> Channel:  # Any: what to change
    usual: dict[str, Any] = {  # Any: the same
        "channel_id": sender.channel_id, "expected_version": 1, "name": "CT", "called_ae": "TRIAL",
        "recipe_text": RECIPE.text, "quiet_time_s": 60, "limits": Limits(), "refuses_earlier": False,
        "reason": "as agreed",
    }  # fmt: skip
    person = by or sender.world.administrator
    with acting_as(person.principal, [sender.world.space_id]):
        return services.change_channel(actor=sender.world.actor(person), **(usual | given))


def told(sender: Sender) -> list[dict[str, Any]]:  # Any: channels as JSON
    beat = Heartbeat(
        protocol=PROTOCOL, software="test", queue_objects=0, queue_bytes=0, failures=0, last_success_at=None,
        channels=(),
    )  # fmt: skip
    answer = sender.client.post(paths.HEARTBEAT, content=beat.to_json(), headers=sender.headers)
    return list(answer.json()["channels"])


@pytest.mark.requirement("C04")
def test_the_gateway_hears_a_change_with_its_next_heartbeat(sender: Sender) -> None:
    limits = Limits(
        allocation=Allocation.LISTED, storage_classes=("1.2.840.10008.5.1.4.1.1.2",), send_window="19:00-06:00",
        max_mbps=50, compress=True, storage_commitment=True, retention_days=7, attempts_limit=20,
    )  # fmt: skip

    change(sender, recipe_text=STRICT, quiet_time_s=120, called_ae="NIGHT", limits=limits)

    (channel,) = told(sender)
    assert channel["recipe_yaml"] == STRICT
    assert (channel["called_ae"], channel["quiet_time_s"], channel["allocation"]) == ("NIGHT", 120, "listed")
    assert (channel["send_window"], channel["max_mbps"], channel["compress"]) == ("19:00-06:00", 50, True)
    assert (channel["storage_commitment"], channel["retention_days"], channel["attempts_limit"]) == (
        True,
        7,
        20,
    )


def test_a_change_is_a_version_and_an_entry_with_its_reason(sender: Sender) -> None:
    changed = change(sender, quiet_time_s=120)

    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        actor = sender.world.actor()
        versions = queries.versions(actor, changed.id)
        line = audit.history(actor, "connections.channel", changed.id)[0]
    assert [one.version for one in versions] == [2, 1]
    assert versions[0].setup_digest == queries.setup_of(changed).digest()
    assert (line.action, line.reason) == ("connections.channel.changed", "as agreed")
    assert (line.old, line.new) == ({"quiet_time_s": 60, "version": 1}, {"quiet_time_s": 120, "version": 2})


def test_the_same_again_is_no_change(sender: Sender) -> None:
    assert change(sender, reason="").version == 1


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"quiet_time_s": 90, "reason": " "}, ReasonMissing),
        ({"expected_version": 2}, ChannelMoved),
        ({"recipe_text": "profile: everything\n"}, RecipeInvalid),
        ({"recipe_text": "x" * (300 << 10)}, RecipeInvalid),
        ({"limits": Limits(send_window="sometimes")}, ChannelInvalid),
        ({"limits": Limits(storage_classes=("CT",))}, ChannelInvalid),
        ({"called_ae": "A" * 17}, ChannelInvalid),
    ],
)
def test_what_cannot_be_followed_changes_nothing(
    sender: Sender, given: dict[str, Any], error: type[Exception]
) -> None:
    before = told(sender)

    with pytest.raises(error):
        change(sender, **given)

    assert told(sender) == before


def test_two_channels_of_a_gateway_have_two_titles(sender: Sender) -> None:
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        second = services.add_channel(
            actor=sender.world.actor(), gateway_id=sender.gateway_id, name="MR", called_ae="TRIAL2",
            project_name="P", site_code="02", site_name="South", recipe_text=STRICT,
        )  # fmt: skip

    with pytest.raises(ChannelTaken):
        change(sender, channel_id=second.id, called_ae="TRIAL", recipe_text=STRICT)


@pytest.mark.requirement("R01")
@pytest.mark.parametrize("role", ["Editor", "Viewer", "Reader", "Site user", "Data manager", "Monitor"])
def test_no_other_role_changes_or_switches_a_channel(sender: Sender, role: str) -> None:
    person = sender.world.join(role)

    with pytest.raises(Refused):
        change(sender, person, quiet_time_s=90)
    with pytest.raises(Refused), acting_as(person.principal, [sender.world.space_id]):
        services.switch_channel(
            actor=sender.world.actor(person), channel_id=sender.world.space_id, is_on=False, reason="x"
        )


@pytest.mark.requirement("R02", "R03")
def test_the_channel_of_another_tenant_does_not_exist(sender: Sender) -> None:
    other = enrolled(sender.client, new_world())

    with pytest.raises(ChannelNotFound):
        change(sender, channel_id=other.channel_id, quiet_time_s=90)
    with pytest.raises(NotFound), acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        queries.gateway(sender.world.actor(), other.gateway_id)


def test_a_channel_is_switched_off_and_on_again(sender: Sender) -> None:
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        services.switch_channel(
            actor=sender.world.actor(),
            channel_id=UUID(sender.channel_id),
            is_on=False,
            reason="scanner moved",
        )
    while_off = told(sender)
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        services.switch_channel(
            actor=sender.world.actor(), channel_id=UUID(sender.channel_id), is_on=True, reason="back"
        )

    assert while_off == []
    assert len(told(sender)) == 1


def test_what_was_cleaned_before_a_change_of_recipe_still_comes_in(
    sender: Sender, clean_exam: Callable[..., CleanExam]
) -> None:
    exam = clean_exam()
    change(sender, recipe_text=STRICT)

    receipt = sender.deliver(exam)

    assert {item["outcome"] for item in receipt["items"]} == {"stored"}


def test_what_was_cleaned_before_is_refused_when_somebody_says_so(
    sender: Sender, clean_exam: Callable[..., CleanExam]
) -> None:
    exam, late = clean_exam(), clean_exam()
    begun = sender.manifest(late)
    assert sender.open(begun).status_code == 200

    change(sender, recipe_text=STRICT, refuses_earlier=True)

    refused = [sender.open(sender.manifest(exam)), sender.send(begun, late.objects)]
    assert [(one.status_code, one.json()["code"]) for one in refused] == [
        (422, "ingest.manifest.invalid")
    ] * 2


def test_a_recipe_that_the_channel_was_never_told_is_refused(
    sender: Sender, clean_exam: Callable[..., CleanExam]
) -> None:
    manifest = sender.manifest(clean_exam(), recipe_digest="0" * 64)

    assert sender.open(manifest).status_code == 422
