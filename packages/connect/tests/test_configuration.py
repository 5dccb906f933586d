"""What the server sends applies at once, unless it is looser: that waits for the site's administrator."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from collegium_connect.actor import CONSOLE, Actor, NotAllowed, Role
from collegium_connect.channels import Channels
from collegium_connect.clock import now
from collegium_connect.configuration import Configuration, NothingToConfirm, RecipeUnusable
from collegium_connect.journal.database import Journal
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.service import Gateway
from collegium_connect.trail import Trail
from collegium_deid import load_recipe
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.gateways import GatewayProcess
from collegium_wire import Allocation, ChannelSetup

Until = Callable[..., None]
ADMINISTRATOR = Actor("ada", Role.ADMINISTRATOR)
TRIAL = load_recipe("trial").text
LOOSER = TRIAL.replace("cap_years: 89", "cap_years: 110").replace('version: "2"', 'version: "9"')
STRICTER = TRIAL.replace("cap_years: 89", "cap_years: 70").replace('version: "2"', 'version: "3"')


def channel(recipe: str = TRIAL, channel_id: str = "ch-1", called_ae: str = "TRIAL1") -> ChannelSetup:
    return ChannelSetup(
        channel_id=channel_id,
        name=f"Channel {channel_id}",
        called_ae=called_ae,
        project_name=f"Project of {channel_id}",
        site_name="Larkspur General",
        site_code="LG",
        recipe_yaml=recipe,
        recipe_digest=hashlib.sha256(recipe.encode()).hexdigest(),
        quiet_time_s=60,
    )


class Desk:
    """Channels and configuration over a journal, without a gateway around them."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal(folder / "journal.sqlite3")
        keys = KeyFolder(folder / "keys")
        self.trail = Trail(self.journal, load_secrets(keys), now)
        self.channels = Channels(self.journal, keys)
        self.configuration = Configuration(self.journal, self.channels, self.trail, now)

    def version_at(self, called_ae: str) -> str:
        found = self.channels.called(called_ae)
        assert found is not None
        return found.recipe.version

    @property
    def actions(self) -> list[str]:
        return [line.action for line in reversed(self.trail.lines())]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    made.configuration.take_over([channel()])
    yield made
    made.journal.close()


def test_a_stricter_recipe_applies_at_once(desk: Desk) -> None:
    desk.configuration.take_over([channel(STRICTER)])

    assert desk.version_at("TRIAL1") == "3"
    assert desk.configuration.waiting() == []


def test_a_looser_recipe_waits_and_the_stricter_one_stays_in_force(desk: Desk) -> None:
    desk.configuration.take_over([replace(channel(LOOSER), quiet_time_s=90)])

    (waiting,) = desk.configuration.waiting()
    assert desk.version_at("TRIAL1") == "2"
    assert waiting.looser == ("It lets higher ages pass.",)
    assert waiting.setup.quiet_time_s == 90


def test_what_waits_applies_when_an_administrator_confirms_what_they_saw(desk: Desk) -> None:
    offered = channel(LOOSER)
    desk.configuration.take_over([offered])

    desk.configuration.confirm(actor=ADMINISTRATOR, channel_id="ch-1", setup_digest=offered.digest())

    assert desk.version_at("TRIAL1") == "9"
    assert desk.configuration.waiting() == []
    assert desk.actions == [
        "channels.configuration.received",
        "channels.configuration.received",
        "channels.configuration.confirmed",
    ]
    assert desk.trail.lines()[0].actor == "ada"


def test_an_operator_may_not_confirm(desk: Desk) -> None:
    offered = channel(LOOSER)
    desk.configuration.take_over([offered])

    with pytest.raises(NotAllowed):
        desk.configuration.confirm(
            actor=Actor("otto", Role.OPERATOR), channel_id="ch-1", setup_digest=offered.digest()
        )

    assert desk.version_at("TRIAL1") == "2"


def test_what_came_after_the_person_looked_is_not_confirmed_with_it(desk: Desk) -> None:
    seen = channel(LOOSER)
    desk.configuration.take_over([seen])
    desk.configuration.take_over([channel(LOOSER.replace("110", "120"))])

    with pytest.raises(NothingToConfirm):
        desk.configuration.confirm(actor=ADMINISTRATOR, channel_id="ch-1", setup_digest=seen.digest())

    assert desk.version_at("TRIAL1") == "2"


def test_nothing_that_waits_stays_waiting_when_the_server_takes_it_back(desk: Desk) -> None:
    desk.configuration.take_over([channel(LOOSER)])

    desk.configuration.take_over([channel()])

    assert desk.configuration.waiting() == []
    assert desk.version_at("TRIAL1") == "2"


