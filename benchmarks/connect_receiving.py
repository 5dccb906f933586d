"""C-STORE in: MB/s until every object is answered."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from contextlib import ExitStack
from typing import TYPE_CHECKING

import connect_peers
from connect_load import dcmsend
from connect_ours import CALLED, CALLING, receiving
from connect_rows import Row, beside, row
from fast_sender import push

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from connect_load import Load

OURS = "ours"
ORTHANC, QUICK, STORESCP, PYNETDICOM = "Orthanc", "Orthanc without sync", "storescp", "pynetdicom"


def peers(folder: Path, load: Load, rounds: int) -> list[Row]:
    """4 and 8 associations of a sender that is never the bottleneck."""
    rates: dict[tuple[str, int], list[float]] = defaultdict(list)
    with ExitStack() as stack:
        doors = _doors(stack, folder / "receive")
        for number in range(rounds + 1):  # the first one warms all of them up
            for associations in (4, 8):
                for name, (port, called) in doors.items():
                    if not port:
                        continue
                    blobs = load.fresh(None if number else 16)
                    os.sync()  # nobody waits for what another left to be written
                    seconds = push(blobs, port, called, CALLING, associations=associations)
                    if number:
                        rates[name, associations].append(load.megabytes / seconds)
    rows = []
    for associations in (4, 8):
        metric = f"C-STORE, durable before the answer, {associations} associations"
        mine = rates[OURS, associations]
        for name, least in ((ORTHANC, 3.0), (PYNETDICOM, 8.0), (QUICK, 0.0), (STORESCP, 0.0)):
            rows.append(beside(metric, "MB/s", mine, name, rates[name, associations] or [0.0], least))
    return rows + _sealed(folder, load, rounds)


def _sealed(folder: Path, load: Load, rounds: int) -> list[Row]:
    """The shipped recipe as it is: every picture is sealed and looked at behind the answer. Not beside the
    others: what is left to look at would slow them down for minutes.
    """
    rates = []
    with receiving(folder / "sealed", look="all") as gateway:
        for number in range(rounds + 1):
            blobs = load.fresh(None if number else 16)
            seconds = push(blobs, gateway.receive_port, CALLED, CALLING, associations=4)
            rates.extend([load.megabytes / seconds] if number else [])
    return [row("C-STORE, durable before the answer, 4 associations, look: all", "MB/s", rates)]


def dcmsend_peers(folder: Path, load: Load, rounds: int) -> list[Row]:
    """1 and 4 of DCMTK's own sender."""
    rates: dict[tuple[str, int], list[float]] = defaultdict(list)
    with ExitStack() as stack:
        doors = _doors(stack, folder / "dcmsend", only=(OURS, ORTHANC, STORESCP))
        for _ in range(rounds):
            for associations in (1, 4):
                for name, (port, called) in doors.items():
                    files = load.fresh_folder()
                    seconds = dcmsend(files, port, called, CALLING, associations=associations)
                    shutil.rmtree(files)
                    if seconds:
                        rates[name, associations].append(load.megabytes / seconds)
    return [
        beside(
            f"C-STORE from dcmsend, {associations} at once", "MB/s", rates[OURS, associations] or [0.0], name,
            rates[name, associations] or [0.0], least,
        )
        for associations in (1, 4)
        for name, least in ((ORTHANC, 5.0), (STORESCP, 0.0))
    ]  # fmt: skip


def in_flight(folder: Path, load: Load, rounds: int) -> list[Row]:
    """What de-identification costs the sender: the same gateway with and without it."""
    rates: dict[str, list[float]] = defaultdict(list)
    with ExitStack() as stack:
        doors = {
            "inspects": stack.enter_context(receiving(folder / "inspects")),
            "cleans": stack.enter_context(receiving(folder / "cleans", only="cleans")),
            "stores": stack.enter_context(receiving(folder / "stores", only="stores")),
        }
        for number in range(2 * rounds + 1):
            for name, gateway in doors.items():
                blobs = load.fresh(None if number else 16)
                seconds = push(blobs, gateway.receive_port, CALLED, CALLING, associations=4)
                if number:
                    rates[name].append(load.megabytes / seconds)
    name = "De-identified in flight, 4 associations"
    return [
        beside(name, "MB/s", rates["cleans"], "store only", rates["stores"], 0.9),
        beside(f"{name}, inspected behind it", "MB/s", rates["inspects"], "store only", rates["stores"]),
    ]


def _doors(stack: ExitStack, folder: Path, only: tuple[str, ...] = ()) -> dict[str, tuple[int, str]]:
    folder.mkdir()
    made: dict[str, Callable[[], int]] = {
        OURS: lambda: stack.enter_context(receiving(folder / "ours")).receive_port,
        ORTHANC: lambda: stack.enter_context(connect_peers.orthanc(folder / "orthanc", is_synced=True)),
        QUICK: lambda: stack.enter_context(connect_peers.orthanc(folder / "quick", is_synced=False)),
        STORESCP: lambda: stack.enter_context(connect_peers.storescp(folder / "storescp")),
        PYNETDICOM: lambda: stack.enter_context(connect_peers.pynetdicom(folder / "pynetdicom")),
    }
    return {name: (make(), CALLED) for name, make in made.items() if not only or name in only}
