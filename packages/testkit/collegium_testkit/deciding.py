"""What a person at a gateway has before them, beside the running gateway: quarantine, link list, trail."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from collegium_connect import clock
from collegium_connect.channels import Channels
from collegium_connect.folders import journal_path
from collegium_connect.journal.database import Journal
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.links import LinkList, LinkTable
from collegium_connect.quarantine import Quarantine, TwoPatients, Viewer
from collegium_connect.settings import Settings
from collegium_connect.spool import Stores
from collegium_connect.trail import Trail


@dataclass
class Time:
    """A clock that a test moves."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return clock.now() + self.ahead


@dataclass
class Site:
    """What a person at the gateway has before them, beside the running gateway."""

    journal: Journal
    quarantine: Quarantine
    two_patients: TwoPatients
    links: LinkList
    trail: Trail
    time: Time

    def only(self) -> str:
        (item,) = self.quarantine.objects()
        return item.object_id


@contextmanager
def site_of(settings: Settings) -> Iterator[Site]:
    """A site at the folder of these settings."""
    folder, time, journal = settings.gateway.data_dir, Time(), Journal(journal_path(settings))
    keys = KeyFolder(folder / "keys")
    secrets = load_secrets(keys)
    stores, trail = Stores.below(folder, settings.limits, secrets.sealing), Trail(journal, secrets, time)
    known = Channels(journal, keys)
    quarantine = Quarantine(
        journal, stores, known, links=LinkTable(journal, secrets, time), trail=trail,
        clock=time, viewer=Viewer(is_apart=False),
    )  # fmt: skip
    links = LinkList(journal, secrets, trail, time)
    two_patients = TwoPatients(journal, secrets, known, trail, time)
    try:
        yield Site(journal, quarantine, two_patients, links, trail, time)
    finally:
        stores.segments.close()
        journal.close()
