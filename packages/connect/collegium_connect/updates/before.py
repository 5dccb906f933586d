"""Keep the journal as it was before a new version changes its form, until that version is up.

A journal's form only moves forward, so a version that was rolled back could not read it any more. The
copy is there exactly while the new version has not yet listened: nothing was received since, and going
back to it loses nothing.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from collegium_connect import machine
from collegium_connect.journal.schema import MIGRATIONS
from collegium_connect.log import EventLog

log = EventLog("updates")


class JournalBeforeUpdate:
    """Use it before the journal is opened, and `forget` once this version listens."""

    def __init__(self, journal: Path, form: int = len(MIGRATIONS)) -> None:
        self._journal, self._form = journal, form

    def keep_or_bring_back(self) -> None:
        """Copy a journal of an older form; put back a copy of this form if a newer version left one."""
        found = self._form_found()
        if 0 < found < self._form:
            self._keep(self._copy(found))
            log.info("journal.copied_before_update", form=found)
        elif found > self._form and self._copy(self._form).exists():
            for suffix in ("-wal", "-shm"):
                machine.HERE.remove(self._journal.with_name(self._journal.name + suffix))
            machine.HERE.replace(self._copy(self._form), self._journal)
            machine.HERE.sync_folder(self._journal.parent)
            log.warning("journal.brought_back", form=self._form)

    def forget(self) -> None:
        """This version is up: there is no way back without a person."""
        for copy in self._journal.parent.glob(f"{self._journal.name}.form-*"):
            machine.HERE.remove(copy)

    def _form_found(self) -> int:
        if not self._journal.exists():
            return 0
        with closing(sqlite3.connect(self._journal, timeout=10.0)) as db:
            try:
                return int(db.execute("PRAGMA user_version").fetchone()[0])
            except sqlite3.DatabaseError:
                return 0  # damaged: opening the journal says so in words

    def _keep(self, copy: Path) -> None:
        partial = copy.with_suffix(".part")
        machine.HERE.remove(partial)
        with (
            closing(sqlite3.connect(self._journal, timeout=10.0)) as db,
            closing(sqlite3.connect(partial)) as to,
        ):
            machine.HERE.keep_private(partial)
            db.backup(to)
        machine.HERE.replace(partial, copy)
        machine.HERE.sync_folder(copy.parent)

    def _copy(self, form: int) -> Path:
        return self._journal.with_name(f"{self._journal.name}.form-{form}")
