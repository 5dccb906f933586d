"""The calls of the wire protocol over HTTPS, each with its time limits and its failures in words.

httpx stays inside this module. Nothing here retries or remembers.
"""

import ssl
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

import httpx

from collegium_connect import SOFTWARE
from collegium_connect.errors import SettingsInvalid, SpoolDamaged
from collegium_connect.send.errors import AttemptFailed
from collegium_connect.send.multipart import Upload
from collegium_connect.settings import ServerSettings, require_safe_url
from collegium_wire import (
    EnrolmentAnswer,
    EnrolmentRequest,
    Heartbeat,
    HeartbeatAnswer,
    Manifest,
    Message,
    Missing,
    ObjectsAnswer,
    Problem,
    Receipt,
    WireError,
    delivery_state,
    paths,
)

Answer = TypeVar("Answer", bound=Message)

CONNECTIONS: Final = 6
"""Uploads at once, over all deliveries."""
# Manifests, completions and heartbeats find a connection beside the uploads.
_MOST: Final = CONNECTIONS + 4
_OK: Final = 200
_CONFLICT: Final = 409
# Nothing is wrong with the delivery: the server, the line or this gateway's right to speak is.
_EVERYWHERE: Final = frozenset({401, 403, 407, 408, 429, 500, 502, 503, 504})
# Turned away before the call was looked at. With 500, 502 and 504 the work may have been done all the same.
_UNHEARD: Final = frozenset({401, 403, 407, 429, 503})
# No line to the server came about, so that not a byte of the call left.
_NO_LINE: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class ServerClient:
    """One server, as one gateway sees it. Safe between threads; close it when done."""

    def __init__(self, settings: ServerSettings, url: str, token: str = "") -> None:
        require_safe_url(url, "The server's address")
        headers = {"User-Agent": SOFTWARE} | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            verify = ssl.create_default_context(cafile=settings.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise SettingsInvalid("server.ca_file cannot be read as PEM certificates.") from error
        self.certificate_ends: datetime | None = None
        """Of the server's own certificate, as seen with the last heartbeat."""
        self.clock_ahead_s: float | None = None
        """This machine's clock less the server's, to the second, as its last answer said."""
        self.authority_ends = _first_end(verify) if settings.ca_file else None
        """Of the authority in `server.ca_file`, if there is one."""
        self._http = httpx.Client(
            base_url=url,
            headers=headers,
            verify=verify,
            proxy=settings.proxy or None,
            trust_env=False,  # the proxy is a setting, not a surprise from the environment
            follow_redirects=False,  # a redirect could lead images elsewhere
            timeout=httpx.Timeout(settings.timeout_s, connect=min(10.0, settings.timeout_s)),
            limits=httpx.Limits(max_connections=_MOST, max_keepalive_connections=_MOST),
        )

    def close(self) -> None:
        self._http.close()

    def enrol(self, request: EnrolmentRequest) -> EnrolmentAnswer:
        return self._message("POST", paths.ENROL, request, EnrolmentAnswer)

    def heartbeat(self, beat: Heartbeat) -> HeartbeatAnswer:
        headers = {"Content-Type": paths.JSON_TYPE}
        response = self._call("POST", paths.HEARTBEAT, headers, beat.to_json())
        self.certificate_ends = _certificate_end(response)
        return _read(response, HeartbeatAnswer)

    def measure(self, pieces: Iterable[bytes]) -> None:
        """Send bytes without meaning, which the server forgets; returns when it has them all."""
        self._call("POST", paths.LINE, {"Content-Type": paths.OCTETS_TYPE}, iter(pieces))

    def open_delivery(self, manifest: Manifest) -> Missing:
        return self._message("PUT", paths.delivery(manifest.delivery_id), manifest, Missing)

    def send_objects(
        self, delivery_id: str, upload: Upload, through: Callable[[Iterator[bytes]], Iterator[bytes]] = iter
    ) -> ObjectsAnswer:
        """Upload objects of a delivery; `through` may hold up the bytes, or end them by raising."""
        headers = {"Content-Type": upload.content_type, "Content-Length": str(upload.length)}
        response = self._call("POST", paths.delivery_objects(delivery_id), headers, through(upload.body()))
        return _read(response, ObjectsAnswer)

    def complete(self, delivery_id: str) -> Receipt | Missing:
        """The receipt; or what the server still lacks."""
        response = self._call("POST", paths.delivery_complete(delivery_id), {}, b"", accept=(_CONFLICT,))
        try:
            if response.status_code == _CONFLICT:
                return Missing.from_json(response.content)
            state = delivery_state(response.content)
        except WireError as error:
            if response.status_code == _CONFLICT:
                raise _refused(response) from error
            raise _not_understood(error) from error
        return state

    def _message(self, method: str, path: str, message: Message, answer: type[Answer]) -> Answer:
        headers = {"Content-Type": paths.JSON_TYPE}
        return _read(self._call(method, path, headers, message.to_json()), answer)

    def _call(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        content: bytes | Iterator[bytes],
        accept: tuple[int, ...] = (),
    ) -> httpx.Response:
        try:
            response = self._http.request(method, path, headers=headers, content=content)
        except httpx.ConnectTimeout as error:
            raise _line_fault(error) from error
        except httpx.TimeoutException as error:
            raise AttemptFailed(
                "connect.line.timeout", "The server did not answer in time.", is_everywhere=True
            ) from error
        except httpx.HTTPError as error:
            raise _line_fault(error) from error
        except SpoolDamaged as error:
            raise AttemptFailed(error.code, error.message) from error
        self.clock_ahead_s = _clock_ahead_s(response)
        if response.status_code == _OK or response.status_code in accept:
            return response
        raise _refused(response)


def _clock_ahead_s(response: httpx.Response) -> float | None:
    try:
        said = parsedate_to_datetime(response.headers.get("Date", ""))
        return (datetime.now(UTC) - said).total_seconds()
    except (ValueError, TypeError):
        return None  # none was said, or none that can be read


def _read(response: httpx.Response, answer: type[Answer]) -> Answer:
    try:
        return answer.from_json(response.content)
    except WireError as error:
        raise _not_understood(error) from error


def _line_fault(error: httpx.HTTPError) -> AttemptFailed:
    """Why no answer came, as far as the library's error tells; its own words may hold addresses and stay here."""
    words = str(error)
    if "certificate has expired" in words:
        code, message = "expired", "The server's certificate has expired. Tell whoever runs the server."
    elif "CERTIFICATE_VERIFY_FAILED" in words:
        code, message = "untrusted", "The server's certificate is not trusted. Check server.ca_file."
    elif isinstance(error, httpx.ProxyError):
        code, message = "proxy", "The proxy did not let the call through. Check server.proxy."
    else:
        code, message = "down", "The server cannot be reached."
    return AttemptFailed(
        f"connect.line.{code}", message, is_everywhere=True, is_unheard=isinstance(error, _NO_LINE)
    )


def _certificate_end(response: httpx.Response) -> datetime | None:
    """When the certificate ends that the server showed for this answer; None without TLS."""
    stream = response.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream is not None else None
    shown = tls.getpeercert() if tls is not None else None
    return _time(shown["notAfter"]) if shown else None


def _first_end(context: ssl.SSLContext) -> datetime | None:
    """When the first of the trusted authorities ends."""
    return min((_time(shown["notAfter"]) for shown in context.get_ca_certs()), default=None)


def _time(written: object) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(written)), UTC)


def _not_understood(error: WireError) -> AttemptFailed:
    return AttemptFailed(error.code, "The server's answer is not of this protocol.", is_everywhere=True)


def _refused(response: httpx.Response) -> AttemptFailed:
    """The server's own words where it gave any; its status alone otherwise."""
    status = response.status_code
    try:
        problem = Problem.from_json(response.content)
        code, message = problem.code, problem.message
    except WireError:
        code, message = f"connect.server.status_{status}", f"The server answered with status {status}."
    return AttemptFailed(code, message, is_everywhere=status in _EVERYWHERE, is_unheard=status in _UNHEARD)
