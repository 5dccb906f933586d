"""How full the spool is, so that senders hear "out of resources" before the disk does."""

import shutil
import threading
from pathlib import Path

from collegium_connect.errors import SpoolFull


class Usage:
    """Counts the bytes of spool and quarantine against their limit. Safe between threads."""

    def __init__(self, folder: Path, limit_bytes: int, keep_free_bytes: int) -> None:
        self._folder, self._limit, self._keep_free = folder, limit_bytes, keep_free_bytes
        self._used, self._lock = 0, threading.Lock()

    @property
    def used_bytes(self) -> int:
        return self._used

    @property
    def limit_bytes(self) -> int:
        return self._limit

    def add(self, size: int) -> None:
        """Count what is on the disk already."""
        with self._lock:
            self._used += size

    def reserve(self, size: int) -> None:
        """Take room for an object.

        Raises:
            SpoolFull: the limit, or the disk's reserve, would be passed; nothing was taken.
        """
        free = shutil.disk_usage(self._folder).free
        with self._lock:
            if self._used + size > self._limit or free - size < self._keep_free:
                raise SpoolFull
            self._used += size

    def release(self, size: int) -> None:
        with self._lock:
            self._used -= size

    def has_room(self, size: int = 1) -> bool:
        """Whether an object of this size would be taken now."""
        try:
            self.reserve(size)
        except SpoolFull:
            return False
        self.release(size)
        return True
