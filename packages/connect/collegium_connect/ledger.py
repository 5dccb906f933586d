"""What a receiving part asks of the journal: is this known, and: these are on the disk, write them down.

Many threads hand in what they wrote; whoever gets the turn syncs the segments of all that wait, and
whoever gets the next turn commits the rows of all that are synced, so that a sync serves many and the
disk has the records of some while it has the rows of others. Objects that are in nobody's hands are
never held back for company: who comes alone is committed alone.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from collegium_connect.journal import objects
from collegium_connect.journal.database import GroupCommit, Journal
from collegium_connect.journal.objects import Arrival, Kept
from collegium_connect.spool import Stored, Stores


class Written(NamedTuple):
    """An object whose record is written and not yet on the disk."""

    arrival: Arrival
    stored: Stored


class Ledger(Protocol):
    """The journal as receiving knows it, here or in another process."""

    @property
    def is_well(self) -> bool:
        """Whether it can be written to; nothing may enter while it cannot."""

    def is_known(self, channel_id: str, sop_instance_uid: str, sha256: str) -> bool:
        """Whether this very object is safe here already."""

    def is_known_input(self, channel_id: str, input_mac: bytes) -> bool:
        """The same for what is sealed whole, by the keyed digest of what was received."""

    def record(self, items: Sequence[Written]) -> list[Kept]:
        """Put records and their rows on the disk; what became of each. A duplicate's record is gone then."""


class Known:
    """What is safe here already, read from the journal in any process."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def is_known(self, channel_id: str, sop_instance_uid: str, sha256: str) -> bool:
        with self._journal.look() as db:
            return objects.is_known(db, channel_id, sop_instance_uid, sha256)

    def is_known_input(self, channel_id: str, input_mac: bytes) -> bool:
        with self._journal.look() as db:
            return objects.is_known_input(db, channel_id, input_mac)


class JournalLedger(Known):
    """The ledger of the process that has the journal. Safe between threads."""

    def __init__(self, journal: Journal, stores: Stores) -> None:
        super().__init__(journal)
        self._stores = stores
        self._syncs: GroupCommit[Sequence[Written], None] = GroupCommit(self._sync)
        self._commits: GroupCommit[Sequence[Written], list[Kept]] = GroupCommit(self._commit)

    @property
    def is_well(self) -> bool:
        return not self._journal.is_damaged

    def record(self, items: Sequence[Written]) -> list[Kept]:
        self._syncs.submit(items)  # no row before its record
        return self._commits.submit(items)

    def _sync(self, groups: list[Sequence[Written]]) -> list[None]:
        self._stores.segments.sync(item.stored.place.segment for group in groups for item in group)
        return [None] * len(groups)

    def _commit(self, groups: list[Sequence[Written]]) -> list[list[Kept]]:
        # Should the commit fail, the records stay: whether the rows were written is for the next start to see.
        with self._journal.change() as db:
            kept = [[objects.record(db, item.arrival, item.stored) for item in group] for group in groups]
        for group, outcomes in zip(groups, kept, strict=True):
            for item, outcome in zip(group, outcomes, strict=True):
                if outcome is Kept.DUPLICATE:
                    self._stores.forget(item.stored.place)
        return kept
