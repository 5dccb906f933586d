"""Pages of gateways: what a manager sees and does there, and that nobody else does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from collegium.imaging.connections import queries
from collegium.imaging.connections.pages.channel import SHIPPED
from collegium.kit.database import acting_as
from collegium_deid import load_recipe
from collegium_deid.rules.recipe import SHIPPED as SHIPPED_FILES
from collegium_testkit.delivering import RECIPE, enrolled
from collegium_testkit.pages import client_of
from collegium_testkit.world import new_world
from collegium_wire import (
    NO_ENTRY,
    PROTOCOL,
    Alarm,
    ChannelConfiguration,
    Heartbeat,
    HeartbeatAnswer,
    TrailEntry,
    paths,
)

if TYPE_CHECKING:
    from collegium.imaging.connections.models import Channel
    from collegium_testkit.delivering import Sender

AT = datetime(2026, 1, 1, tzinfo=UTC)
FORM = {
    "act": "change", "version": "1", "name": "CT", "called_ae": "TRIAL", "quiet_time_s": "60",
    "allocation": "automatic", "max_mbps": "0", "attempts_limit": "100", "retention_days": "0", "recipe": "trial",
    "reason": "as agreed",
}  # fmt: skip


def beat(sender: Sender, **told: Any) -> HeartbeatAnswer:  # Any: fields of a heartbeat
    message = Heartbeat(
        protocol=PROTOCOL, software="connect 1.2", queue_objects=3, queue_bytes=4_000, failures=0,
        last_success_at=None, channels=(), **told,
    )  # fmt: skip
    answer = sender.client.post(paths.HEARTBEAT, content=message.to_json(), headers=sender.headers)
    return HeartbeatAnswer.from_json(answer.content)


def address(sender: Sender, rest: str = "") -> str:
    return f"/projects/{sender.world.space_id}/gateways/{sender.gateway_id}/{rest}"


def channel_address(sender: Sender) -> str:
    return address(sender, f"channels/{sender.channel_id}/")


def shown(sender: Sender, where: str) -> str:
    answer = client_of(sender.world.administrator).get(where)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def post(sender: Sender, where: str, **given: str) -> Any:  # Any: the test client's answer
    return client_of(sender.world.administrator).post(where, given)


def channel_of(sender: Sender) -> Channel:
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        return queries.channel(sender.world.actor(), sender.channel_id)  # type: ignore[arg-type]  # text is enough


def test_the_list_says_how_each_gateway_does(sender: Sender) -> None:
    beat(
        sender, rate_in_mbps=812.0, alarms=(Alarm(code="a.b", message="The disk is nearly full.", since=AT),)
    )

    page = shown(sender, f"/projects/{sender.world.space_id}/gateways/")

    assert "Needs a look" in page
    assert "Not taken over yet" in page
    assert "812" in page
    assert "connect 1.2" in page


def test_the_list_asks_as_often_for_many_gateways_as_for_one(sender: Sender) -> None:
    client, where = client_of(sender.world.administrator), f"/projects/{sender.world.space_id}/gateways/"
    client.get(where)
    with CaptureQueriesContext(connection) as one:
        client.get(where)
    for _ in range(3):
        enrolled(sender.client, sender.world)

    with CaptureQueriesContext(connection) as four:
        client.get(where)

    assert len(four) == len(one)


def test_one_gateway_shows_alarms_channels_and_the_trail_it_told(sender: Sender) -> None:
    entry = TrailEntry(
        seq=1, at=AT, action="quarantine.object.released", actor_role="operator", channel_id=sender.channel_id,
        previous_hash=NO_ENTRY, hash="a" * 64,
    )  # fmt: skip
    beat(sender, alarms=(Alarm(code="a.b", message="The <b>disk</b> is full.", since=AT),), trail=(entry,))

    page = shown(sender, address(sender))

    assert "The &lt;b&gt;disk&lt;/b&gt; is full." in page
    assert "an object was released from quarantine" in page
    assert "Not taken over yet" in page


@pytest.mark.parametrize(
    ("waiting", "in_force", "word"),
    [
        ("", RECIPE.digest, "In force"),
        ("b" * 64, RECIPE.digest, "Waits for the site"),
        ("", "b" * 64, "Another recipe is applied"),
    ],
)
def test_a_channel_says_how_far_its_configuration_has_come(
    sender: Sender, waiting: str, in_force: str, word: str
) -> None:
    (setup,) = beat(sender).channels
    stand = ChannelConfiguration(
        channel_id=sender.channel_id,
        setup_digest=setup.digest(),
        recipe_in_force=in_force,
        recipe_waiting=waiting,
    )

    beat(sender, configuration=(stand,))

    assert word in shown(sender, address(sender))
    assert word in shown(sender, channel_address(sender))


def test_a_channel_that_was_changed_is_on_its_way(sender: Sender) -> None:
    (setup,) = beat(sender).channels
    stand = ChannelConfiguration(
        channel_id=sender.channel_id, setup_digest=setup.digest(), recipe_in_force=setup.recipe_digest
    )
    beat(sender, configuration=(stand,))

    answer = post(sender, channel_address(sender), **FORM | {"quiet_time_s": "90"})

    assert answer.status_code == 302
    assert "On its way" in shown(sender, channel_address(sender))


def test_a_recipe_is_chosen_by_name_or_given_as_text(sender: Sender) -> None:
    own = load_recipe("strict").text.replace("\n", "\r\n") + "# ours\r\n"

    post(sender, channel_address(sender), **FORM | {"recipe": "strict"})
    by_name = channel_of(sender).recipe_text
    post(sender, channel_address(sender), **FORM | {"recipe": "own", "recipe_text": own, "version": "2"})

    assert by_name == load_recipe("strict").text
    assert channel_of(sender).recipe_text == own.replace("\r\n", "\n")


def test_who_loosens_a_recipe_learns_that_the_site_has_to_confirm_it(sender: Sender) -> None:
    client, where = client_of(sender.world.administrator), channel_address(sender)

    as_strict = FORM | {"recipe": "own", "recipe_text": RECIPE.text + "# The same, with a remark."}
    looser = FORM | {"recipe": "onward-clinical", "version": "2"}

    said = [client.post(where, given, follow=True).content.decode() for given in (as_strict, looser)]

    assert ["has to confirm it:" in page for page in said] == [False, True]


def test_every_shipped_recipe_can_be_chosen() -> None:
    assert {f"{name}.yaml" for name in SHIPPED} == {file.name for file in SHIPPED_FILES.iterdir()}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"recipe": "own", "recipe_text": "profile: all\n"}, "The recipe cannot be used."),
        ({"storage_classes": "CT, MR"}, "storage_classes must be a DICOM UID."),
        ({"version": "7"}, "Somebody changed this channel meanwhile."),
        ({"send_window": "at night"}, "Enter a valid value."),
        ({"quiet_time_s": "90", "reason": ""}, "This field is required."),
        ({"called_ae": "lower"}, "Enter a valid value."),
    ],
)
def test_what_is_wrong_with_a_change_stands_on_the_page(
    sender: Sender, given: dict[str, str], words: str
) -> None:
    answer = post(sender, channel_address(sender), **FORM | given)

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert channel_of(sender).version == 1


def test_a_channel_is_added_switched_off_and_seen(sender: Sender) -> None:
    given = FORM | {"called_ae": "MR_NIGHT", "site_name": "South", "site_code": "02", "compress": "on"}
    made = post(sender, address(sender, "channels/new"), **given)

    post(sender, made.headers["Location"], act="off", reason="not yet")

    page = shown(sender, address(sender))
    assert "MR_NIGHT" in page
    assert "Switched off" in page


def test_a_new_code_is_shown_once(sender: Sender) -> None:
    page = post(sender, address(sender), act="code").content.decode()

    code = page.split('data-copy="')[1].split('"')[0]
    assert len(code) == 64
    assert code not in shown(sender, address(sender))


def test_a_gateway_is_shut_out_with_a_reason(sender: Sender) -> None:
    without = post(sender, address(sender), act="revoke", reason=" ")
    post(sender, address(sender), act="revoke", reason="stolen")

    assert without.status_code == 422
    assert "Shut out" in shown(sender, address(sender))


@pytest.mark.requirement("R01")
@pytest.mark.parametrize(
    "role",
    ["Editor", "Viewer", "Reader", "Adjudicator", "Data manager", "Site user", "Monitor", "Sponsor viewer"],
)
def test_no_other_role_sees_a_gateway_or_changes_a_channel(sender: Sender, role: str) -> None:
    client = client_of(sender.world.join(role))

    answers = [
        client.get(where)
        for where in (address(sender), channel_address(sender), address(sender, "channels/new"))
    ]
    answers += [client.post(address(sender), {"act": "code"}), client.post(channel_address(sender), FORM)]

    assert {answer.status_code for answer in answers} == {403}
    assert channel_of(sender).version == 1


@pytest.mark.requirement("R02", "R03")
def test_a_gateway_of_another_tenant_is_not_there(sender: Sender) -> None:
    other = enrolled(sender.client, new_world())
    client, here = client_of(sender.world.administrator), f"/projects/{sender.world.space_id}/gateways/"
    foreign = [
        address(other),
        channel_address(other),
        f"{here}{other.gateway_id}/",
        f"{here}{sender.gateway_id}/channels/{other.channel_id}/",
        f"{here}{other.gateway_id}/channels/{sender.channel_id}/",
        f"{here}{other.gateway_id}/channels/new",
    ]

    statuses = {client.get(where).status_code for where in foreign}
    statuses |= {client.post(where, FORM).status_code for where in foreign}

    assert statuses == {404}
    assert channel_of(other).version == 1


def test_text_that_cannot_be_kept_is_no_server_error(sender: Sender) -> None:
    bad = "\x00\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace")

    answer = post(sender, channel_address(sender), **FORM | {"reason": f"x\x00{bad}", "quiet_time_s": "61"})

    assert answer.status_code == 302
