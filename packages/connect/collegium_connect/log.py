"""The gateway's log: one JSON object a line, an event with keys.

Never a name, a local id, an accession number, an original UID or a header value: callers pass local
references, codes and counts. Of an unexpected error only its class and place are written, because a
library's message may quote the data it choked on.
"""

import json
import logging
import sys
import traceback
from collections import deque
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final, TextIO

from collegium_connect.settings import LogSettings

Value = str | int | float | bool | None

_ROOT: Final = "collegium_connect"
_KEPT_EVENTS: Final = 2000
# They write addresses, headers and requests on their own; what matters of them is an event of ours.
_FOREIGN: Final = ("pynetdicom", "pydicom", "httpx", "httpcore", "uvicorn", "asyncio", "tuf", "urllib3")


class EventLog:
    """Writes the events of one part of the gateway."""

    def __init__(self, part: str) -> None:
        self._logger = logging.getLogger(f"{_ROOT}.{part}")

    def info(self, event: str, **keys: Value) -> None:
        self._logger.info(event, extra={"keys": keys})

    def warning(self, event: str, **keys: Value) -> None:
        self._logger.warning(event, extra={"keys": keys})

    def error(self, event: str, **keys: Value) -> None:
        self._logger.error(event, extra={"keys": keys})

    def fault(self, event: str, error: BaseException, **keys: Value) -> None:
        """An error nobody foresaw: its class and where it arose, never its message."""
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        self._logger.error(event, extra={"keys": {**keys, "error": type(error).__name__, "at_line": place}})


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_event(record), ensure_ascii=False)


class _Recent(logging.Handler):
    """The last events in memory, for the local page."""

    def __init__(self) -> None:
        super().__init__()
        self.events: deque[dict[str, Value]] = deque(maxlen=_KEPT_EVENTS)

    def emit(self, record: logging.LogRecord) -> None:
        self.events.append(_event(record))


_RECENT: Final = _Recent()


def recent() -> list[dict[str, Value]]:
    """The last events of this process, oldest first."""
    return list(_RECENT.events)


def configure(stream: TextIO | None = None, file: LogSettings | None = None) -> None:
    """Write events to `stream` (standard error), or to the rotating files of `file` where it names one.

    The libraries' own logs are silenced.
    """
    root = logging.getLogger(_ROOT)
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    handler: logging.Handler = logging.StreamHandler(stream or sys.stderr)
    if file is not None and file.file is not None:
        handler = _rotating(file.file, file)
    handler.setFormatter(_JsonLines())
    root.addHandler(handler)
    root.addHandler(_RECENT)
    root.setLevel(logging.INFO)
    root.propagate = False
    for name in _FOREIGN:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _rotating(path: Path, settings: LogSettings) -> logging.Handler:
    path.parent.mkdir(parents=True, exist_ok=True)
    return RotatingFileHandler(
        path, maxBytes=settings.max_bytes, backupCount=settings.keep_files, encoding="utf-8"
    )


def _event(record: logging.LogRecord) -> dict[str, Value]:
    return {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "event": record.getMessage(),
        **getattr(record, "keys", {}),
    }
