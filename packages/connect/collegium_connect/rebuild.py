"""Make a damaged journal again: from its newest copy, from what of it can still be read, and from the segments.

The segments hold every object that is not delivered, with a note of all that its row said; what is known
from them alone is inspected again before it is sent. The copy holds the rest: people, trail, receipts,
channels, links. Nothing is deleted: the damaged journal is put aside, and nothing at all is changed where
a record belongs to a channel that nobody knows. What was sent since the copy was made is offered to the
server again, which knows it and says so.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collegium_connect.actor import CONSOLE
from collegium_connect.clock import Clock, to_ms
from collegium_connect.errors import ConnectError, SealBroken, SpoolDamaged
from collegium_connect.journal import objects, subjects, test_exams
from collegium_connect.journal.backups import newest_good
from collegium_connect.journal.database import Journal
from collegium_connect.journal.objects import Arrival, Kept, State
from collegium_connect.keys import Secrets
from collegium_connect.links.link_list import number_of
from collegium_connect.links.table import new_subject
from collegium_connect.log import EventLog
from collegium_connect.notes import arrival_of
from collegium_connect.recover import missing_in
from collegium_connect.spool import Place, Stored, Stores
from collegium_connect.spool.scan import records_of
from collegium_connect.trail import Trail, bring_over
from collegium_deid import DeidError, local_id_of, parse_file

log = EventLog("rebuild")


_SETTLED: Final = (State.QUEUED, State.DELIVERED, State.REFUSED)
"""A manifest names them as they are; their records are never written anew."""


class CannotRebuild(ConnectError):
    code = "connect.journal.no_copy"
    message = (
        "There is no copy of the journal that can be used, so nobody knows which channel an object came by."
        " Put a backup of journal.sqlite3 into the folder 'copies' and run this again."
    )


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuilt journal is made of."""

    kept: int
    """Objects that the copy knew and whose record is there."""
    added: int
    """Objects known from their record alone."""
    links: int
    """Links that the copy lacked."""
    missing: int
    """Objects that the copy knew and whose record is gone: sent since, or lost."""
    damaged: Path


@dataclass(frozen=True)
class _Found:
    arrival: Arrival
    stored: Stored


def rebuild(path: Path, copies: Path, stores: Stores, secrets: Secrets, clock: Clock) -> Rebuilt:
    """Make the journal at `path` again; the gateway must not run.

    Raises:
        CannotRebuild: there is no copy to begin from; nothing was changed.
    """
    copy = newest_good(copies)
    if copy is None:
        raise CannotRebuild
    fresh = path.with_suffix(".rebuilt")
    fresh.unlink(missing_ok=True)
    shutil.copyfile(copy, fresh)
    journal = Journal(fresh)
    try:
        links = _read_links(journal, path)
        found = _newest(_found(stores))
        _require_channels(journal, found)
        links += _learn_links(journal, stores, secrets, found, clock)
        added = _add(journal, found)
        entries = _read_trail(journal, path)
        with journal.change() as db:
            Trail(journal, secrets, clock).note(
                db, CONSOLE, "journal.rebuilt",
                facts={"objects": added, "links": links, "trail_entries": entries},
            )  # fmt: skip
        with journal.look() as db:
            live = objects.live_records(db)
        missing = len(missing_in(stores, live))
    finally:
        journal.close()
    damaged = _put_aside(path, f"damaged-{to_ms(clock())}")
    fresh.replace(path)
    done = Rebuilt(len(live) - missing - added, added, links, missing, damaged)
    log.info("journal.rebuilt", kept=done.kept, added=added, links=links, missing=done.missing)
    return done


def _found(stores: Stores) -> Iterator[_Found]:
    """Every record that is what it says: its note can be read, and its sealed part opens for its object."""
    for segment in stores.segments.names():
        for item in records_of(stores.segments, segment):
            try:
                arrival = arrival_of(item.note)
                stores.beginning(arrival.object_id, item.place)
            except (SpoolDamaged, SealBroken):
                log.warning("record.unreadable", segment=segment, offset=item.place.offset)
                continue
            yield _Found(arrival, Stored(item.place, item.head.size))


def _newest(found: Iterator[_Found]) -> dict[str, _Found]:
    """One record an object. Of two, one was being put in the place of the other: the sealed one is looked at again."""
    chosen: dict[str, _Found] = {}
    for item in found:
        known = chosen.get(item.arrival.object_id)
        if known is None or known.arrival.is_clean:
            chosen[item.arrival.object_id] = item
    return chosen


