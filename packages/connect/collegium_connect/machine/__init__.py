"""The one place that knows which system this runs on: files, locks, signals, priority, memory.

Everybody else calls `machine.HERE` and asks no platform. Tests drive the Windows side on any system,
with parts of Windows that are pretended (`windows.Windows` takes them as arguments).
"""

import sys
from typing import Final

from collegium_connect.machine.interface import Machine, Piece

if sys.platform == "win32":
    from collegium_connect.machine.windows import Windows as _Here
else:
    from collegium_connect.machine.posix import Posix as _Here

HERE: Final[Machine] = _Here()

__all__ = ["HERE", "Machine", "Piece"]
