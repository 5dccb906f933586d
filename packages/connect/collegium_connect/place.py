"""Notice that the data folder is a copy: two gateways with one enrolment would give two patients one code.

The folder remembers its own number in its file system. A copy, or a backup that was put back elsewhere, has
another; somebody must say that the first is gone for good. A clone of a whole disk is not noticed here:
the server sees that two trails part.
"""

from pathlib import Path
from typing import Final

from collegium_connect import machine
from collegium_connect.errors import ConnectError

_FILE: Final = "place"


class CopiedFolder(ConnectError):
    code = "connect.folder.copied"
    message = (
        "This data folder is a copy. Two gateways that share an enrolment would give two patients one subject"
        " code. If the folder it was copied from will never run again, say: collegium-connect journal adopt."
    )


def require_same_place(folder: Path) -> None:
    """Remember where the folder is, the first time; afterwards see that it is still there.

    Raises:
        CopiedFolder: it is somewhere else.
    """
    path = folder / _FILE
    if not path.exists():
        adopt(folder)
    elif path.read_text("ascii") != _number(folder):
        raise CopiedFolder


def adopt(folder: Path) -> None:
    """Take this folder for the one and only."""
    path = folder / _FILE
    fresh = path.with_suffix(".part")
    fresh.write_text(_number(folder), "ascii")
    machine.HERE.keep_private(fresh)
    machine.HERE.replace(fresh, path)
    machine.HERE.sync_folder(folder)


def _number(folder: Path) -> str:
    return str(folder.stat().st_ino)
