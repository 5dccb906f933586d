"""What a person at a gateway has before them, beside the running gateway: quarantine, link list, trail."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from collegium_connect import clock
from collegium_connect.cli.parts import local_parts
from collegium_connect.journal.database import Journal
from collegium_connect.links import LinkList
from collegium_connect.quarantine import AsideGroups, Quarantine, TwoPatients
from collegium_connect.settings import Settings
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
    groups: AsideGroups
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
    time = Time()
    with local_parts(settings, time, is_apart=False) as parts:
        yield Site(
            parts.journal, parts.quarantine, parts.groups, parts.two_patients, parts.links, parts.trail, time
        )  # fmt: skip
