"""How long a start takes after a power cut, with a hundred thousand objects in the queue."""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Final

from connect_rows import Row, row

from collegium_connect.journal import channels, objects
from collegium_connect.journal.database import Journal
from collegium_connect.journal.objects import Arrival, Product
from collegium_connect.notes import note_of
from collegium_connect.recover import recover
from collegium_connect.settings import LimitSettings
from collegium_connect.spool import Stores
from collegium_deid import load_recipe
from collegium_wire import ChannelSetup

if TYPE_CHECKING:
    from connect_load import Load

OBJECTS: Final = 100_000
_KEY: Final = bytes(32)
_LIMITS: Final = LimitSettings(keep_free_bytes=0)


def rows(folder: Path, _load: Load, rounds: int) -> list[Row]:
    """Open the journal, read all its pages, look at each segment; nothing of it in memory before."""
    fill(folder)
    took = []
    for _ in range(rounds):
        forget_cached_files()
        began = time.perf_counter()
        journal = Journal(folder / "journal.sqlite3")
        found = recover(journal, Stores.below(folder, _LIMITS, _KEY))
        took.append(time.perf_counter() - began)
        journal.close()
        if (found.objects, found.missing) != (OBJECTS, 0):
            raise RuntimeError("Not every object was found again.")
    return [row(f"Recovery with {OBJECTS:,} objects queued", "s", took, most=5)]


def forget_cached_files() -> None:
    """As after a power cut, where this program may ask for it."""
    if os.geteuid() == 0:
        os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("1", "ascii")


def fill(folder: Path) -> None:
    """A spool of small objects, as the gateway writes them, and their rows, all queued."""
    journal, stores = Journal(folder / "journal.sqlite3"), Stores.below(folder, _LIMITS, _KEY)
    text = load_recipe("trial").text
    setup = ChannelSetup(
        channel_id="ch-1", name="Channel", called_ae="TRIAL", project_name="Project", site_name="Site",
        site_code="LG", recipe_yaml=text, recipe_digest=hashlib.sha256(text.encode()).hexdigest(),
        quiet_time_s=60,
    )  # fmt: skip
    with journal.change() as db:
        channels.save_channel(db, setup, 1, offered=setup)
    pixels = os.urandom(32 << 10)
    for begin in range(0, OBJECTS, 1000):
        arrivals = [_arrival(number) for number in range(begin, begin + 1000)]
        stored = [
            stores.keep_clean(
                item.object_id, note_of(item), head=bytes(2000), original=bytes(3000), is_whole=False,
                pixels=[pixels],
            )
            for item in arrivals
        ]  # fmt: skip
        with journal.change() as db:
            for item, place in zip(arrivals, stored, strict=True):
                objects.record(db, item, place)
    with journal.change() as db:
        db.execute("UPDATE objects SET state = ?", (objects.State.QUEUED,))
    stores.segments.sync(stores.segments.names())
    stores.segments.close()
    journal.close()


def _arrival(number: int) -> Arrival:
    uid = f"2.25.{uuid.uuid4().int}"
    product = Product(
        study_uid=f"2.25.{1000 + number // 300}", series_uid=f"2.25.{2000 + number // 300}", sop_instance_uid=uid,
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2", transfer_syntax_uid="1.2.840.10008.1.2.1",
        subject_code="LG-001", sha256=hashlib.sha256(uid.encode()).hexdigest(), size_bytes=34 << 10,
        recipe_name="trial", recipe_version="1", recipe_digest="0" * 64,
        counts={"removed": 30, "replaced": 20, "uids": 12, "dates": 6}, seconds=0.001,
    )  # fmt: skip
    return Arrival(
        object_id=str(uuid.uuid4()), new_exam_id=str(uuid.uuid4()), channel_id="ch-1", received_ms=1 + number,
        is_clean=True, product=product, input_mac=None,
    )  # fmt: skip
