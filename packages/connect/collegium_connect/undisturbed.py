"""Keep pynetdicom's own thread from taking the answers of an association that this gateway opened."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pynetdicom.association import Association

_PARKED_S: Final = 5.0


class _Held(threading.Event):
    """A checkpoint at which that thread stays until `let_go`.

    pynetdicom's sender pauses the thread before it waits for an answer, but may find it "paused" a moment
    before it really is; then the thread takes the answer off the queue and the sender waits in vain, half a
    minute. Seen with 3.0.4, once in some hundred objects on a busy machine.
    """

    def __init__(self) -> None:
        super().__init__()
        self.parked, self._is_held = threading.Event(), True

    def wait(self, timeout: float | None = None) -> bool:
        self.parked.set()
        return super().wait(timeout)

    def set(self) -> None:
        """The sender lets go after each request; here only after all of them."""
        if not self._is_held:
            super().set()

    def let_go(self) -> None:
        self._is_held = False
        self.set()


@contextmanager
def undisturbed(association: "Association") -> Iterator[None]:
    """Keep the thread of an established association where it is until the block ends."""
    held = _Held()
    association._reactor_checkpoint = held  # noqa: SLF001 - there is no public way to pause it for good
    held.parked.wait(_PARKED_S)
    try:
        yield
    finally:
        held.let_go()
