"""The parts of a gateway that local people act on, opened beside the running one or without it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from collegium_connect.channels import Channels
from collegium_connect.cli.options import opened
from collegium_connect.clock import now
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.links import LinkList, LinkTable
from collegium_connect.people import People
from collegium_connect.quarantine import Quarantine, TwoPatients, UnmetExams, Viewer
from collegium_connect.settings import Settings
from collegium_connect.spool import Stores
from collegium_connect.trail import Trail


@dataclass(frozen=True)
class LocalParts:
    people: People
    trail: Trail
    links: LinkList
    quarantine: Quarantine
    two_patients: TwoPatients
    unmet: UnmetExams


@contextmanager
def local_parts(settings: Settings) -> Iterator[LocalParts]:
    """All of them; what they change is in the journal, and the running gateway acts on it."""
    folder = settings.gateway.data_dir
    with opened(settings) as journal:
        keys = KeyFolder(folder / "keys")
        secrets = load_secrets(keys)
        stores, channels = Stores.below(folder, settings.limits, secrets.sealing), Channels(journal, keys)
        trail = Trail(journal, secrets, now)
        try:
            yield LocalParts(
                people=People(journal, trail, now),
                trail=trail,
                links=LinkList(journal, secrets, trail, now),
                quarantine=Quarantine(
                    journal, stores, channels, links=LinkTable(journal, secrets, now), trail=trail,
                    clock=now, viewer=Viewer(),
                ),
                two_patients=TwoPatients(journal, secrets, channels, trail, now),
                unmet=UnmetExams(journal, trail, now),
            )  # fmt: skip
        finally:
            stores.segments.close()
