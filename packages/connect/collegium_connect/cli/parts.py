"""The parts of a gateway that local people act on, opened beside the running one or without it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from collegium_connect.channels import Channels
from collegium_connect.cli.options import opened
from collegium_connect.clock import Clock, now
from collegium_connect.journal.database import Journal
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.links import LinkList, LinkTable
from collegium_connect.people import People
from collegium_connect.quarantine import AsideGroups, Quarantine, TwoPatients, UnmetExams, Viewer
from collegium_connect.settings import Settings
from collegium_connect.spool import Stores
from collegium_connect.trail import Trail


@dataclass(frozen=True)
class LocalParts:
    journal: Journal
    people: People
    trail: Trail
    links: LinkList
    quarantine: Quarantine
    groups: AsideGroups
    two_patients: TwoPatients
    unmet: UnmetExams


@contextmanager
def local_parts(settings: Settings, clock: Clock = now, *, is_apart: bool = True) -> Iterator[LocalParts]:
    """All of them; what they change is in the journal, and the running gateway acts on it.

    `is_apart`: whether pictures are looked at in a process of their own.
    """
    folder = settings.gateway.data_dir
    with opened(settings) as journal:
        keys = KeyFolder(folder / "keys")
        secrets = load_secrets(keys)
        stores, channels = Stores.below(folder, settings.limits, secrets.sealing), Channels(journal, keys)
        trail = Trail(journal, secrets, clock)
        quarantine = Quarantine(
            journal, stores, channels, links=LinkTable(journal, secrets, clock), trail=trail,
            clock=clock, viewer=Viewer(is_apart=is_apart),
        )  # fmt: skip
        try:
            yield LocalParts(
                journal=journal,
                people=People(journal, trail, clock),
                trail=trail,
                links=LinkList(journal, secrets, trail, clock),
                quarantine=quarantine,
                groups=AsideGroups(journal, channels, trail, quarantine.forget),
                two_patients=TwoPatients(journal, secrets, channels, trail, clock),
                unmet=UnmetExams(journal, trail, clock),
            )  # fmt: skip
        finally:
            stores.segments.close()
