"""From an empty folder to a signed-in person, with the real processes, and through every way of ending."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from collegium.kit.postgres import EmbeddedPostgres, binaries
from collegium_testkit.installation import InstallationProcess
from collegium_testkit.patience import PATIENCE_S, until
from collegium_testkit.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]

PASSWORD = "a passphrase of some length"


@pytest.fixture(scope="module")
def server() -> Iterator[InstallationProcess]:
    """One whose tables were made before, as on every day but the first; all tests share it that do not stop it."""
    place = Path(tempfile.mkdtemp(prefix="collegium-house-"))
    place.chmod(0o755)
    with InstallationProcess(place / "data", copied=Prepared.EMPTY) as running:
        yield running
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def new_server(place: Path) -> Iterator[InstallationProcess]:
    with InstallationProcess(place / "data") as running:
        yield running


@pytest.fixture
def own_server(place: Path) -> Iterator[InstallationProcess]:
    with InstallationProcess(place / "data", copied=Prepared.EMPTY) as running:
        yield running


_numbers = itertools.count(1)


@pytest.fixture
def email() -> str:
    """An address that nobody has yet."""
    return f"person.{next(_numbers)}@example.org"


def add_account(server: InstallationProcess, email: str) -> subprocess.CompletedProcess[str]:
    return server.run(
        "account", "add", email, "--name", "First Person", "--password", PASSWORD,
        "--organisation", f"Example of {email}",
    )  # fmt: skip


@contextmanager
def sign_in(server: InstallationProcess, email: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, follow_redirects=True, timeout=PATIENCE_S) as client:
        client.get("/accounts/login/")
        form = {"login": email, "password": PASSWORD, "csrfmiddlewaretoken": client.cookies["collegium_csrf"]}
        client.post("/accounts/login/", data=form, headers={"Referer": server.url})
        yield client


def is_greeted(server: InstallationProcess, email: str) -> bool:
    """Whether this person can sign in now; a part of the server may be on its way back."""
    try:
        with sign_in(server, email) as client:
            return "Good day, First Person" in client.get("/").text
    except (httpx.HTTPError, KeyError):
        return False


@pytest.mark.requirement("U01", "U07", "S02")
def test_from_an_empty_folder_to_a_verified_trail(new_server: InstallationProcess, email: str) -> None:
    assert add_account(new_server, email).returncode == 0
    with sign_in(new_server, email) as client:
        assert "Good day, First Person" in client.get("/").text

    verified = new_server.run("audit", "verify")
    assert verified.returncode == 0, verified.stdout
    assert "no faults" in verified.stdout

    sealed = new_server.run("audit", "seal")
    assert sealed.returncode == 0, sealed.stderr

    owner = EmbeddedPostgres(new_server.data_dir).addresses.owner
    with psycopg.connect(owner, autocommit=True) as forger:
        forger.execute("set session_replication_role = replica")
        forger.execute(
            "update trust_audit_auditentry set body = overlay(body placing 'X' from 20) "
            "where id = (select entry_id from trust_audit_auditlink where chain = 'installation' and seq = 1)"
        )
    broken = new_server.run("audit", "verify")
    assert broken.returncode == 1
    assert "installation: entry 1 " in broken.stdout


@pytest.mark.requirement("U07")
def test_the_doctor_names_what_is_missing_and_the_remedy(server: InstallationProcess) -> None:
    before = server.run("doctor")
    assert before.returncode == 1
    assert "collegium keys backup" in before.stdout

    backup = server.run(
        "keys", "backup", str(server.data_dir.parent / "keys.json"), "--passphrase", "kept elsewhere"
    )
    assert backup.returncode == 0, backup.stderr

    assert server.run("doctor").returncode == 0


@pytest.mark.requirement("U08")
def test_a_backup_of_the_database_is_a_file_that_restores(
    server: InstallationProcess, email: str, place: Path
) -> None:
    add_account(server, email)

    done = server.run("db", "backup", str(place / "database.dump"))

    assert done.returncode == 0, done.stderr
    listing = subprocess.run(
        [str(binaries() / "pg_restore"), "--list", str(place / "database.dump")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "TABLE DATA public trust_audit_auditentry" in listing


@pytest.mark.parametrize("victim", ["granian", "postgres"])
def test_a_killed_part_comes_back_and_nothing_is_lost(
    server: InstallationProcess, email: str, victim: str
) -> None:
    assert add_account(server, email).returncode == 0
    for pid in processes_of(server, victim):
        with contextlib.suppress(ProcessLookupError):  # ended since it was listed
            os.kill(pid, signal.SIGKILL)

    until(lambda: is_greeted(server, email), f"{victim} to be back, with the account")
    assert server.run("audit", "verify").returncode == 0


def test_it_stops_by_itself_and_keeps_what_it_has(own_server: InstallationProcess, email: str) -> None:
    assert add_account(own_server, email).returncode == 0

    assert own_server.stop() == 0

    own_server.start()
    with sign_in(own_server, email) as client:
        assert "Good day, First Person" in client.get("/").text


def test_the_second_account_with_an_address_is_refused_in_one_line(
    server: InstallationProcess, email: str
) -> None:
    add_account(server, email)

    again = add_account(server, email)

    assert again.returncode == 1
    assert "already" in again.stderr
    assert "Traceback" not in again.stderr


def test_a_second_server_on_the_same_port_is_refused_in_one_line(
    server: InstallationProcess, place: Path
) -> None:
    second = InstallationProcess(place / "second", port=server.port)

    refused = second.run("up")

    assert refused.returncode == 1
    assert f"Port {server.port}" in refused.stderr
    assert "COLLEGIUM_PORT" in refused.stderr
    assert "Traceback" not in refused.stderr


def processes_of(server: InstallationProcess, name: str) -> list[int]:
    """Processes below the running server whose command holds `name`."""
    listing = subprocess.run(
        ["ps", "-ww", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True
    ).stdout
    children: dict[int, list[tuple[int, str]]] = {}
    for line in listing.splitlines()[1:]:
        pid, parent, command = line.split(None, 2)
        children.setdefault(int(parent), []).append((int(pid), command))
    found: list[int] = []
    todo = [server.pid]
    while todo:
        below = children.get(todo.pop(), [])
        todo += [number for number, _ in below]
        found += [number for number, command in below if name in command]
    assert found
    return found
