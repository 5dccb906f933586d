"""The gateway's configuration: one TOML file, read once at start, frozen, passed in.

A key that is not known here stops the start: a misspelt limit must not be a missing limit. The
reference in docs/operate/connect/settings.md is checked against the fields below by a test.
"""

import dataclasses
import ipaddress
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from collegium_connect.errors import SettingsInvalid

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_WINDOW: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")
T = TypeVar("T")


def _doc(text: str) -> dict[str, str]:
    return {"doc": text}


@dataclass(frozen=True, kw_only=True)
class GatewaySettings:
    name: str = field(metadata=_doc("What the server and the local page call this gateway."))
    data_dir: Path = field(metadata=_doc("Folder for spool, journal and keys; on a local disk, backed up."))


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    url: str = field(metadata=_doc("Base URL of the Collegium server. https, or http to this machine only."))
    ca_file: Path | None = field(
        default=None, metadata=_doc("PEM file of the authority that signed the server, if it is your own.")
    )
    proxy: str = field(default="", metadata=_doc("URL of the outbound proxy; empty for none."))
    timeout_s: float = field(default=60.0, metadata=_doc("Seconds without a byte before a call has failed."))
    heartbeat_s: float = field(default=20.0, metadata=_doc("Seconds between two heartbeats."))


@dataclass(frozen=True, kw_only=True)
class PeerTlsSettings:
    ca_file: Path = field(metadata=_doc("PEM file of the authorities whose certificate the PACS must show."))
    certificate_file: Path | None = field(
        default=None,
        metadata=_doc("PEM file with the gateway's certificate for it; none where it asks none."),
    )
    key_file: Path | None = field(default=None, metadata=_doc("PEM file with the key of that certificate."))
    name: str = field(
        default="", metadata=_doc("Name in its certificate; empty where that is how it is addressed.")
    )

    def __post_init__(self) -> None:
        if (self.certificate_file is None) is not (self.key_file is None):
            raise SettingsInvalid("The certificate_file and key_file of tls belong together.")


@dataclass(frozen=True, kw_only=True)
class CallerSettings:
    ae: str = field(metadata=_doc("Calling AE title, exactly as the PACS sends it."))
    address: str = field(metadata=_doc("Its IP address, or its network such as 10.20.0.0/16."))
    user: str = field(
        default="", metadata=_doc("User name that it must name itself by (user identity); empty for none.")
    )
    passcode_file: Path | None = field(
        default=None, metadata=_doc("File with the passcode of that user; none where the name is enough.")
    )
    commit_port: int = field(
        default=0, metadata=_doc("TCP port where it takes storage commitment reports; 0 if it asks for none.")
    )
    commit_tls: PeerTlsSettings | None = field(
        default=None, metadata=_doc("TLS for these reports; without it they go in clear.")
    )

    def covers(self, ae: str, address: str) -> bool:
        """Whether an association of this title from this address is meant."""
        return ae == self.ae and ipaddress.ip_address(address) in ipaddress.ip_network(self.address)


@dataclass(frozen=True, kw_only=True)
class ReceiveSettings:
    host: str = field(default="0.0.0.0", metadata=_doc("Address to listen on for DICOM."))  # noqa: S104 - a PACS is another machine; who may call is listed below
    port: int = field(default=11112, metadata=_doc("TCP port for DICOM; 0 takes any free one."))
    max_pdu: int = field(default=262144, metadata=_doc("Largest PDU offered to a sender, in bytes."))
    max_associations: int = field(default=32, metadata=_doc("Associations served at once."))
    idle_timeout_s: float = field(
        default=60.0, metadata=_doc("Seconds without a byte before an association is aborted.")
    )
    artim_s: float = field(
        default=30.0,
        metadata=_doc(
            "Seconds that a caller has for its request, and to hang up once an association is over."
        ),
    )
    object_timeout_s: float = field(
        default=1800.0, metadata=_doc("Seconds that one object may take to arrive.")
    )
    max_associations_per_caller: int = field(
        default=16, metadata=_doc("Associations served at once for one address.")
    )
    processes: int = field(
        default=1,
        metadata=_doc(
            "Processes that accept associations; 1 is the gateway's own, more are others, for more than two cores."
        ),
    )
    memory_bytes: int = field(
        default=512 << 20,
        metadata=_doc(
            "Memory for objects that are arriving, all associations together; beyond it they pass in pieces."
        ),
    )
    is_plain_open: bool = field(
        default=True, metadata=_doc("Whether the port without TLS listens; false needs a TLS certificate.")
    )
    tls_port: int = field(
        default=2762,
        metadata=_doc("TCP port for DICOM over TLS, once there is a certificate; 0 takes any free one."),
    )
    tls_certificate_file: Path | None = field(
        default=None, metadata=_doc("PEM file with the gateway's certificate and its chain; none, no TLS.")
    )
    tls_key_file: Path | None = field(
        default=None, metadata=_doc("PEM file with the key of that certificate.")
    )
    tls_client_ca_file: Path | None = field(
        default=None,
        metadata=_doc(
            "PEM file of the authorities whose certificates a sender must have; none asks for none."
        ),
    )
    allowed_callers: tuple[CallerSettings, ...] = field(
        default=(), metadata=_doc("Who may send. Nobody else is answered; an empty list refuses everyone.")
    )

    def title_at(self, address: str) -> str | None:
        """The AE title of the first listed caller whose network holds an address; None where no one's does.

        Raises:
            ValueError: it is no IP address.
        """
        here = ipaddress.ip_address(address)
        listed = self.allowed_callers
        return next((item.ae for item in listed if here in ipaddress.ip_network(item.address)), None)


