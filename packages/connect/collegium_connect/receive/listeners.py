"""The door's listening sockets: bound here, or taken over from the service manager.

It holds them while this service restarts, for a new version or after a crash. Whoever connects meanwhile
waits in the socket's queue and is served by the next start: nobody is refused.
"""

import socket
from typing import Final

from collegium_connect import machine
from collegium_connect.listening import listen
from collegium_connect.log import EventLog
from collegium_connect.settings import ReceiveSettings

log = EventLog("receive")

_BACKLOG: Final = 64
_PLAIN, _TLS = "dicom", "dicom-tls"


def listeners(settings: ReceiveSettings, *, with_tls: bool) -> list[tuple[socket.socket, bool]]:
    """Every socket to accept on, and whether it is for TLS; the one without comes first."""
    wanted = {_PLAIN: settings.port} if settings.is_plain_open else {}
    if with_tls:
        wanted[_TLS] = settings.tls_port
    kept = machine.HERE.kept_sockets()
    for name in list(kept):
        if name not in wanted or not _listens_at(kept[name], settings.host, wanted[name]):
            machine.HERE.release_socket(name)  # the settings changed
            kept.pop(name).close()
    return [
        (kept.get(name) or _bind(name, settings.host, port, is_tls=name == _TLS), name == _TLS)
        for name, port in wanted.items()
    ]


def _bind(name: str, host: str, port: int, *, is_tls: bool) -> socket.socket:
    setting = "receive.tls_port" if is_tls else "receive.port"
    listener = listen(host, port, setting, backlog=_BACKLOG)
    machine.HERE.keep_socket(name, listener)
    log.info("receive.listening", host=host, port=listener.getsockname()[1], tls=is_tls)
    return listener


def _listens_at(listener: socket.socket, host: str, port: int) -> bool:
    """Whether this is the socket that the settings mean; port 0 means any."""
    there_host, there_port = listener.getsockname()[:2]
    meant = {item[4][0] for item in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    return there_host in meant and port in {0, there_port}
