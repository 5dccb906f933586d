"""What a project asks reaches the gateway, what an exam lacks reaches its page, and a version can be pinned."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from collegium.imaging.archive import queries as archive
from collegium.imaging.connections import queries, services
from collegium.imaging.connections.errors import ReasonMissing, VersionInvalid
from collegium.imaging.connections.services import Limits
from collegium.kit.database import acting_as
from collegium.kit.errors import Refused
from collegium.trust.audit import queries as audit
from collegium_testkit.delivering import RECIPE
from collegium_testkit.pages import client_of
from collegium_wire import (
    NEWEST,
    PROTOCOL,
    AcquisitionRequirement,
    AcquisitionRequirements,
    ChannelConfiguration,
    Heartbeat,
    HeartbeatAnswer,
    paths,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium.kit.principals import Actor
    from collegium_testkit.delivering import CleanExam, Sender

CHEST = AcquisitionRequirement(visit="baseline", modality="CT", body_part="CHEST", images=200)
ASKED = AcquisitionRequirements(items=(CHEST,), takes_others=False)
WORDS = "CT for baseline: at least 200 images are needed; 4 came."
OTHER_WORDS = "CT for baseline: at least 2 series are needed; 1 came."


def beat(sender: Sender, protocol: int = NEWEST, told_digest: str = "") -> HeartbeatAnswer:
    configuration: tuple[ChannelConfiguration, ...] = ()
    if told_digest:
        configuration = (
            ChannelConfiguration(
                channel_id=sender.channel_id, setup_digest=told_digest, recipe_in_force="0" * 64
            ),
        )
    message = Heartbeat(
        protocol=protocol, software="connect 1.2", queue_objects=0, queue_bytes=0, failures=0,
        last_success_at=None, channels=(), configuration=configuration,
    )  # fmt: skip
    answer = sender.client.post(paths.HEARTBEAT, content=message.to_json(), headers=sender.headers)
    return HeartbeatAnswer.from_json(answer.content)


def ask(sender: Sender, asked: AcquisitionRequirements = ASKED) -> None:
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        services.ask_of_exams(actor=sender.world.actor(), asked=asked, reason="Version 2 was published.")


def pin(sender: Sender, version: str = "1.2.3", reason: str = "validated") -> None:
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        services.pin_gateway(
            actor=sender.world.actor(), gateway_id=sender.gateway_id, version=version, reason=reason
        )


def address(sender: Sender, rest: str = "") -> str:
    return f"/projects/{sender.world.space_id}/gateways/{sender.gateway_id}/{rest}"


def page(sender: Sender, where: str) -> str:
    answer = client_of(sender.world.administrator).get(where)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def actor_of(sender: Sender) -> Actor:
    return sender.world.actor()


def test_the_gateway_hears_what_the_project_asks(sender: Sender) -> None:
    ask(sender)

    (channel,) = beat(sender).channels

    assert channel.requirements == ASKED


def test_asking_is_a_version_of_each_channel_and_asking_the_same_again_is_none(sender: Sender) -> None:
    ask(sender)
    ask(sender)

    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        versions = queries.versions(actor_of(sender), sender.channel_id)  # type: ignore[arg-type]  # text is enough
        line = audit.history(actor_of(sender), "connections.channel", versions[0].channel_id)[0]
    assert [one.version for one in versions] == [2, 1]
    assert (line.action, line.reason) == ("connections.channel.changed", "Version 2 was published.")
    assert line.new == {"acquisition": 1, "version": 2}


def test_a_gateway_of_before_is_told_what_it_knows_and_counts_as_told(sender: Sender) -> None:
    ask(sender)
    pin(sender)

    answer = beat(sender, PROTOCOL)
    beat(sender, PROTOCOL, answer.channels[0].digest())

    assert answer.protocol == PROTOCOL
    assert (answer.channels[0].requirements, answer.pinned_software) == (AcquisitionRequirements(), "")
    text = page(sender, address(sender, f"channels/{sender.channel_id}/"))
    assert "does not check it. Update the gateway." in text
    assert "On its way" not in text


def test_the_channel_page_says_what_is_asked(sender: Sender) -> None:
    ask(sender)
    beat(sender)

    text = page(sender, address(sender, f"channels/{sender.channel_id}/"))

    assert "baseline: CT of CHEST, at least 200 images" in text
    assert "Update the gateway" not in text


def test_a_manager_says_on_the_page_that_what_lacks_something_is_held(sender: Sender) -> None:
    ask(sender)
    form = {
        "act": "change", "version": "2", "name": "CT", "called_ae": "TRIAL", "quiet_time_s": "60",
        "allocation": "automatic", "max_mbps": "0", "attempts_limit": "100", "retention_days": "0",
        "recipe": "trial", "reason": "as agreed", "when_unmet": "hold",
    }  # fmt: skip

    client_of(sender.world.administrator).post(address(sender, f"channels/{sender.channel_id}/"), form)

    assert beat(sender).channels[0].when_unmet == "hold"


@pytest.mark.requirement("C25")
def test_a_manager_says_on_the_page_that_only_what_a_manifest_names_is_sent(sender: Sender) -> None:
    form = {
        "act": "change", "version": "1", "name": "CT", "called_ae": "TRIAL", "quiet_time_s": "60",
        "allocation": "automatic", "max_mbps": "0", "attempts_limit": "100", "retention_days": "0",
        "recipe": "trial", "reason": "as agreed", "selected_only": "on",
    }  # fmt: skip

    client_of(sender.world.administrator).post(address(sender, f"channels/{sender.channel_id}/"), form)

    assert beat(sender).channels[0].selected_only


def test_a_gateway_that_would_send_everything_is_not_given_such_a_channel(sender: Sender) -> None:
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        services.change_channel(
            actor=sender.world.actor(), channel_id=UUID(sender.channel_id), expected_version=1, name="CT",
            called_ae="TRIAL", recipe_text=RECIPE.text, quiet_time_s=60, limits=Limits(selected_only=True),
            refuses_earlier=False, reason="as agreed",
        )  # fmt: skip

    assert beat(sender, PROTOCOL).channels == ()
    assert "is not given this channel. Update the gateway." in page(
        sender, address(sender, f"channels/{sender.channel_id}/")
    )
    assert len(beat(sender).channels) == 1


@pytest.mark.requirement("I05", "I06")
def test_what_an_exam_lacks_stands_at_it_until_it_has_come(
    sender: Sender, clean_exam: Callable[..., CleanExam]
) -> None:
    exam = clean_exam()
    sender.deliver(replace(exam, objects=exam.objects[:2]), protocol=NEWEST, unmet=(WORDS,))
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        (found,) = archive.exams(actor_of(sender))
    where = f"/projects/{sender.world.space_id}/exams/"
    assert WORDS in page(sender, f"{where}{found.id}/")
    assert "Does not meet the acquisition requirements." in page(sender, where)

    sender.deliver(replace(exam, objects=exam.objects[2:]), supplement=True, protocol=NEWEST, met=True)

    assert WORDS not in page(sender, f"{where}{found.id}/")


@pytest.mark.parametrize(
    ("objects", "then"),
    [
        (slice(2, 4), {"supplement": True}),
        (slice(2, 4), {}),
        (slice(2, 4), {"subject_code": "S-002", "protocol": NEWEST, "met": True}),
        (slice(2, 4), {"subject_code": "S-002", "protocol": NEWEST, "unmet": (OTHER_WORDS,)}),
        (slice(0, 2), {"protocol": NEWEST, "met": True}),
        (slice(0, 2), {"protocol": NEWEST, "unmet": (OTHER_WORDS,)}),
    ],
    ids=["an addition", "a delivery", "met of another", "unmet of another", "met again", "unmet again"],
)
def test_what_an_exam_lacks_outlives_a_delivery_that_judged_nothing_or_of_which_nothing_was_stored(
    sender: Sender, clean_exam: Callable[..., CleanExam], objects: slice, then: dict[str, Any]
) -> None:  # Any: fields of a manifest
    exam = clean_exam()
    sender.deliver(replace(exam, objects=exam.objects[:2]), protocol=NEWEST, unmet=(WORDS,))

    sender.deliver(replace(exam, objects=exam.objects[objects]), **then)

    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        (found,) = archive.exams(actor_of(sender))
    assert found.unmet == [WORDS]


def test_a_pinned_version_is_told_shown_and_written_down(sender: Sender) -> None:
    client_of(sender.world.administrator).post(
        address(sender), {"act": "pin", "version": " 1.2.3 ", "reason": "validated"}
    )

    assert beat(sender).pinned_software == "1.2.3"
    assert "changed the version a gateway is pinned to" in page(sender, address(sender))
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        line = audit.history(actor_of(sender), "connections.gateway", sender.gateway_id)[0]
    assert (line.old, line.new, line.reason) == ({"version": ""}, {"version": "1.2.3"}, "validated")


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"version": "newest"}, VersionInvalid),
        ({"version": "1.2"}, VersionInvalid),
        ({"reason": " "}, ReasonMissing),
    ],
)
def test_a_pin_is_a_version_and_needs_a_reason(
    sender: Sender, given: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        pin(sender, **given)

    assert beat(sender).pinned_software == ""


def test_nobody_else_pins_a_gateway(sender: Sender) -> None:
    reader = sender.world.join("Reader")

    with pytest.raises(Refused), acting_as(reader.principal, [sender.world.space_id]):
        services.pin_gateway(
            actor=sender.world.actor(reader), gateway_id=sender.gateway_id, version="1.2.3", reason="why"
        )
