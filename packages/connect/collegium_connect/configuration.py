"""Take over what the server says the channels are; what is looser waits for the site's administrator.

What protects patients at this site is decided at this site: a recipe that lets more pass, codes for
anybody where only listed people had one, or all of an exam where only what is selected left, apply when a
local administrator has confirmed it. Until then the stricter one stays in force, and everything else of
the new configuration applies. A called title that moves to another channel is judged by the recipe that
it had. Every configuration that was received is in the trail.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace

from collegium_connect.actor import GATEWAY, Actor, Role, require_role
from collegium_connect.channels import Channels
from collegium_connect.clock import Clock, to_ms
from collegium_connect.errors import ConnectError
from collegium_connect.journal import channels as stored
from collegium_connect.journal.channels import StoredChannel
from collegium_connect.journal.database import Journal
from collegium_connect.log import EventLog
from collegium_connect.trail import Trail
from collegium_deid import RecipeError, looser_than, parse_recipe
from collegium_wire import Allocation, ChannelSetup

log = EventLog("channels")


class NothingToConfirm(ConnectError):
    code = "connect.channel.nothing_to_confirm"
    message = "This is not what waits for confirmation. Look at the channel again."


class RecipeUnusable(ConnectError):
    code = "connect.channel.recipe_unusable"
    message = "The recipe cannot be used by this version of the gateway; it cannot be confirmed."


class Configuration:
    """The channels as received, in force and waiting. Safe between threads."""

    def __init__(self, journal: Journal, channels: Channels, trail: Trail, clock: Clock) -> None:
        self._journal, self._channels, self._trail, self._clock = journal, channels, trail, clock

    def take_over(self, setups: Sequence[ChannelSetup]) -> bool:
        """Make these the channels; others stay known and become inactive. True if anything changed."""
        with self._journal.change() as db:
            changed = receive(db, self._trail, setups, to_ms(self._clock()))
        if changed:
            log.info("channels.changed", channels=len(setups))
            self._channels.refresh()
        return changed

    def in_force(self) -> list[ChannelSetup]:
        """What applies now, of every channel that takes exams."""
        with self._journal.look() as db:
            return [item.setup for item in stored.channels(db) if item.is_active]

    def waiting(self) -> list[StoredChannel]:
        """Channels of which something waits for an administrator."""
        with self._journal.look() as db:
            return [item for item in stored.channels(db) if item.waits and item.is_active]

    def confirm(self, *, actor: Actor, channel_id: str, setup_digest: str) -> None:
        """Put in force what waits, looser as it is.

        Args:
            actor: a local administrator, or the console of this machine.
            channel_id: the channel.
            setup_digest: digest of the offered setup that the person has seen; another one may have come.

        Raises:
            NotAllowed: by role.
            NothingToConfirm: nothing waits, or something else does by now.
            RecipeUnusable: this version cannot read the recipe.
        """
        require_role(actor, Role.ADMINISTRATOR, Role.CONSOLE)
        with self._journal.change() as db:
            item = next((one for one in stored.channels(db) if one.setup.channel_id == channel_id), None)
            if item is None or not item.waits or item.offered.digest() != setup_digest:
                raise NothingToConfirm
            if not _is_readable(item.offered.recipe_yaml):
                raise RecipeUnusable
            stored.save_channel(db, item.offered, to_ms(self._clock()), offered=item.offered)
            self._trail.note(
                db, actor, "channels.configuration.confirmed", channel_id=channel_id, ref=setup_digest,
                facts={"recipe": item.offered.recipe_digest, "before": item.setup.recipe_digest},
            )  # fmt: skip
        log.info("channel.confirmed", channel=channel_id, recipe=item.offered.recipe_digest)
        self._channels.refresh()


def receive(db: sqlite3.Connection, trail: Trail, setups: Sequence[ChannelSetup], at_ms: int) -> bool:
    """Write down what the server sent, in the transaction of `db`; True if anything is new."""
    known = {item.setup.channel_id: item for item in stored.channels(db)}
    changed = False
    for offered in setups:
        item = known.get(offered.channel_id)
        if item is not None and item.is_active and item.offered == offered:
            continue
        changed = True
        setup, looser = _in_force(offered, item, list(known.values()))
        stored.save_channel(db, setup, at_ms, offered=offered, looser=looser)
        trail.note(
            db, GATEWAY, "channels.configuration.received", channel_id=offered.channel_id,
            ref=offered.digest(), facts={"recipe": offered.recipe_digest, "waits": bool(looser)},
        )  # fmt: skip
        if looser:
            log.warning("channel.waits", channel=offered.channel_id, reasons=len(looser))
    for channel_id in known.keys() - {setup.channel_id for setup in setups}:
        if known[channel_id].is_active:
            changed = True
            stored.withdraw_channel(db, channel_id, at_ms)
            trail.note(db, GATEWAY, "channels.channel.withdrawn", channel_id=channel_id)
    return changed


def _in_force(
    offered: ChannelSetup, own: StoredChannel | None, known: Sequence[StoredChannel]
) -> tuple[ChannelSetup, tuple[str, ...]]:
    """What of an offered setup applies at once, and in words what of it has to be confirmed."""
    baselines = list(_baselines(offered, own, known))
    looser = tuple(dict.fromkeys(reason for one in baselines for reason in _looser(one, offered)))
    if not looser:
        return offered, ()
    kept = baselines[0]
    setup = replace(
        offered,
        recipe_yaml=kept.recipe_yaml,
        recipe_digest=kept.recipe_digest,
        allocation=kept.allocation if kept.allocation is Allocation.LISTED else offered.allocation,
        selected_only=kept.selected_only or offered.selected_only,
        called_ae=own.setup.called_ae if own is not None else offered.called_ae,
    )
    return setup, looser


def _baselines(
    offered: ChannelSetup, own: StoredChannel | None, known: Sequence[StoredChannel]
) -> Iterator[ChannelSetup]:
    """What holds now for what this channel would take: its own setup, and that of whoever had its title."""
    if own is not None:
        yield own.setup
        if own.setup.called_ae == offered.called_ae:
            return
    for item in sorted(known, key=lambda one: not one.is_active):
        if item.setup.called_ae == offered.called_ae and item is not own:
            yield item.setup


def _looser(before: ChannelSetup, offered: ChannelSetup) -> Iterator[str]:
    if before.allocation is Allocation.LISTED and offered.allocation is not Allocation.LISTED:
        yield "People who are not on the allocation list get a subject code of their own."
    if before.selected_only and not offered.selected_only:
        yield "Objects leave that no export manifest names."
    if before.recipe_digest == offered.recipe_digest:
        return
    try:
        after = parse_recipe(offered.recipe_yaml)
    except RecipeError:
        yield "The recipe cannot be used by this version of the gateway."
        return
    try:
        yield from looser_than(parse_recipe(before.recipe_yaml), after)
    except RecipeError:
        yield "The recipe in force cannot be read any more, so nothing can be compared."


def _is_readable(recipe_yaml: str) -> bool:
    try:
        parse_recipe(recipe_yaml)
    except RecipeError:
        return False
    return True
