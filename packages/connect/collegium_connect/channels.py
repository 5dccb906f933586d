"""The channels in force: by called AE title, each with its recipe parsed and its site key loaded."""

from dataclasses import dataclass

from collegium_connect.errors import KeyUnusable
from collegium_connect.journal import channels as stored
from collegium_connect.journal.database import Journal
from collegium_connect.keys import KeyFolder, check_of, site_key, site_key_name
from collegium_connect.log import EventLog
from collegium_deid import DeidError, Recipe, SiteKey, parse_recipe
from collegium_wire import ChannelSetup

log = EventLog("channels")


@dataclass(frozen=True)
class Channel:
    """One way in, ready to use."""

    setup: ChannelSetup
    scope_id: int
    recipe: Recipe
    key: SiteKey
    is_active: bool
    """Withdrawn channels take nothing new; what they took is still cleaned and delivered."""
    waits: bool = False
    """Whether something looser that the server sent is not in force yet."""

    @property
    def channel_id(self) -> str:
        return self.setup.channel_id


@dataclass(frozen=True)
class IdleChannel:
    """A channel that cannot be served, and why."""

    setup: ChannelSetup
    reason: str


class Channels:
    """Reads the journal's channels; `refresh` after they change. Reading is safe between threads."""

    def __init__(self, journal: Journal, keys: KeyFolder) -> None:
        self._journal, self._keys = journal, keys
        self._by_id: dict[str, Channel] = {}
        self._idle: tuple[IdleChannel, ...] = ()
        self._setups: dict[str, ChannelSetup] = {}
        self._read_at = (0, 0)
        self.refresh()

    @property
    def active(self) -> tuple[Channel, ...]:
        return tuple(channel for channel in self._by_id.values() if channel.is_active)

    @property
    def idle(self) -> tuple[IdleChannel, ...]:
        return self._idle

    def called(self, ae_title: str) -> Channel | None:
        """The channel of a called AE title.

        While a channel waits for an administrator it keeps the title it had; should another one have
        that title by now, that one counts.
        """
        found = [channel for channel in self.active if channel.setup.called_ae == ae_title]
        return min(found, key=lambda channel: channel.waits, default=None)

    @property
    def setups(self) -> tuple[ChannelSetup, ...]:
        """What the server said of every channel, those included that cannot be served or were withdrawn."""
        return tuple(self._setups.values())

    def setup_of(self, channel_id: str) -> ChannelSetup | None:
        return self._setups.get(channel_id)

    def by_id(self, channel_id: str) -> Channel | None:
        return self._by_id.get(channel_id)

    def follow(self) -> None:
        """Refresh if the journal's channels are others by now: a command may have changed them."""
        with self._journal.look() as db:
            changed = stored.last_change(db) != self._read_at
        if changed:
            self.refresh()

    def refresh(self) -> None:
        """Parse recipes and load keys anew; a channel that fails is idle with its reason."""
        with self._journal.look() as db:
            known, self._read_at = stored.channels(db), stored.last_change(db)
        ready: dict[str, Channel] = {}
        idle = []
        for item in known:
            try:
                ready[item.setup.channel_id] = Channel(
                    item.setup,
                    item.scope_id,
                    parse_recipe(item.setup.recipe_yaml, item.setup.name),
                    site_key(self._site_key(item)),
                    item.is_active,
                    item.waits,
                )
            except DeidError as error:
                idle.append(IdleChannel(item.setup, f"The recipe cannot be used: {error}"))
            except KeyUnusable as error:
                idle.append(IdleChannel(item.setup, str(error)))
        for channel in idle:
            log.error("channel.idle", channel=channel.setup.channel_id, reason=channel.reason)
        self._by_id, self._idle = ready, tuple(idle)
        self._setups = {item.setup.channel_id: item.setup for item in known}

    def _site_key(self, item: stored.StoredChannel) -> bytes:
        """Make the key on the channel's first day; afterwards only ever read the very same."""
        name = site_key_name(item.scope_id)
        key = self._keys.make(name) if item.key_check is None else self._keys.read(name)
        check = check_of(key)
        if item.key_check is None:
            with self._journal.change() as db:
                stored.save_key_check(db, item.scope_id, check)
        elif item.key_check != check:
            raise KeyUnusable(f"The key {name} is not the one this site began with. Restore its backup.")
        return key
