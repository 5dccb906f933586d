"""What is set aside of one exam for one reason, given up by a person in one act.

There is no release of a group: a release holds for what was seen, so each object needs a look of its own.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from collegium_connect.actor import PEOPLE, Actor, require_role
from collegium_connect.channels import Channels
from collegium_connect.clock import from_ms
from collegium_connect.journal import aside_groups
from collegium_connect.journal.aside_groups import GroupKey, GroupLine, Member
from collegium_connect.journal.database import Journal
from collegium_connect.log import EventLog
from collegium_connect.quarantine.errors import GroupChanged, NotSetAside
from collegium_connect.reason import checked
from collegium_connect.trail import Trail

log = EventLog("quarantine")

MOST: Final = 10_000
"""In one act: nothing else is written meanwhile, and a PACS that sends waits for that."""


@dataclass(frozen=True)
class Group:
    """One of them, as the list shows it: no identifier."""

    key: GroupKey
    channel_name: str
    subject_code: str
    """Empty where none was found yet, or of several."""
    reason: str
    is_worded_alike: bool
    """Whether the words are the same for all of them; the code is."""
    objects: int
    size_bytes: int
    last_received_at: datetime


@dataclass(frozen=True)
class ShownGroup:
    """What a person is about to give up."""

    group: Group
    objects: int
    """How many in this act: all of them, or the oldest if they are too many."""
    size_bytes: int
    shown: str
    """Stands for exactly these objects; a deletion names it."""


class AsideGroups:
    """The groups of one gateway's quarantine. Safe between threads."""

    def __init__(
        self, journal: Journal, channels: Channels, trail: Trail, forget: Callable[[str], None]
    ) -> None:
        """`forget`: drops what is kept in memory of an object."""
        self._journal, self._channels, self._trail, self._forget = journal, channels, trail, forget

    def listed(self, *, reason_code: str = "", limit: int = 50) -> list[Group]:
        """Groups of two objects and more, the largest first; of one reason where it is given."""
        with self._journal.look() as db:
            return [self._group(line) for line in aside_groups.listed(db, reason_code, limit)]

    def show(self, key: GroupKey) -> ShownGroup:
        """What would be given up.

        Raises:
            NotSetAside: nothing of it is set aside any more.
        """
        with self._journal.look() as db:
            line = aside_groups.one(db, key)
            found = aside_groups.members(db, key, MOST)
        if line is None:
            raise NotSetAside
        size_bytes = sum(member.record_bytes for member in found)
        return ShownGroup(self._group(line), len(found), size_bytes, _digest(found))

    def shown_as(self, shown: str) -> ShownGroup:
        """The group that was shown so, and is so still.

        Raises:
            GroupChanged: there is none.
        """
        for group in self.listed(limit=MOST):
            found = self.show(group.key)
            if found.shown == shown:
                return found
        raise GroupChanged

    def delete(self, actor: Actor, key: GroupKey, shown: str, reason: str) -> int:
        """Give up what was shown, all of it or nothing; how many. As final as the deletion of one.

        Each object has its own entry in the trail, as if it had been deleted alone.

        Args:
            actor: a signed-in person.
            key: which group.
            shown: of the `ShownGroup` that this person saw.
            reason: in their own words, for each of them.

        Raises:
            NotAllowed: no named person.
            NotSetAside: nothing of it is set aside any more.
            GroupChanged: it is not what was shown.
            ReasonMissing.
        """
        require_role(actor, *PEOPLE)
        reason = checked(reason)
        with self._journal.change() as db:
            found = aside_groups.members(db, key, MOST)
            if not found:
                raise NotSetAside
            if _digest(found) != shown:
                raise GroupChanged
            aside_groups.delete(db, found)
            self._trail.note_each(
                db, actor, "quarantine.object.deleted", [_told(key, member, len(found)) for member in found],
                channel_id=key.channel_id, reason=reason,
            )  # fmt: skip
        for member in found:
            self._forget(member.object_id)
        log.info(
            "group.deleted", channel=key.channel_id, exam=key.exam_id, code=key.reason_code,
            objects=len(found),
        )  # fmt: skip
        return len(found)

    def _group(self, line: GroupLine) -> Group:
        channel = self._channels.by_id(line.key.channel_id)
        return Group(
            line.key, channel.setup.name if channel else "", line.subject_code, line.reason,
            line.is_worded_alike, line.objects, line.size_bytes, from_ms(line.last_ms),
        )  # fmt: skip


def _digest(found: Sequence[Member]) -> str:
    return hashlib.sha256(" ".join(member.object_id for member in found).encode()).hexdigest()[:32]


def _told(key: GroupKey, member: Member, count: int) -> tuple[str, dict[str, str | int | bool]]:
    facts: dict[str, str | int | bool] = {
        "code": key.reason_code, "bytes": member.record_bytes, "together": count,
    }  # fmt: skip
    return member.object_id, facts
