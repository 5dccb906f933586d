"""Open the journal, bring it to this version, and give out transactions.

One connection writes, behind a lock; a few others read snapshots, so that neither a page nor a
receiving association waits for a disk or for each other.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Generic, TypeVar

from collegium_connect.errors import JournalDamaged, JournalTooNew
from collegium_connect.journal.schema import MIGRATIONS

Item = TypeVar("Item")
Result = TypeVar("Result")

_READERS: Final = 8
_CHECKPOINT_PAGES: Final = 4096
"""Of 4 KB. Rows have random keys: pages are written many times, and whoever commits waits for a checkpoint."""
_WRITER_CACHE_KB: Final = 8192
_READER_CACHE_KB: Final = 512
"""Each reader has one of its own that fills with the journal's growth; behind it the system keeps the pages anyway."""
_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Journal:
    """The journal of one data folder. Safe to share between threads; close it when done."""

    def __init__(self, path: Path) -> None:
        """Open it, made new or brought to this version.

        Raises:
            JournalTooNew: a newer version wrote it.
            JournalDamaged: what lies there is no journal.
        """
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        self._write_lock, self._pool_lock = threading.Lock(), threading.Lock()
        self._permits = threading.Semaphore(_READERS)
        self._idle: list[sqlite3.Connection] = []
        self._is_closed = False
        self.is_damaged = False
        """Whether a damaged page was met; nothing is received any more then."""
        with self._told():
            self._writer = self._connect(_WRITER_CACHE_KB)
        try:
            with self._told():
                _migrate(self._writer)
            path.chmod(0o600)
        except BaseException:
            self._writer.close()
            raise

    def _connect(self, cache_kb: int) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=10.0, isolation_level=None, check_same_thread=False)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            connection.execute(f"PRAGMA cache_size = -{cache_kb}")
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One write transaction; on disk when the block ends, undone if it raises.

        Raises:
            JournalDamaged: a page of the journal is not as it was written.
        """
        with self._write_lock, self._told():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def look(self) -> Iterator[sqlite3.Connection]:
        """One consistent snapshot, read only. Raises as `change` does."""
        with self._permits, self._told():
            reader = self._reader()
            try:
                reader.execute("BEGIN")
                yield reader
            finally:
                if reader.in_transaction:
                    reader.execute("ROLLBACK")
                with self._pool_lock:
                    self._idle.append(reader)

    def check(self) -> None:
        """Read every page once.

        Raises:
            JournalDamaged: one of them is not as it was written.
        """
        with self.look() as db:
            (words,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if words != "ok":
            self.is_damaged = True
            raise JournalDamaged

    def copy_to(self, target: Path) -> None:
        """Write a copy of the journal as it is at one moment, without holding up who writes."""
        copy = sqlite3.connect(target)
        try:
            with self.look() as db:
                db.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        finally:
            copy.close()

    def close(self) -> None:
        """Wait for who is at it, then close; a second call does nothing."""
        with self._write_lock:
            if self._is_closed:
                return
            for _ in range(_READERS):
                self._permits.acquire()
            self._is_closed = True
            while self._idle:
                self._idle.pop().close()
            self._writer.close()
            self._permits.release(_READERS)

    def _reader(self) -> sqlite3.Connection:
        with self._pool_lock:
            if self._is_closed:
                raise sqlite3.ProgrammingError("The journal is closed.")
            if self._idle:
                return self._idle.pop()
        return self._connect(_READER_CACHE_KB)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE:
                self.is_damaged = True
                raise JournalDamaged from error
            raise


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
