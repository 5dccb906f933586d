"""The server, its certificate and the line to it; the ports that a PACS and a person reach."""

import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from collegium_connect.doctor.findings import Finding, judge, unknown
from collegium_connect.errors import SettingsInvalid
from collegium_connect.receive.certificate import Certificate
from collegium_connect.send.client import ServerClient
from collegium_connect.send.errors import AttemptFailed
from collegium_connect.settings import Settings
from collegium_connect.tolerances import CERTIFICATE_DAYS, CLOCK_S

LINE_MBPS: Final = 100.0
_MEASURED_BYTES: Final = 32 << 20
LINE: Final = "Line to the server"
_MEASURED_S: Final = 5.0
_PIECE: Final = 1 << 18
_TIMEOUT_S: Final = 5.0


def line(client: ServerClient | None) -> Finding:
    """Send bytes without meaning to the server for at most five seconds."""
    needed = f"{LINE_MBPS:.0f} Mbps"
    if client is None:
        return unknown(LINE, "this gateway is not enrolled", needed, "Enrol it, then ask again.")
    pieces = _Pieces()
    began = time.perf_counter()
    try:
        client.measure(pieces)
    except AttemptFailed as failure:
        return unknown(LINE, failure.message, needed, "See that the server can be reached.")
    mbps = pieces.sent * 8 / 1e6 / max(1e-6, time.perf_counter() - began)
    return judge(
        LINE,
        is_good=mbps >= LINE_MBPS,
        found=f"{mbps:.0f} Mbps",
        needed=needed,
        advice="A slower line works, with a longer queue; let the channels compress what they send.",
    )


def clock(client: ServerClient | None) -> Finding:
    """This machine's clock against the server's, as its last answer said; receipts and trail carry both."""
    ahead_s, needed = client.clock_ahead_s if client else None, f"within {CLOCK_S:.0f} s of the server's"
    if ahead_s is None:
        return unknown("Clock", "the server has not said its time", needed)
    return judge(
        "Clock",
        is_good=abs(ahead_s) <= CLOCK_S,
        found=f"{abs(ahead_s):.0f} s {'ahead' if ahead_s >= 0 else 'behind'}",
        needed=needed,
        advice="Set this machine's clock by NTP.",
    )


def certificate(settings: Settings) -> Finding:
    """Until when the server's certificate is valid; asked directly, so not through a proxy."""
    parts, needed = urlsplit(settings.server.url), f"valid for {CERTIFICATE_DAYS} days more"
    if parts.scheme != "https":
        return judge(
            "Server's certificate", is_good=True, found="http to this machine", needed="none", advice=""
        )
    if settings.server.proxy:
        return unknown("Server's certificate", "it is behind the proxy", needed)
    try:
        context = ssl.create_default_context(cafile=settings.server.ca_file)
        address = (parts.hostname or "", parts.port or 443)
        with (
            socket.create_connection(address, _TIMEOUT_S) as plain,
            context.wrap_socket(plain, server_hostname=parts.hostname) as secured,
        ):
            ends = str((secured.getpeercert() or {}).get("notAfter", ""))
            version = secured.version()
    except ssl.SSLError:
        return judge(
            "Server's certificate", is_good=False, found="not trusted", needed=needed,
            advice="Name its authority in server.ca_file, or have the certificate renewed.",
        )  # fmt: skip
    except OSError:
        return unknown("Server's certificate", "the server cannot be reached", needed)
    days = (datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) - datetime.now(UTC)).days
    return judge(
        "Server's certificate",
        is_good=days >= CERTIFICATE_DAYS,
        found=f"{version}, valid for {days} days more",
        needed=needed,
        advice="Have the server's certificate renewed before it ends.",
    )


def own_certificate(settings: Settings) -> Finding:
    """Until when the certificate that the DICOM port shows is valid."""
    about, needed = "DICOM port's certificate", f"valid for {CERTIFICATE_DAYS} days more"
    if settings.receive.tls_certificate_file is None:
        return judge(about, is_good=True, found="no TLS there", needed="none", advice="")
    try:
        days = (Certificate(settings.receive).ends - datetime.now(UTC)).days
    except SettingsInvalid as unfit:
        return judge(about, is_good=False, found="cannot be used", needed=needed, advice=str(unfit))
    return judge(
        about,
        is_good=days >= CERTIFICATE_DAYS,
        found=f"valid for {days} days more",
        needed=needed,
        advice="Renew receive.tls_certificate_file and its key; the gateway takes them up by itself.",
    )


def dicom_port(settings: Settings) -> Finding:
    """Whether something answers where a PACS would knock: the gateway if it runs."""
    receive = settings.receive
    port = receive.port if receive.is_plain_open else receive.tls_port
    host = "127.0.0.1" if receive.host in {"0.0.0.0", "::"} else receive.host  # noqa: S104 - compared, not bound
    try:
        socket.create_connection((host, port), _TIMEOUT_S).close()
    except OSError:
        return judge(
            "DICOM port", is_good=False, found=f"nobody listens on {port}", needed="a running gateway",
            advice="Start it: collegium-connect up, or the service.",
        )  # fmt: skip
    return judge("DICOM port", is_good=True, found=f"{port} is open", needed="a running gateway", advice="")


def callers(settings: Settings) -> Finding:
    count = len(settings.receive.allowed_callers)
    return judge(
        "Who may send",
        is_good=count > 0,
        found=f"{count} listed",
        needed="at least one",
        advice="List the PACS in receive.allowed_callers.",
    )


def firewall_sheet(settings: Settings) -> list[str]:
    """What the hospital's firewall must let through, as a sheet for those who set it."""
    server, receive = urlsplit(settings.server.url), settings.receive
    through = (
        f", through the proxy {urlsplit(settings.server.proxy).hostname}" if settings.server.proxy else ""
    )
    lines = [
        f"out: TCP {server.port or (443 if server.scheme == 'https' else 80)} to {server.hostname}{through}"
    ]
    if settings.updates.url:
        updates = urlsplit(settings.updates.url)
        lines.append(f"out: TCP {updates.port or 443} to {updates.hostname}, by the updater")
    ports = [receive.port] * receive.is_plain_open + [receive.tls_port] * (
        receive.tls_certificate_file is not None
    )
    for caller in receive.allowed_callers:
        lines += [f"in: TCP {port} from {caller.address} (AE title {caller.ae})" for port in ports]
    return [*lines, "nothing else: no port towards the internet is open here"]


class _Pieces:
    """Bytes without meaning, until enough were sent or time is up."""

    def __init__(self) -> None:
        self.sent = 0

    def __iter__(self) -> Iterator[bytes]:
        piece, ends = bytes(_PIECE), time.monotonic() + _MEASURED_S
        while self.sent < _MEASURED_BYTES and time.monotonic() < ends:
            yield piece
            self.sent += len(piece)
