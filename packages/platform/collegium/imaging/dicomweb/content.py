"""What the byte paths read: kept per process, because a series at one revision never changes.

A decision about who may see something lives in `grants` and `access`; what is kept
here opens nothing by itself.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

from collegium.imaging.archive import queries as archive
from collegium.imaging.archive.errors import ImageNotFound

if TYPE_CHECKING:
    from collections.abc import Hashable
    from uuid import UUID

    from collegium.imaging.archive.queries import StoredInstance
    from collegium.kit.principals import Actor

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Values by key, the oldest leave when their sizes exceed `limit`; optionally each for `seconds` only."""

    def __init__(self, limit: int, *, seconds: float | None = None) -> None:
        self._limit, self._seconds = limit, seconds
        self._size = 0
        self._values: OrderedDict[Hashable, tuple[float, int, Value]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> Value | None:
        with self._lock:
            found = self._values.get(key)
            if found is None or (self._seconds is not None and time.monotonic() - found[0] > self._seconds):
                return None
            self._values.move_to_end(key)
            return found[2]

    def put(self, key: Hashable, value: Value, size: int = 1) -> Value:
        with self._lock:
            before = self._values.pop(key, None)
            self._size += size - (before[1] if before else 0)
            self._values[key] = (time.monotonic(), size, value)
            while self._size > self._limit and len(self._values) > 1:
                _, (_, left, _) = self._values.popitem(last=False)
                self._size -= left
        return value

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
            self._size = 0


@dataclass(frozen=True)
class SeriesContent:
    """One series at one revision, by the archive's UIDs."""

    id: UUID
    exam_id: UUID
    revision: int
    study_uid: str
    series_uid: str
    modality: str
    number: int | None
    description: str
    instances: dict[str, StoredInstance]


_contents: Kept[SeriesContent] = Kept(200_000)
"""About 600 bytes an instance: 120 MB at most."""


def series_content(actor: Actor, series_id: UUID, revision: int) -> SeriesContent:
    """Where the frames of a series are; inside `acting_as`. Raises ImageNotFound."""
    key = (actor.space_id, series_id, revision)
    kept = _contents.get(key)
    if kept is not None:
        return kept
    found = archive.series_by_ids(actor, [series_id])
    if not found:
        raise ImageNotFound
    row = found[0]
    instances = {one.sop_instance_uid: one for one in archive.instances_of(actor, series_id, revision)}
    content = SeriesContent(
        row.id,
        row.exam_id,
        revision,
        row.exam.study_uid,
        row.series_uid,
        row.modality,
        row.number,
        row.description,
        instances,
    )
    return _contents.put(key, content, len(instances) + 1)


def kept_content(actor: Actor, series_id: UUID, revision: int) -> SeriesContent | None:
    """The same without a transaction, if this process has it already."""
    return _contents.get((actor.space_id, series_id, revision))
