"""How full the spool is, so that senders hear "out of resources" before the disk does."""

import shutil
from pathlib import Path

from collegium_connect.errors import SpoolFull
from collegium_connect.settings import LimitSettings
from collegium_connect.spool.segments import Segments


class Usage:
    """The spool's bytes against its limit, and the disk's free bytes against their reserve."""

    def __init__(self, folder: Path, limits: LimitSettings, segments: Segments) -> None:
        self._folder, self._limits, self._segments = folder, limits, segments

    def require(self, size: int, *, to_empty_it: bool = False) -> None:
        """See that there is room for a record. Threads that ask at once may pass the limit by one record each.

        What is written `to_empty_it` (a cleaned copy, so that the original may go) passes the limit and
        takes half of the disk's reserve: a full spool must be able to become less full.

        Raises:
            SpoolFull: the limit, or the disk's reserve, would be passed.
        """
        free, reserve = shutil.disk_usage(self._folder).free, self._limits.keep_free_bytes
        if to_empty_it:
            if free - size < reserve // 2:
                raise SpoolFull
        elif self._segments.used_bytes + size > self._limits.spool_bytes or free - size < reserve:
            raise SpoolFull

    def has_room(self) -> bool:
        try:
            self.require(1)
        except SpoolFull:
            return False
        return True