@dataclass(frozen=True, kw_only=True)
class LocalSettings:
    host: str = field(default="127.0.0.1", metadata=_doc("Address of the local page; this machine only."))
    port: int = field(default=8104, metadata=_doc("TCP port of the local page; 0 takes any free one."))


@dataclass(frozen=True, kw_only=True)
class LimitSettings:
    spool_bytes: int = field(
        default=100 << 30,
        metadata=_doc(
            "Bytes that the spool may hold, quarantine included; above it senders hear out of resources."
        ),
    )
    keep_free_bytes: int = field(
        default=1 << 30, metadata=_doc("Bytes that stay free on the disk whatever the spool's limit is.")
    )
    object_bytes: int = field(
        default=8 << 30, metadata=_doc("Largest single object in bytes; beyond 16 MB it passes in pieces.")
    )
    journal_days: int = field(
        default=90,
        metadata=_doc(
            "Days that the journal remembers each delivered object, so that it is not sent twice; 0 for always."
        ),
    )

    def __post_init__(self) -> None:
        if self.journal_days < 0:
            raise SettingsInvalid("limits.journal_days must not be negative.")


@dataclass(frozen=True, kw_only=True)
class InspectSettings:
    processes: int = field(
        default=-1,
        metadata=_doc(
            "Processes that inspect what was received, with low priority and 150 MB each; -1 takes one for each"
            " core; 0 inspects inside the gateway's own process: less memory, slower to receive meanwhile."
        ),
    )
    object_bytes: int = field(
        default=1 << 30,
        metadata=_doc(
            "Largest object in bytes whose pixels are looked at; a process holds it up to four times meanwhile."
            " Larger ones go to quarantine."
        ),
    )


@dataclass(frozen=True, kw_only=True)
class LogSettings:
    file: Path | None = field(
        default=None, metadata=_doc("File for the log; none writes it to standard error.")
    )
    max_bytes: int = field(
        default=32 << 20, metadata=_doc("Size at which the log's file is put aside and a new one begun.")
    )
    keep_files: int = field(default=10, metadata=_doc("Log files put aside that are kept."))


@dataclass(frozen=True, kw_only=True)
class SourceSettings:
    name: str = field(metadata=_doc("What the command `pull` calls this PACS."))
    ae: str = field(metadata=_doc("AE title of the PACS."))
    host: str = field(metadata=_doc("Its name or IP address."))
    port: int = field(metadata=_doc("Its TCP port."))
    calling_ae: str = field(metadata=_doc("AE title under which the gateway asks."))
    window: str = field(
        default="", metadata=_doc("When it may be asked, such as 19:00-06:00; empty for always.")
    )
    timeout_s: float = field(default=600.0, metadata=_doc("Seconds that it may take for an answer."))
    tls: PeerTlsSettings | None = field(
        default=None, metadata=_doc("TLS for asking it; without it the questions go in clear.")
    )


@dataclass(frozen=True, kw_only=True)
class PullSettings:
    sources: tuple[SourceSettings, ...] = field(
        default=(),
        metadata=_doc("PACS that are asked for the exams on the site's lists; none, and nothing is pulled."),
    )


@dataclass(frozen=True, kw_only=True)
class UpdateSettings:
    url: str = field(
        default="", metadata=_doc("Base URL of the repository of signed releases; empty for no updates.")
    )
    root_file: Path | None = field(
        default=None,
        metadata=_doc("The repository's first root metadata, as it came with the installation."),
    )
    program_dir: Path = field(
        default=Path("/opt/collegium-connect"),
        metadata=_doc("Folder of the installed versions; only the updater's account may write there."),
    )
    state_dir: Path = field(
        default=Path("/var/lib/collegium-connect-update"),
        metadata=_doc("Folder for what the updater remembers of the repository; its account's own."),
    )
    pin: str = field(
        default="", metadata=_doc("The one version to stay on, as a trial may ask; empty for the newest.")
    )
    lease_wait_s: float = field(
        default=3600.0, metadata=_doc("Seconds to wait for a moment in which nothing is received or sent.")
    )
    start_wait_s: float = field(
        default=120.0, metadata=_doc("Seconds that a new version has to come up before it is rolled back.")
    )

    def __post_init__(self) -> None:
        if not re.fullmatch(r"(\d+\.\d+\.\d+)?", self.pin, re.ASCII):
            raise SettingsInvalid("updates.pin must be a version such as 1.2.3, or empty.")
        if not self.url:
            return
        require_safe_url(self.url, "updates.url")
        if self.root_file is None:
            raise SettingsInvalid("updates.url needs updates.root_file: without it no signature counts.")


