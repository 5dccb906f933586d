"""Write entries of the trail, and read them for people who are signed in."""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from collegium_connect.actor import Actor
from collegium_connect.clock import Clock, from_ms, to_ms
from collegium_connect.journal import trail as stored
from collegium_connect.journal.database import Journal
from collegium_connect.journal.trail import Entry
from collegium_connect.keys import Secrets
from collegium_connect.sealed import seal, unseal
from collegium_connect.trail.chain import Verdict, hash_of, verify
from collegium_wire import TrailEntry

Fact = str | int | bool


@dataclass(frozen=True)
class Line:
    """An entry as people see it."""

    seq: int
    at: datetime
    actor: str
    actor_role: str
    action: str
    channel_id: str
    ref: str
    detail: str
    reason: str
    hash: str


class Trail:
    """The trail of one gateway. Safe between threads."""

    def __init__(self, journal: Journal, secrets: Secrets, clock: Clock) -> None:
        self._journal, self._secrets, self._clock = journal, secrets, clock

    def note(  # noqa: PLR0913 - the parts of one entry
        self,
        db: sqlite3.Connection,
        actor: Actor,
        action: str,
        *,
        channel_id: str = "",
        ref: str = "",
        reason: str = "",
        facts: Mapping[str, Fact] | None = None,
    ) -> None:
        """Write an entry in the transaction of what it tells.

        Args:
            db: the connection of a `Journal.change`.
            actor: who did it; `actor.GATEWAY` for what the gateway did by itself.
            action: `area.thing.done`.
            channel_id: empty where no single channel is meant.
            ref: a local reference (object, exam, delivery, person); never an identifier or an original UID.
            reason: a person's own words; kept sealed.
            facts: counts and codes worth keeping.
        """
        self.note_each(db, actor, action, [(ref, facts or {})], channel_id=channel_id, reason=reason)

    def note_each(  # noqa: PLR0913 - the parts of one entry
        self,
        db: sqlite3.Connection,
        actor: Actor,
        action: str,
        done: Iterable[tuple[str, Mapping[str, Fact]]],
        *,
        channel_id: str,
        reason: str,
    ) -> None:
        """Write one entry for each of what was done in one act, each a reference with its facts; else as `note`."""
        at_ms, seq, previous_hash = to_ms(self._clock()), stored.last_seq(db), stored.last_hash(db)
        entries: list[Entry] = []
        for ref, facts in done:
            seq += 1
            entry = Entry(
                seq=seq,
                at_ms=at_ms,
                actor=actor.name,
                actor_role=actor.role,
                action=action,
                channel_id=channel_id,
                ref=ref,
                detail=", ".join(f"{name}={value}" for name, value in facts.items()),
                sealed_reason=self._sealed(seq, reason),
                previous_hash=previous_hash,
                hash="",
            )
            previous_hash = hash_of(entry)
            entries.append(replace(entry, hash=previous_hash))
        stored.add(db, entries)

    def lines(self, *, before_seq: int | None = None, limit: int = 100) -> list[Line]:
        """The newest entries, newest first; those older than `before_seq` where it is given."""
        with self._journal.look() as db:
            return [self._line(entry) for entry in stored.newest(db, before_seq, limit)]

    def of(self, ref: str, limit: int = 100) -> list[Line]:
        """What was done to one object, exam, delivery or person, newest first."""
        with self._journal.look() as db:
            return [self._line(entry) for entry in stored.of_ref(db, ref, limit)]

    def verify(self) -> Verdict:
        with self._journal.look() as db:
            return verify(db)

    def _line(self, entry: Entry) -> Line:
        return Line(
            entry.seq, from_ms(entry.at_ms), entry.actor, entry.actor_role, entry.action, entry.channel_id,
            entry.ref, entry.detail, self._reason(entry), entry.hash,
        )  # fmt: skip

    def _sealed(self, seq: int, reason: str) -> bytes:
        return b"".join(seal(self._secrets.sealing, _bound(seq), reason.encode())) if reason else b""

    def _reason(self, entry: Entry) -> str:
        if not entry.sealed_reason:
            return ""
        return unseal(self._secrets.sealing, _bound(entry.seq), entry.sealed_reason).decode()


def for_the_server(db: sqlite3.Connection, after_seq: int, limit: int) -> tuple[TrailEntry, ...]:
    """What may leave of the entries after one: that it was done, never who by name, to what or why."""
    return tuple(
        TrailEntry(
            seq=entry.seq,
            at=from_ms(entry.at_ms),
            action=entry.action,
            actor_role=entry.actor_role,
            channel_id=entry.channel_id,
            previous_hash=entry.previous_hash,
            hash=entry.hash,
        )
        for entry in stored.after(db, after_seq, limit)
    )


def _bound(seq: int) -> str:
    return f"trail/{seq}"
