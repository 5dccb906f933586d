"""Copies of the journal, so that a damaged one can be made again with what the segments know.

What the segments do not know (links, people, the trail, channels) is copied within seconds of its change,
receipts within minutes (what they say, the server says again); everything, once an hour. The copies lie
beside the journal, on the same disk: they help against a damaged page, not against a lost disk.
"""

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from collegium_connect import machine
from collegium_connect.journal.database import Journal
from collegium_connect.log import EventLog

log = EventLog("backup")

EVERY_S: Final = 3600.0
LOOK_S: Final = 2.0
_SHARE: Final = 20  # a copy may take one part in so many of the time
_RECEIPTS_S: Final = 300.0

# Changes in any of these are worth a copy at once. Rows that change without a trace here wait an hour.
_MARKS: Final = """
    SELECT (SELECT count(*) FROM subjects), (SELECT count(*) FROM people), (SELECT max(seq) FROM trail),
        (SELECT max(updated_ms) FROM channels), (SELECT max(enrolled_ms) FROM gateway)
"""
_RECEIPTS: Final = "SELECT max(finished_ms) FROM deliveries"


class Backups:
    """The copies of one journal; call `run_once` every `LOOK_S` seconds from one thread."""

    def __init__(self, journal: Journal, folder: Path, tick: Callable[[], float] = time.monotonic) -> None:
        self._journal, self._folder, self._tick = journal, folder, tick
        self._marks: tuple[object, ...] | None = None
        self._receipts: object = None
        self._made_at, self._took_s = 0.0, 0.0

    def run_once(self) -> bool:
        """Make a copy if it is time; whether one was made."""
        with self._journal.look() as db:
            marks = tuple(db.execute(_MARKS).fetchone())
            (receipts,) = db.execute(_RECEIPTS).fetchone()
        if not self._is_time(marks, receipts):
            return False
        began = self._tick()
        keep_copy(self._journal, self._folder)
        self._made_at = self._tick()
        self._marks, self._receipts, self._took_s = marks, receipts, self._made_at - began
        return True

    def _is_time(self, marks: tuple[object, ...], receipts: object) -> bool:
        age_s = self._tick() - self._made_at
        return (
            self._marks is None
            or age_s >= EVERY_S
            or (marks != self._marks and age_s >= _SHARE * self._took_s)
            or (receipts != self._receipts and age_s >= max(_RECEIPTS_S, 5 * _SHARE * self._took_s))
        )


def keep_copy(journal: Journal, folder: Path) -> Path:
    """Copy the journal; the copy before stays beside it until it has another after it.

    Raises:
        JournalDamaged: the journal cannot be read; the copies stay as they are.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    last, before, part = copies_in(folder)[0], copies_in(folder)[1], folder / "journal.part"
    part.unlink(missing_ok=True)
    journal.copy_to(part)
    machine.HERE.keep_private(part)
    _sync(part)
    if last.exists():
        machine.HERE.replace(last, before)
    machine.HERE.replace(part, last)
    machine.HERE.sync_folder(folder)
    return last


def copies_in(folder: Path) -> tuple[Path, Path]:
    """Where the newest copy lies, and the one before."""
    return folder / "journal.sqlite3", folder / "journal.before.sqlite3"


def newest_good(folder: Path) -> Path | None:
    """The newest copy of which every page is as it was written."""
    return next((path for path in copies_in(folder) if path.exists() and _is_good(path)), None)


def _is_good(path: Path) -> bool:
    try:
        connection = sqlite3.connect(path)
        try:
            (words,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            connection.close()
    except sqlite3.DatabaseError:
        return False
    return bool(words == "ok")


def _sync(path: Path) -> None:
    handle = machine.HERE.open_again(path)
    try:
        machine.HERE.sync_data(handle)
    finally:
        os.close(handle)
