"""Where the parts of a gateway lie below its data folder. Imports nothing that takes long."""

import json
from pathlib import Path

from collegium_connect.settings import Settings


def journal_path(settings: Settings) -> Path:
    return settings.gateway.data_dir / "journal.sqlite3"


def copies_path(settings: Settings) -> Path:
    """The folder of the journal's copies."""
    return settings.gateway.data_dir / "copies"


def running_path(settings: Settings) -> Path:
    """A small file that says where the running gateway listens; gone when it is not running."""
    return settings.gateway.data_dir / "running.json"


def receive_port(settings: Settings) -> int | None:
    """Where the running gateway takes DICOM; None if none runs."""
    try:
        return int(json.loads(running_path(settings).read_text("utf-8"))["receive_port"])
    except (OSError, ValueError, KeyError):
        return None
