"""Tell on stderr how far a run is: one line that changes on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final, Self, TextIO

from collegium_deid.cli.screen import plain

if TYPE_CHECKING:
    from types import TracebackType

_REDRAW_S: Final = 0.1
_LINE_S: Final = 15.0
_CELLS: Final = 24
_CLEAR: Final = "\r\x1b[2K"


class Progress:
    """`step()` after every file; `say()` prints a line without spoiling the bar.

    Args:
        total: how many files.
        verb: what is done to them, such as `cleaned`.
        quiet: nothing but what `say` is given.
    """

    def __init__(self, total: int, verb: str, *, quiet: bool = False, out: TextIO | None = None) -> None:
        self._total, self._verb, self._quiet = total, verb, quiet
        self._out = out or sys.stderr
        self._is_terminal = self._out.isatty()
        self._done = 0
        self._began = self._told = time.monotonic()
        self._drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._wipe()

    def step(self) -> None:
        self._done += 1
        now = time.monotonic()
        if self._quiet or now - self._told < (_REDRAW_S if self._is_terminal else _LINE_S):
            return
        self._told = now
        if self._is_terminal:
            self._out.write(f"{_CLEAR}{self.line(now - self._began)}")
            self._out.flush()
            self._drawn = True
        else:
            self._out.write(self.line(now - self._began) + "\n")

    def line(self, seconds: float) -> str:
        """What is shown after so many seconds."""
        rate = self._done / max(seconds, 1e-6)
        left = _clock((self._total - self._done) / rate) if rate else "?"
        pace = f"{rate:.0f} a second" if rate >= 1 else f"{rate * 60:.0f} a minute"
        text = f"{self._done} of {self._total} files {self._verb}, {pace}, {left} left"
        if not self._is_terminal:
            return text
        full = _CELLS * self._done // max(self._total, 1)
        return f"[{'#' * full}{'.' * (_CELLS - full)}] {text}"

    def say(self, line: str) -> None:
        """A line that stays. It names files, and a file may be called anything: see `screen.plain`."""
        self._wipe()
        self._out.write(plain(line) + "\n")

    def _wipe(self) -> None:
        if self._drawn:
            self._out.write(_CLEAR)
            self._drawn = False


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
