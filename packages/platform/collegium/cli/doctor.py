"""What may be wrong with an installation, each with its remedy."""

from __future__ import annotations

import os
import shutil
import smtplib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from collegium.kit import clock, keyring
from collegium.kit.postgres import DatabaseNotStarted, EmbeddedPostgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collegium.settings.installation import Installation


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    what: str
    is_well: bool = True
    remedy: str = ""


def examine(settings: Installation) -> list[Finding]:
    """Look at everything; faults come with what to do."""
    return [
        *_folder(settings), *_keys(settings), *_disk(settings), *_database(settings), *_mail(settings),
    ]  # fmt: skip


def _folder(settings: Installation) -> Iterator[Finding]:
    folder = settings.data_dir
    if not folder.is_dir():
        yield Finding(
            f"data folder {folder} does not exist", is_well=False, remedy="Run `collegium up` once."
        )
    elif not os.access(folder, os.W_OK):
        yield Finding(
            f"data folder {folder} cannot be written",
            is_well=False,
            remedy="Give its account the right to write.",
        )
    else:
        yield Finding(f"data folder {folder}")


def _keys(settings: Installation) -> Iterator[Finding]:
    try:
        keyring.load(settings.keys_dir)
    except keyring.KeysMissing as missing:
        yield Finding("keys are missing", is_well=False, remedy=missing.text)
        return
    loose = [p.name for p in settings.keys_dir.glob("*.key") if p.stat().st_mode & 0o077]
    if loose:
        yield Finding(
            f"keys others can read: {', '.join(loose)}", is_well=False, remedy="chmod 600 the files."
        )
    if keyring.is_backed_up(settings.keys_dir):
        yield Finding("keys are backed up")
    else:
        yield Finding(
            "keys are not backed up",
            is_well=False,
            remedy="Run `collegium keys backup FILE`; keep it elsewhere.",
        )


def _disk(settings: Installation) -> Iterator[Finding]:
    if not settings.data_dir.is_dir():
        return
    free = shutil.disk_usage(settings.data_dir).free
    enough = free > settings.storage_reserve_bytes
    remedy = "" if enough else "Free or add disk: uploads are refused until then."
    yield Finding(f"{free / 1e9:.1f} GB of disk are free", is_well=enough, remedy=remedy)


def _database(settings: Installation) -> Iterator[Finding]:
    try:
        url = settings.database_url or EmbeddedPostgres(settings.data_dir).addresses.app
        with psycopg.connect(url, connect_timeout=5) as connection:
            row = connection.execute(
                "select clock_timestamp(), current_setting('server_version_num')::int"
            ).fetchone()
    except (psycopg.Error, DatabaseNotStarted) as error:
        yield Finding(
            "the database does not answer", is_well=False, remedy=f"Run `collegium up`. {error}".strip()
        )
        return
    assert row
    yield Finding(f"PostgreSQL {row[1] // 10000}.{row[1] % 10000} answers", is_well=row[1] >= 180000)
    drift = abs((clock.now() - row[0]).total_seconds())
    remedy = "" if drift < 2 else "Set up time synchronisation (NTP) on both machines."
    yield Finding(f"clock differs {drift:.1f} s from the database's", is_well=drift < 2, remedy=remedy)


def _mail(settings: Installation) -> Iterator[Finding]:
    if not settings.mail_host:
        yield Finding("no e-mail is sent: COLLEGIUM_MAIL_HOST is not set")
        return
    where = f"{settings.mail_host}:{settings.mail_port}"
    kind = smtplib.SMTP_SSL if settings.mail_security == "tls" else smtplib.SMTP
    try:
        with kind(settings.mail_host, settings.mail_port, timeout=5) as line:
            if settings.mail_security == "starttls":
                line.starttls()
            if settings.mail_user:
                line.login(settings.mail_user, settings.mail_password)
    except (OSError, smtplib.SMTPException) as error:
        remedy = f"Correct COLLEGIUM_MAIL_…, or let the machine reach it. {error}".strip()
        yield Finding(f"the mail server {where} does not take our messages", is_well=False, remedy=remedy)
        return
    yield Finding(f"the mail server {where} answers")
