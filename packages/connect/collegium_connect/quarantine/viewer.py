"""Look at objects in a process of its own: what broken bytes do to a codec must not reach the gateway."""

import multiprocessing
from multiprocessing.connection import Connection
from typing import Final

from collegium_connect import machine
from collegium_connect.channels import Channel
from collegium_connect.quarantine.errors import NotShown
from collegium_connect.quarantine.view import Boxes, Verdict, View, view_of

LIMIT_S: Final = 300.0
# Threads and open sockets do not survive a fork.
_CONTEXT: Final = multiprocessing.get_context("spawn")


class Viewer:
    """Looks at one object a call; `is_apart` False does it here, where a process costs more than it saves."""

    def __init__(self, *, is_apart: bool = True, limit_s: float = LIMIT_S) -> None:
        self._is_apart, self._limit_s = is_apart, limit_s

    def view(self, data: bytes, channel: Channel, who: Verdict, boxes: Boxes, frame: int) -> View:
        """See `view.view_of`.

        Raises:
            NotShown: it took too long, or stopped the process that looked.
        """
        if not self._is_apart:
            return view_of(data, channel, who, boxes, frame)
        here, there = _CONTEXT.Pipe()
        process = _CONTEXT.Process(target=_serve, args=(there,), name="view", daemon=True)
        process.start()
        there.close()
        try:
            here.send((data, channel, who, boxes, frame))
            if not here.poll(self._limit_s):
                raise NotShown("It took too long to look at the object.")
            found = here.recv()
        except (EOFError, OSError) as error:
            raise NotShown("The object stopped the program that looked at it.") from error
        finally:
            here.close()
            process.kill()
            process.join()
        if not isinstance(found, View):
            raise NotShown
        return found


def _serve(pipe: Connection) -> None:
    """The life of the process: one question, one answer."""
    machine.HERE.lower_priority()
    data, channel, who, boxes, frame = pipe.recv()
    try:
        pipe.send(view_of(data, channel, who, boxes, frame))
    except Exception as error:  # noqa: BLE001 - its words may quote the object; the gateway says that it failed
        pipe.send(type(error).__name__)
