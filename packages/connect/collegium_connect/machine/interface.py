"""What differs between systems, and what each of them must do."""

import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

Piece = bytes | bytearray | memoryview


class Machine(Protocol):
    """One kind of system."""

    name: str

    def open_new(self, path: Path) -> int:
        """Make a file that only this program's user can read; binary, read and write."""

    def open_again(self, path: Path) -> int:
        """Open a file that is there to write into it; binary."""

    def open_to_read(self, path: Path) -> int:
        """Open a file that is there to read it; binary."""

    def write_at(self, handle: int, pieces: Sequence[Piece], offset: int) -> None:
        """Write pieces one behind the other from `offset` on, all of them; threads may share a handle."""

    def sync_data(self, handle: int) -> None:
        """Return when the file's bytes and length are on the disk."""

    def sync_folder(self, folder: Path) -> None:
        """Put a folder's own entries on the disk, where the system knows the notion."""

    def allocate(self, handle: int, start: int, size: int) -> None:
        """Make a file longer ahead of its bytes, where that costs nothing: a sync is shorter then."""

    def punch(self, path: Path, start: int, size: int) -> bool:
        """Turn bytes of a file into a hole; False where system or file system knows no holes."""

    def remove(self, path: Path) -> None:
        """Delete a file, if it is there."""

    def replace(self, source: Path, target: Path) -> None:
        """Give `source` the name `target`, whatever had it before."""

    def point(self, link: Path, folder: Path) -> None:
        """Let the name `link` lead to `folder` from now on."""

    def lock(self, path: Path) -> int:
        """Take a lock that goes with this process; the handle that holds it.

        Raises:
            BlockingIOError: another process has it.
        """

    def keep_private(self, path: Path) -> None:
        """Nobody but this program's user and the system's administrators may read it from now on."""

    def is_private(self, path: Path) -> bool:
        """Whether nobody but this program's user and the system's administrators may read it."""

    def owner_if_another(self, folder: Path) -> str:
        """The account that a folder belongs to, where that is not this program's and only one may write there."""

    def usual_config(self) -> Path:
        """Where the installation puts the configuration."""

    def on_stop(self, ask: Callable[[], None]) -> None:
        """Call `ask` when this process is asked to end; from the main thread only."""

    def run_as_service(self, name: str, body: Callable[[], int]) -> int:
        """Do `body` as a service of this system; its exit code."""

    def tell_ready(self) -> None:
        """Tell the service manager, if one started this, that the program does its work now."""

    def kept_sockets(self) -> dict[str, socket.socket]:
        """Sockets that the service manager held while this service restarted, by name; only the first call has any."""

    def keep_socket(self, name: str, kept: socket.socket) -> None:
        """Ask the service manager to hold a socket while this service restarts; without one, do nothing."""

    def release_socket(self, name: str) -> None:
        """Ask the service manager to hold it no longer."""

    def lower_priority(self) -> None:
        """Let other processes go first from now on."""

    def keep_large_blocks(self) -> None:
        """Keep large blocks of memory after every object, and few heaps for all threads; before threads start."""

    def processors(self) -> int:
        """How many processors this process may use."""

    def memory_bytes(self) -> int:
        """The machine's main memory."""

    def resident_bytes(self) -> int:
        """Main memory that this process holds now; 0 where the system does not say."""
