"""A port where nobody answers."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of this machine where connections are refused, and which nobody else gets meanwhile.

    One that was closed again could be dealt to whoever runs beside: there somebody would answer.
    """
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])
