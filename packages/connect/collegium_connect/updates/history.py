"""Which version used this data folder last, so that the log can say when another one takes over."""

from pathlib import Path

from collegium_connect import machine
from collegium_connect.log import EventLog

log = EventLog("updates")


def note_version(folder: Path, version: str) -> None:
    """Remember that this version is up; says so in the log if it is another than before."""
    path = folder / "version"
    before = path.read_text("utf-8") if path.exists() else ""
    if before == version:
        return
    if before:
        log.info("gateway.updated", before=before, now=version)
    partial = path.with_suffix(".part")
    partial.write_text(version, "utf-8")
    machine.HERE.replace(partial, path)
