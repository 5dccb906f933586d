"""A Windows that is pretended: the parts that `collegium_connect.machine` asks for, and what was asked of them."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

TRUSTED = "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)"
"""The access list of a file that only its owner, administrators and the system may use (SDDL)."""


class PretendedWindows:
    """The parts of Windows that `Windows` asks for, with what was asked of them."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.priority: list[int] = []
        self.junctions: dict[str, str] = {}
        self.locked: set[tuple[int, int]] = set()
        self.access_list = TRUSTED
        """Of every file that got none of its own by a command."""
        self._asked = ""
        self.freed = 0

    def library(self, name: str) -> Any:  # Any: stands in for whatever ctypes gives
        parts: dict[str, dict[str, Callable[..., object]]] = {
            "kernel32": {
                "SetPriorityClass": lambda _process, kind: self.priority.append(kind),
                "GlobalMemoryStatusEx": self._memory,
                "K32GetProcessMemoryInfo": self._process_memory,
                "LocalFree": self._free,
            },
            "advapi32": {
                "GetNamedSecurityInfoW": self._find_list,
                "ConvertSecurityDescriptorToStringSecurityDescriptorW": self._text,
            },
        }
        return SimpleNamespace(**parts[name])

    def module(self, name: str) -> Any:  # Any: the same
        return {
            "msvcrt": SimpleNamespace(LK_NBLCK=2, locking=self._lock),
            "_winapi": SimpleNamespace(CreateJunction=self._junction),
        }[name]

    def _memory(self, status: Any) -> None:
        _at(status).total = 16 << 30

    def _process_memory(self, _process: object, counters: Any, size: int) -> None:
        assert _at(counters).size == size
        _at(counters).working_set = 80 << 20

    def _free(self, _pointer: object) -> None:
        self.freed += 1

    def _find_list(self, path: str, *_: object) -> int:
        self._asked = path
        return 0

    def _text(self, _descriptor: object, _version: int, _parts: int, text: Any, _size: object) -> int:
        has_own = self._asked in {command[1] for command in self.commands}
        _at(text).value = TRUSTED if has_own else self.access_list
        return 1

    def _lock(self, handle: int, _mode: int, _size: int) -> None:
        found = os.fstat(handle)
        if (found.st_dev, found.st_ino) in self.locked:
            raise PermissionError
        self.locked.add((found.st_dev, found.st_ino))

    def _junction(self, folder: str, link: str) -> None:
        assert not os.path.lexists(link)
        Path(link).mkdir()  # what it leads to is in `junctions`
        self.junctions[link] = folder


def _at(reference: Any) -> Any:  # Any: what ctypes.byref makes, and what it refers to
    return reference._obj  # noqa: SLF001 - there is no public way back
