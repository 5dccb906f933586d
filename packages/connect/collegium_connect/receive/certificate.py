"""The door's own certificate and key: read at the start, and again whenever their files have changed.

What cannot be read, or does not fit, leaves the pair before in force for new associations, and is told in words.
"""

import ssl
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from collegium_connect.errors import SettingsInvalid
from collegium_connect.log import EventLog
from collegium_connect.receive.tls import UNFIT, server_context
from collegium_connect.settings import ReceiveSettings

log = EventLog("receive")

GRACE_S: Final = 10.0
"""Certificate and key are two files: whoever replaces them has so long before it is a fault."""
_LOOK_S: Final = 1.0


class Certificate:
    """What the TLS port shows. Safe between threads."""

    def __init__(self, settings: ReceiveSettings, elapsed_s: Callable[[], float] = time.monotonic) -> None:
        """Read the files.

        Raises:
            SettingsInvalid: one is missing, or is not what it must be.
        """
        self._settings, self._elapsed_s, self._lock = settings, elapsed_s, threading.Lock()
        self._paths = [
            path
            for path in (
                settings.tls_certificate_file, settings.tls_key_file, settings.tls_client_ca_file,
            )
            if path is not None
        ]  # fmt: skip
        self._looked_s = elapsed_s()
        self._unfit_since_s: float | None = None
        self._stamps = self._stamp()
        self._context, self.ends = self._read()

    @property
    def context(self) -> ssl.SSLContext:
        """For the next association."""
        if self._elapsed_s() - self._looked_s >= _LOOK_S:
            self.look()
        return self._context

    @property
    def problem(self) -> str:
        """Why the files cannot be taken up, in words; empty while all is well."""
        since_s = self._unfit_since_s
        if since_s is None or self._elapsed_s() - since_s < GRACE_S:
            return ""
        return f"{UNFIT} The certificate before stays in force, until {self.ends:%Y-%m-%d}."

    def look(self) -> None:
        """Take the files up if they have changed, and fit."""
        with self._lock:
            self._looked_s = self._elapsed_s()
            stamps = self._stamp()
            if stamps == self._stamps and self._unfit_since_s is None:
                return
            try:
                self._context, self.ends = self._read()
            except SettingsInvalid:
                if self._unfit_since_s is None:
                    self._unfit_since_s = self._looked_s
                return
            self._stamps, self._unfit_since_s = stamps, None
            log.info("receive.certificate_taken", ends=self.ends.isoformat())

    def _read(self) -> tuple[ssl.SSLContext, datetime]:
        """The context of these files, and when the certificate ends."""
        context = server_context(self._settings)
        try:
            return context, x509.load_pem_x509_certificate(self._paths[0].read_bytes()).not_valid_after_utc
        except (OSError, ValueError) as error:
            raise SettingsInvalid(UNFIT) from error

    def _stamp(self) -> list[tuple[int, ...] | None]:
        """What changes when a file does; None for one that cannot be found."""
        return [_stamp(path) for path in self._paths]


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