def test_a_recipe_in_two_steps_is_no_way_around_the_confirmation(desk: Desk) -> None:
    desk.configuration.take_over([channel(LOOSER)])
    desk.configuration.take_over([replace(channel(LOOSER), quiet_time_s=61)])
    desk.configuration.take_over([])
    desk.configuration.take_over([channel(LOOSER)])

    assert desk.version_at("TRIAL1") == "2"
    assert len(desk.configuration.waiting()) == 1


def test_a_title_that_moves_to_a_looser_channel_keeps_its_recipe(desk: Desk) -> None:
    desk.configuration.take_over([channel(LOOSER, "ch-2", "TRIAL1")])

    (waiting,) = desk.configuration.waiting()
    assert waiting.setup.channel_id == "ch-2"
    assert desk.version_at("TRIAL1") == "2"


def test_channels_that_swap_their_titles_do_not_swap_their_recipes_unasked(desk: Desk) -> None:
    desk.configuration.take_over([channel(), channel(LOOSER, "ch-2", "LOOSE")])

    desk.configuration.take_over([channel(called_ae="LOOSE"), channel(LOOSER, "ch-2", "TRIAL1")])

    assert desk.channels.called("TRIAL1") is None
    assert desk.version_at("LOOSE") == "2"


def test_codes_for_anybody_wait_where_only_listed_people_had_one(desk: Desk) -> None:
    listed = replace(channel(), allocation=Allocation.LISTED)
    desk.configuration.take_over([listed])

    desk.configuration.take_over([channel()])

    (waiting,) = desk.configuration.waiting()
    assert waiting.setup.allocation is Allocation.LISTED
    assert len(waiting.looser) == 1


def test_a_recipe_that_cannot_be_read_here_leaves_the_one_in_force_and_cannot_be_confirmed(
    desk: Desk,
) -> None:
    broken = channel("recipe: of a newer version\n")
    desk.configuration.take_over([broken])

    with pytest.raises(RecipeUnusable):
        desk.configuration.confirm(actor=CONSOLE, channel_id="ch-1", setup_digest=broken.digest())

    assert desk.version_at("TRIAL1") == "2"


def test_every_configuration_that_came_is_in_the_trail_and_the_same_one_only_once(desk: Desk) -> None:
    desk.configuration.take_over([channel()])
    desk.configuration.take_over([channel(STRICTER)])
    desk.configuration.take_over([])

    assert desk.actions == [
        "channels.configuration.received",
        "channels.configuration.received",
        "channels.channel.withdrawn",
    ]
    assert desk.trail.verify().is_whole


def test_the_server_hears_what_is_in_force_what_waits_and_what_was_done(
    gateway: Gateway, server: FakeServer, until: Until
) -> None:
    looser = replace(server.channels[0], recipe_yaml=LOOSER, recipe_digest=channel(LOOSER).recipe_digest)
    before = server.channels[0].recipe_digest
    server.channels = (looser,)

    until(lambda: server.heartbeats and server.heartbeats[-1].alarms)
    until(lambda: len(server.trail) >= 2)

    beat = server.heartbeats[-1]
    (told,) = beat.configuration
    assert (told.recipe_in_force, told.recipe_waiting) == (before, looser.recipe_digest)
    assert told.setup_digest == looser.digest()
    assert [(alarm.code, alarm.channel_id) for alarm in beat.alarms] == [("connect.channel.waits", "ch-1")]
    assert {entry.action for entry in server.trail} == {"channels.configuration.received"}
    gateway.configuration.confirm(actor=CONSOLE, channel_id="ch-1", setup_digest=looser.digest())
    until(lambda: not server.heartbeats[-1].alarms)


def test_the_command_shows_what_waits_and_a_running_gateway_follows_it(
    process: GatewayProcess, server: FakeServer, until: Until
) -> None:
    process.start()
    looser = replace(server.channels[0], recipe_yaml=LOOSER, recipe_digest=channel(LOOSER).recipe_digest)
    server.channels = (looser,)
    until(lambda: server.heartbeats and server.heartbeats[-1].alarms)

    shown = process.run("confirm")
    done = process.run("confirm", "--digest", looser.digest())

    assert "It lets higher ages pass." in shown.stdout
    assert looser.digest() in shown.stdout
    assert done.returncode == 0
    until(lambda: server.heartbeats[-1].configuration[0].recipe_in_force == looser.recipe_digest)
    until(lambda: not server.heartbeats[-1].alarms)
    assert process.run("confirm").stdout == "Nothing waits for confirmation.\n"
    assert process.run("confirm", "--digest", looser.digest()).returncode == 1
