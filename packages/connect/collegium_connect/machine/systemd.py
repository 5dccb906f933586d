"""Speak with systemd: that the program is ready, and which sockets it holds while the program restarts.

Source: sd_notify(3), sd_listen_fds(3), `FileDescriptorStoreMax=` of systemd.service(5).
"""

import contextlib
import os
import socket
from typing import Final

_FIRST_HANDLE: Final = 3  # SD_LISTEN_FDS_START


def tell(words: str, *handles: int) -> None:
    """Say something to the service manager, if one started this, and hand it open files."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    # sd_notify(3): a leading @ stands for the abstract namespace.
    path = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told, contextlib.suppress(OSError):
        told.connect(path)
        if handles:
            socket.send_fds(told, [words.encode()], handles)
        else:
            told.send(words.encode())


def kept_sockets() -> dict[str, socket.socket]:
    """The sockets that came with this start, by the names they were handed over with; once."""
    names, count, pid = (
        os.environ.pop(key, "") for key in ("LISTEN_FDNAMES", "LISTEN_FDS", "LISTEN_PID")
    )  # a child would take them for its own
    if pid != str(os.getpid()) or not count.isdecimal():
        return {}
    kept: dict[str, socket.socket] = {}
    for handle, name in enumerate(names.split(":")[: int(count)], _FIRST_HANDLE):
        os.set_inheritable(handle, False)
        again = socket.socket(fileno=handle)
        if name in kept:
            again.close()
        else:
            kept[name] = again
    return kept
