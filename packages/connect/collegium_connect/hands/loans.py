"""Room in segments, lent to a process that receives: one question for many objects.

A thread's first loan is as large as its object; each further one twice the last, up to `_MOST_BYTES`, so that
a long exam asks seldom and a short one leaves little behind. What of a loan is not used goes back.
"""

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from collegium_connect import machine
from collegium_connect.errors import SpoolFull
from collegium_connect.spool import Place, Stored, Stores
from collegium_connect.spool.segments import Piece, Segments

_MOST_BYTES: Final = 16 << 20

Ask = Callable[..., Any]  # Any: the answer's type follows from the question


class _Borrowed:
    """What one thread has of a segment, by the loan that `desk` keeps of it."""

    def __init__(self, place: Place, size: int, handle: int) -> None:
        self.place, self.size, self.handle = place, size, handle
        self.used = 0

    def __del__(self) -> None:
        os.close(self.handle)  # with its thread, if not before

    def carve(self, size: int) -> Place:
        place = Place(self.place.segment, self.place.offset + self.used)
        self.used += size
        return place


class _Own(threading.local):
    loan: _Borrowed | None = None


class LentSegments(Segments):
    """Segments of which another process gives the room, filled here."""

    def __init__(self, ask: Ask, folder: Path) -> None:
        super().__init__(folder)
        self._ask, self._own = ask, _Own()

    def append(self, pieces: Sequence[Piece]) -> Place:
        loan = self._loan_for(sum(map(len, pieces)))
        place = loan.carve(sum(map(len, pieces)))
        try:
            machine.HERE.write_at(loan.handle, pieces, place.offset)
        except OSError as error:
            raise SpoolFull from error
        return place

    def reserve_own(self) -> Place:
        place: Place = self._ask("reserve_own")
        return place

    def grow(self, segment: str, size: int) -> None:
        self._ask("grow", segment, size)

    def sync(self, segments: Iterable[str]) -> None:
        self._ask("sync", list(segments))

    def remove(self, segment: str) -> None:
        self._ask("remove", segment)

    def _loan_for(self, size: int) -> _Borrowed:
        loan = self._own.loan
        if loan is not None and loan.used + size <= loan.size:
            return loan
        wanted = max(size, min(_MOST_BYTES, 2 * loan.size)) if loan is not None else size
        self._own.loan = None
        place, granted = self._ask("lend", size, wanted)
        try:
            handle = machine.HERE.open_again(self._path(place.segment))
        except OSError as error:
            raise SpoolFull from error
        self._own.loan = loan = _Borrowed(place, granted, handle)
        return loan


class LentStores(Stores):
    """The spool where a loan is asked for before anything is written: whoever lends sees that there is room."""

    def _keep(self, pieces: Sequence[Piece], *, to_empty_it: bool) -> Stored:  # noqa: ARG002 - nothing is emptied here
        return Stored(self.segments.append(pieces), sum(map(len, pieces)))
