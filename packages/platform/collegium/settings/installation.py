"""What one installation is told from outside: read once, frozen, checked.

Sources, strongest first: environment (`COLLEGIUM_…`, and `DATABASE_URL`), then
`collegium.toml` in the data folder. An unknown key stops the start: a misspelt
setting must never silently mean "default".
"""

from __future__ import annotations

import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "COLLEGIUM_"
_BESIDE = {"COLLEGIUM_REAL_DATA"}  # read by tests alone


class UnknownSetting(Exception):
    """A key that no setting has."""


class Installation(BaseSettings):
    """Every setting of the server, with its unit and default."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    data_dir: Path = Field(
        default=Path("collegium-data"), description="Folder of everything this installation keeps."
    )
    host: str = Field(default="127.0.0.1", description="Address the web server listens on.")
    port: int = Field(default=8420, ge=1, le=65535, description="TCP port of the web server.")
    public_url: str = Field(
        default="",
        description="Address people type, and the only name the server answers to; empty: http://host:port.",
    )
    web_threads: int = Field(default=8, ge=1, description="Threads that render pages.")
    database_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "COLLEGIUM_DATABASE_URL", "database_url"),
        description="PostgreSQL 18 as the app role; empty means the embedded server.",
    )
    owner_database_url: str | None = Field(
        default=None, description="The same database as its owner; needed by migrate and prepare only."
    )
    as_owner: bool = Field(
        default=False, description="Connect as the owner role; set by commands that migrate."
    )
    pool_size: int = Field(default=20, ge=2, description="Database connections a process may hold.")
    storage_quota_bytes: int = Field(
        default=0,
        ge=0,
        description="Bytes of stored objects after which uploads are refused; 0 means the disk decides.",
    )
    storage_reserve_bytes: int = Field(
        default=1 << 30, ge=0, description="Free bytes of disk below which uploads are refused."
    )
    s3_url: str | None = Field(
        default=None, description="s3://bucket/prefix for objects; empty means the data folder."
    )
    s3_endpoint: str | None = Field(default=None, description="Endpoint of an S3 server that is not AWS.")
    encrypt_objects: bool = Field(
        default=True, description="Frame objects with AES-256-GCM; false relies on disk or bucket encryption."
    )
    idle_minutes: int = Field(
        default=30, ge=1, description="Minutes without a request after which a person signs in again."
    )
    lockout_failures: int = Field(
        default=5, ge=1, description="Failed sign-ins of one account before it is locked."
    )
    lockout_minutes: int = Field(default=15, ge=1, description="Minutes an account stays locked.")
    mail_host: str = Field(default="", description="Mail server that takes our messages; empty: no e-mail.")
    mail_port: int = Field(default=587, ge=1, le=65535, description="TCP port of the mail server.")
    mail_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the line to the mail server is protected."
    )
    mail_user: str = Field(default="", description="Name to sign in with at the mail server; empty: none.")
    mail_password: str = Field(default="", repr=False, description="Password for it.")
    mail_from: str = Field(
        default="", description="Sender of our messages; empty: collegium@ the host of the public address."
    )
    mail_wait_s: int = Field(
        default=60, ge=0, description="Seconds to wait for more before one e-mail tells all that is new."
    )
    debug: bool = Field(default=False, description="Show stack traces in the browser; for development alone.")

    @property
    def address(self) -> str:
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def keys_dir(self) -> Path:
        return self.data_dir / "keys"

    @property
    def objects_dir(self) -> Path:
        return self.data_dir / "objects"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the base class's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  the base class's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, _File(settings_cls))


class _File(PydanticBaseSettingsSource):
    """`collegium.toml` of the data folder."""

    def get_field_value(self, *_: object) -> tuple[Any, str, bool]:  # Any: the base class says so
        return None, "", False

    def __call__(self) -> dict[str, Any]:  # Any: the base class says so
        folder = Path(os.environ.get(f"{PREFIX}DATA_DIR", str(Installation.model_fields["data_dir"].default)))
        path = folder / "collegium.toml"
        return tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}


def _refuse_unknown() -> None:
    known = {PREFIX + name.upper() for name in Installation.model_fields} | _BESIDE
    unknown = sorted(key for key in os.environ if key.startswith(PREFIX) and key not in known)
    if unknown:
        raise UnknownSetting(
            f"Unknown setting in the environment: {', '.join(unknown)}. Remove it or correct its name."
        )


@cache
def installation() -> Installation:
    """The settings of this process, read once."""
    _refuse_unknown()
    settings = Installation()
    return settings.model_copy(update={"data_dir": settings.data_dir.absolute()})
