"""A socket that listens, or words for why it cannot."""

import os
import socket

from collegium_connect.errors import PortTaken


def listen(host: str, port: int, setting: str, *, backlog: int | None = None) -> socket.socket:
    """Bind and listen; port 0 means any free one. `setting` is the key to change, for the message.

    Raises:
        PortTaken: another program has the port, or the address is none of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=backlog)
    except OSError as error:
        raise PortTaken(
            f"Port {port} of {host} cannot be used: {os.strerror(error.errno or 0)}."
            f" Stop the program that has it, or change {setting}."
        ) from error
