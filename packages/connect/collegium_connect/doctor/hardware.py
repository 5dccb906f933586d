"""Processors, memory, disk: against the published minimum (4 vCPU, 16 GB, 300 GB)."""

import os
import shutil
import statistics
import time
from pathlib import Path
from typing import Final

from collegium_connect import machine
from collegium_connect.doctor.findings import Finding, judge, unknown
from collegium_connect.settings import Settings

PROCESSORS: Final = 4
MEMORY_GB: Final = 16.0
DISK_GB: Final = 300.0
SYNC_MS: Final = 20.0
# A machine sold with 16 GB shows a little less: the firmware and the kernel keep some for themselves.
_KEPT: Final = 0.93
_SYNCS: Final = 20
_GB: Final = 1e9


def processors() -> Finding:
    count = machine.HERE.processors()
    return judge(
        "Processors",
        is_good=count >= PROCESSORS,
        found=f"{count}",
        needed=f"{PROCESSORS}",
        advice="Give this machine more processors, or expect it to lag on busy days.",
    )


def memory() -> Finding:
    size = machine.HERE.memory_bytes() / _GB
    return judge(
        "Memory",
        is_good=size >= MEMORY_GB * _KEPT,
        found=f"{size:.1f} GB",
        needed=f"{MEMORY_GB:.0f} GB",
        advice="Give this machine more memory, or set inspect.processes lower.",
    )


def disk(settings: Settings) -> Finding:
    usage = shutil.disk_usage(_existing(settings.gateway.data_dir))
    return judge(
        "Disk",
        is_good=usage.total / _GB >= DISK_GB * _KEPT,
        found=f"{usage.total / _GB:.0f} GB, {usage.free / _GB:.0f} GB free",
        needed=f"{DISK_GB:.0f} GB",
        advice="Put gateway.data_dir on a larger disk: it holds what waits while the line is down.",
    )


def spool_fits(settings: Settings) -> Finding:
    """Whether the spool's limit can be reached before the disk is full."""
    usage, limits = shutil.disk_usage(_existing(settings.gateway.data_dir)), settings.limits
    return judge(
        "Room for the spool",
        is_good=limits.spool_bytes + limits.keep_free_bytes <= usage.total
        and usage.free > limits.keep_free_bytes,
        found=f"{usage.free / _GB:.0f} GB free of {usage.total / _GB:.0f} GB",
        needed=f"limits.spool_bytes ({limits.spool_bytes / _GB:.0f} GB) and"
        f" limits.keep_free_bytes ({limits.keep_free_bytes / _GB:.0f} GB)",
        advice="Lower limits.spool_bytes, or free some of the disk.",
    )


def sync_time(settings: Settings) -> Finding:
    """How long the disk takes to keep a small piece for good: a PACS waits that long for its answer."""
    path = _existing(settings.gateway.data_dir) / f".doctor-{os.getpid()}"
    needed = f"at most {SYNC_MS:.0f} ms"
    try:
        times = _sync_times_ms(path)
    except OSError:
        return unknown(
            "Disk sync",
            "no file could be written beside the journal",
            needed,
            "Run it as the gateway's account.",
        )
    middle = statistics.median(times)
    return judge(
        "Disk sync",
        is_good=middle <= SYNC_MS,
        found=f"{middle:.2f} ms in the middle, {max(times):.2f} ms at most",
        needed=needed,
        advice="Use a disk on this machine, not a network share, and one with a cache that survives a power cut.",
    )


def _sync_times_ms(path: Path) -> list[float]:
    handle, times = machine.HERE.open_new(path), list[float]()
    try:
        for number in range(_SYNCS):
            machine.HERE.write_at(handle, [bytes(4096)], number * 4096)
            began = time.perf_counter()
            machine.HERE.sync_data(handle)
            times.append(1000 * (time.perf_counter() - began))
    finally:
        os.close(handle)
        machine.HERE.remove(path)
    return times


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
