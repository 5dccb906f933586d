"""The embedded database: starts, adopts, survives being killed, and loses nothing it acknowledged."""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from collegium.kit.postgres import DatabaseNotStarted, EmbeddedPostgres, prepare
from collegium_testkit.patience import until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder the database's own account can reach; pytest's are closed to it."""
    path = Path(tempfile.mkdtemp(prefix="collegium-pg-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def test_a_first_start_makes_both_roles_and_a_second_keeps_the_data(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server, psycopg.connect(server.addresses.owner) as connection:
        connection.execute("create table kept (n int)")

    with EmbeddedPostgres(folder) as server:
        with psycopg.connect(server.addresses.app) as connection:
            assert connection.execute("select count(*) from kept").fetchone() == (0,)
            assert connection.execute("show data_checksums").fetchone() == ("on",)
            assert connection.execute("show listen_addresses").fetchone() == ("",)
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            psycopg.connect(server.addresses.app) as connection,
        ):
            connection.execute("create table mine (n int)")


def test_killed_under_load_it_loses_nothing_it_acknowledged(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    url = server.addresses.app
    with psycopg.connect(server.addresses.owner) as connection:
        connection.execute("create table load (writer int, n int)")
    acknowledged: list[tuple[int, int]] = []

    def write(writer: int) -> None:
        n = 0
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                while True:
                    connection.execute("insert into load values (%s, %s)", [writer, n])
                    acknowledged.append((writer, n))
                    n += 1
        except psycopg.Error:
            return

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in writers:
        thread.start()
    until(lambda: len(acknowledged) > 100)
    server.kill()
    for thread in writers:
        thread.join()

    with EmbeddedPostgres(folder) as again, psycopg.connect(again.addresses.app) as connection:
        kept = set(connection.execute("select writer, n from load").fetchall())
    assert set(acknowledged) <= kept
    assert len(kept) - len(acknowledged) <= len(writers)


def test_a_server_left_running_is_adopted(folder: Path) -> None:
    with EmbeddedPostgres(folder) as first:
        second = EmbeddedPostgres(folder)

        assert second.start() == first.addresses
        second.stop()

        with psycopg.connect(first.addresses.app) as connection:
            assert connection.execute("select 1").fetchone() == (1,)


def test_a_folder_never_started_says_so(folder: Path) -> None:
    with pytest.raises(DatabaseNotStarted, match="never started"):
        _ = EmbeddedPostgres(folder).addresses


def test_preparing_again_changes_nothing_but_the_password(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        prepare(server.addresses.owner, "new-password")

        changed = psycopg.conninfo.make_conninfo(server.addresses.app, password="new-password")
        with psycopg.connect(changed) as connection:
            assert connection.execute("select current_user").fetchone() == ("collegium_app",)


def test_the_addresses_are_private(folder: Path) -> None:
    with EmbeddedPostgres(folder):
        kept = next(folder.rglob("addresses.json"))
        assert kept.stat().st_mode & 0o077 == 0