def _require_channels(journal: Journal, found: dict[str, _Found]) -> None:
    with journal.look() as db:
        known = {row["channel_id"] for row in db.execute("SELECT channel_id FROM channels")}
    if any(item.arrival.channel_id not in known for item in found.values()):
        raise CannotRebuild


def _add(journal: Journal, found: dict[str, _Found]) -> int:
    """Write rows for what the copy does not know where it lies; how many."""
    with journal.change() as db:
        rows = {
            row["object_id"]: row
            for row in db.execute("SELECT object_id, state, segment, offset FROM objects")
        }
        return sum(_add_one(db, item, rows.get(item.arrival.object_id)) for item in found.values())


def _add_one(db: sqlite3.Connection, item: _Found, row: sqlite3.Row | None) -> bool:
    if row is not None:
        if Place(row["segment"], row["offset"]) == item.stored.place or row["state"] in _SETTLED:
            return False
        db.execute("DELETE FROM objects WHERE object_id = ?", (item.arrival.object_id,))
    return objects.record(db, item.arrival, item.stored) is not Kept.DUPLICATE


def _read_links(journal: Journal, damaged: Path) -> int:
    """Links that can still be read in the damaged journal and that the copy lacks; how many."""
    if not damaged.exists():
        return 0
    rows = list(_readable(damaged, "subjects"))
    with journal.change() as db:
        before = db.total_changes
        for row in rows:
            names = ", ".join(row.keys())
            marks = ", ".join("?" * len(row))
            db.execute(f"INSERT OR IGNORE INTO subjects ({names}) VALUES ({marks})", tuple(row))  # noqa: S608 - names of columns, from the journal's own schema
        return db.total_changes - before


def _read_trail(journal: Journal, damaged: Path) -> int:
    """Entries of the trail that can still be read and that the copy lacks; how many."""
    if not damaged.exists():
        return 0
    rows = list(_readable(damaged, "trail"))
    with journal.change() as db:
        return bring_over(db, rows)


def _readable(path: Path, table: str) -> Iterator[sqlite3.Row]:
    """Rows of a damaged journal from either end, as far as they can be read."""
    for order in ("ASC", "DESC"):
        try:
            connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
        except sqlite3.DatabaseError:
            return
        connection.row_factory = sqlite3.Row
        try:
            yield from connection.execute(f"SELECT * FROM {table} ORDER BY rowid {order}")  # noqa: S608 - a name of ours
        except sqlite3.DatabaseError:
            continue
        finally:
            connection.close()


def _learn_links(
    journal: Journal, stores: Stores, secrets: Secrets, found: dict[str, _Found], clock: Clock
) -> int:
    """Read from sealed headers who stands behind a code that no link explains; how many were learnt."""
    learnt = 0
    with journal.change() as db:
        scopes = {
            row["channel_id"]: row["scope_id"]
            for row in db.execute("SELECT channel_id, scope_id FROM channels")
        }
        sites = {scope.scope_id: scope for scope in subjects.scopes(db)}
        for item in found.values():
            product, scope_id = item.arrival.product, scopes[item.arrival.channel_id]
            if product is None or _is_known_code(db, scope_id, product.subject_code):
                continue
            local_id = _local_id(stores, item)
            if local_id is None:
                continue
            number = number_of(db, sites[scope_id], product.subject_code)
            subjects.add(
                db, scope_id,
                new_subject(
                    secrets, scope_id, local_id, code=product.subject_code, number=number, at_ms=to_ms(clock())
                ),
            )  # fmt: skip
            learnt += 1
    return learnt


def _is_known_code(db: sqlite3.Connection, scope_id: int, code: str) -> bool:
    return subjects.has_code(db, scope_id, code) or test_exams.is_code(db, code)


def _local_id(stores: Stores, item: _Found) -> str | None:
    arrival, place = item.arrival, item.stored.place
    try:
        original = stores.original_head(arrival.object_id, place, is_clean=arrival.is_clean)
        return local_id_of(parse_file(original, complete=True))
    except (DeidError, SpoolDamaged, SealBroken):
        return None


def _put_aside(path: Path, word: str) -> Path:
    """Give the damaged journal and what belongs to it another name."""
    aside = path.with_name(f"{path.stem}.{word}{path.suffix}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(aside.with_name(aside.name + suffix))
    return aside
