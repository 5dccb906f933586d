"""The gateway's log: one JSON object a line, an event with keys.

Never a name, a local id, an accession number, an original UID or a header value: callers pass local
references, codes and counts. Of an unexpected error only its class and place are written, because a
library's message may quote the data it choked on.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Final, TextIO

Value = str | int | float | bool | None

_ROOT: Final = "collegium_connect"
# They write addresses, headers and requests on their own; what matters of them is an event of ours.
_FOREIGN: Final = ("pynetdicom", "pydicom", "httpx", "httpcore", "uvicorn", "asyncio")


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
        place = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
        self._logger.error(event, extra={"keys": {**keys, "error": type(error).__name__, "at_line": place}})


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "keys", {}),
        }
        return json.dumps(event, ensure_ascii=False)


def configure(stream: TextIO | None = None) -> None:
    """Write events to `stream` (standard error), and silence the libraries' own logs."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonLines())
    root = logging.getLogger(_ROOT)
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    root.propagate = False
    for name in _FOREIGN:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
