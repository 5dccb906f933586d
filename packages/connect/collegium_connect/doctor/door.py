"""Ask the own door for a C-ECHO, over the address by which the network sees this machine."""

import socket
from typing import Final
from urllib.parse import urlsplit

from collegium_connect.doctor.findings import Finding, judge, unknown
from collegium_connect.folders import receive_port
from collegium_connect.peer import LOST, NoAssociation, Peer, associated
from collegium_connect.settings import ReceiveSettings, Settings

_VERIFICATION: Final = "1.2.840.10008.1.1"
_TIMEOUT_S: Final = 5.0
_ANY: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared, not bound
_ABOUT: Final = "C-ECHO"


def echo(settings: Settings, called_ae: str) -> Finding:
    """Call as a listed caller would; `called_ae` is an open channel's title, empty if there is none."""
    receive, address, port = (
        settings.receive,
        own_address(settings),
        receive_port(settings) or settings.receive.port,
    )
    needed = f"an answer at {address}:{port}"
    if not called_ae:
        return unknown(_ABOUT, "there is no open channel to call", needed)
    if not receive.is_plain_open:
        return unknown(_ABOUT, "only the TLS port is open", needed, "Send a C-ECHO from the PACS.")
    caller = _caller(receive, address)
    if caller is None:
        return unknown(
            _ABOUT, "this machine is no listed caller, so it cannot ask itself", needed,
            "Send a C-ECHO from the PACS, or list this machine in receive.allowed_callers.",
        )  # fmt: skip
    status = _ask(Peer(address, port, called_ae, caller, timeout_s=_TIMEOUT_S))
    return judge(
        _ABOUT,
        is_good=status == 0,
        found=f"{address}:{port} answered {caller} calling {called_ae}"
        if status == 0
        else f"no answer for {caller} calling {called_ae}",
        needed=needed,
        advice="See the log's association.refused; start the gateway if nothing listens.",
    )


def own_address(settings: Settings) -> str:
    """Where others reach the door: what it is bound to, or the address that faces the server."""
    host = settings.receive.host
    if host not in _ANY:
        return host
    server = urlsplit(settings.server.proxy or settings.server.url)
    try:
        # Nothing is sent: this only asks which address the system would use.
        family, kind, _, _, there = socket.getaddrinfo(server.hostname, 9, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as asked:
            asked.connect(there)
            return str(asked.getsockname()[0])
    except OSError:
        return "127.0.0.1"


def _caller(receive: ReceiveSettings, address: str) -> str | None:
    try:
        return receive.title_at(address)
    except ValueError:
        return None


def _ask(peer: Peer) -> int | None:
    """The answer's status; None without one."""
    try:
        with associated(peer, [(_VERIFICATION, None)]) as association:
            answer = association.send_c_echo()
    except (NoAssociation, *LOST):
        return None
    return int(answer.Status) if "Status" in answer else None