@dataclass(frozen=True, kw_only=True)
class Settings:
    gateway: GatewaySettings
    server: ServerSettings
    receive: ReceiveSettings = field(default_factory=ReceiveSettings)
    local: LocalSettings = field(default_factory=LocalSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    log: LogSettings = field(default_factory=LogSettings)
    updates: UpdateSettings = field(default_factory=UpdateSettings)
    inspect: InspectSettings = field(default_factory=InspectSettings)
    pull: PullSettings = field(default_factory=PullSettings)

    def __post_init__(self) -> None:
        require_safe_url(self.server.url, "server.url")
        if self.local.host not in _LOOPBACK:
            raise SettingsInvalid("local.host must be an address of this machine, such as 127.0.0.1.")
        if not 4096 <= self.receive.max_pdu <= 16 << 20:
            raise SettingsInvalid("receive.max_pdu must lie between 4096 and 16777216.")
        if self.receive.processes < 1:
            raise SettingsInvalid("receive.processes must be at least 1.")
        has_tls = self.receive.tls_certificate_file is not None
        if has_tls is (self.receive.tls_key_file is None):
            raise SettingsInvalid("receive.tls_certificate_file and receive.tls_key_file belong together.")
        if not has_tls and not self.receive.is_plain_open:
            raise SettingsInvalid(
                "receive.is_plain_open is false, and there is no receive.tls_certificate_file."
            )
        for caller in self.receive.allowed_callers:
            _require_network(caller.address)
        for source in self.pull.sources:
            _require_window(source.window)


def load(path: Path) -> Settings:
    """Read a configuration file.

    Raises:
        SettingsInvalid: it cannot be read, a key is unknown or missing, or a value cannot be used.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsInvalid(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{path} is not TOML: {error}.") from error
    return _table(content, Settings, "")


def require_safe_url(url: str, what: str) -> None:
    """Refuse anything but https, and http to this very machine.

    Raises:
        SettingsInvalid: the URL would carry images in clear over a network, or is none.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return
    raise SettingsInvalid(f"{what} must start with https:// (http:// only to 127.0.0.1 or localhost).")


def _require_network(address: str) -> None:
    try:
        ipaddress.ip_network(address)
    except ValueError as error:
        raise SettingsInvalid(f"receive.allowed_callers: {address} is no IP address or network.") from error


def _require_window(window: str) -> None:
    if window and not _WINDOW.fullmatch(window):
        raise SettingsInvalid("pull.sources: a window is two times, such as 19:00-06:00.")


def _table(content: object, cls: type[T], where: str) -> T:
    """A settings class from a TOML table, strictly."""
    if not isinstance(content, Mapping):
        raise SettingsInvalid(f"[{where}] must be a table.")
    assert dataclasses.is_dataclass(cls)
    hints, prefix = get_type_hints(cls), f"{where}." if where else ""
    fields = {item.name: item for item in dataclasses.fields(cls)}
    for key in content:
        if key not in fields:
            raise SettingsInvalid(f"{prefix}{key} is not a setting. Known here: {', '.join(fields)}.")
    for name, item in fields.items():
        has_default = (
            item.default is not dataclasses.MISSING or item.default_factory is not dataclasses.MISSING
        )
        if name not in content and not has_default:
            raise SettingsInvalid(f"{prefix}{name} is missing.")
    return cls(**{key: _value(value, hints[key], f"{prefix}{key}") for key, value in content.items()})


def _value(value: object, hint: Any, where: str) -> object:  # Any: whatever a field declares
    if isinstance(hint, UnionType):
        (hint,) = (item for item in get_args(hint) if item is not NoneType)  # TOML has no way to say none
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _table(value, hint, where)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise SettingsInvalid(f"{where} must be a list.")
        return tuple(_table(item, get_args(hint)[0], where) for item in value)
    if hint is Path:
        return Path(_plain(value, str, where))
    if hint is float and type(value) is int:
        return float(value)
    return _plain(value, hint, where)


def _plain(value: object, kind: type[T], where: str) -> T:
    if type(value) is not kind:
        raise SettingsInvalid(f"{where} must be of type {kind.__name__}.")
    return value
