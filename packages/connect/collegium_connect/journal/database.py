"""Open the journal, bring it to this version, and give out transactions.

One connection writes, behind a lock; another reads snapshots, so that a page never waits for a disk.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from collegium_connect.errors import JournalTooNew
from collegium_connect.journal.schema import MIGRATIONS

Item = TypeVar("Item")
Result = TypeVar("Result")


class Journal:
    """The journal of one data folder. Safe to share between threads; close it when done."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        self._write_lock, self._read_lock = threading.Lock(), threading.Lock()
        self._writer = self._connect()
        try:
            _migrate(self._writer)
            path.chmod(0o600)
            self._reader = self._connect()
        except BaseException:
            self._writer.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=10.0, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One write transaction; on disk when the block ends, undone if it raises."""
        with self._write_lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    @contextmanager
    def look(self) -> Iterator[sqlite3.Connection]:
        """One consistent snapshot, read only."""
        with self._read_lock:
            self._reader.execute("BEGIN")
            try:
                yield self._reader
            finally:
                self._reader.execute("ROLLBACK")

    def close(self) -> None:
        with self._write_lock, self._read_lock:
            self._reader.close()
            self._writer.close()


class GroupCommit(Generic[Item, Result]):
    """Many threads, one commit: whoever gets the lock commits what all have handed in so far.

    `apply` gets the whole group and answers one result an item; if it raises, every item of the
    group failed and every waiting thread hears of it.
    """

    def __init__(self, apply: Callable[[list[Item]], list[Result]]) -> None:
        self._apply = apply
        self._pending: list[_Ticket[Item, Result]] = []
        self._pending_lock, self._turn = threading.Lock(), threading.Lock()

    def submit(self, item: Item) -> Result:
        """Hand in an item; returns when it is on disk."""
        ticket: _Ticket[Item, Result] = _Ticket(item)
        with self._pending_lock:
            self._pending.append(ticket)
        with self._turn:
            if not ticket.done:
                self._commit()
        return ticket.result()

    def _commit(self) -> None:
        with self._pending_lock:
            group, self._pending = self._pending, []
        try:
            results = self._apply([ticket.item for ticket in group])
        except BaseException as error:  # noqa: BLE001 - kept for, and raised again in, every thread that waits
            for ticket in group:
                ticket.fail(error)
            return
        for ticket, result in zip(group, results, strict=True):
            ticket.succeed(result)


class _Ticket(Generic[Item, Result]):
    def __init__(self, item: Item) -> None:
        self.item, self.done = item, False
        self._results: list[Result] = []
        self._error: BaseException | None = None

    def succeed(self, result: Result) -> None:
        self._results, self.done = [result], True

    def fail(self, error: BaseException) -> None:
        self._error, self.done = error, True

    def result(self) -> Result:
        if self._error is not None:
            raise self._error
        return self._results[0]


def _migrate(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise JournalTooNew
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        # executescript runs as it is given: the transaction and the version are part of the script.
        connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")
