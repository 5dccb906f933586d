"""The journal, the group commit, the seals and the keys: what they promise on their own."""

import hashlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from collegium_connect.clock import now
from collegium_connect.errors import JournalDamaged, JournalTooNew, KeyUnusable, SealBroken
from collegium_connect.journal.database import GroupCommit, Journal
from collegium_connect.keys import KeyFolder, Secrets, load_secrets
from collegium_connect.links import LinkTable
from collegium_connect.sealed import seal, unseal
from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_testkit.fake_server import FakeServer

KEY = bytes(range(32))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "journal.sqlite3")
    yield opened
    opened.close()


def test_a_change_that_fails_leaves_nothing(journal: Journal) -> None:
    with pytest.raises(sqlite3.Error), journal.change() as db:
        db.execute("INSERT INTO scopes (project_name, site_code, created_ms) VALUES ('P', 'S', 1)")
        db.execute("INSERT INTO nowhere VALUES (1)")

    with journal.look() as db:
        assert db.execute("SELECT count(*) FROM scopes").fetchone()[0] == 0


def test_the_journal_is_as_durable_as_sqlite_can_be(journal: Journal) -> None:
    with journal.change() as db:
        pragmas = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]

    assert pragmas == ["wal", 2]


def test_who_reads_waits_for_nobody_who_reads_or_writes(journal: Journal) -> None:
    with journal.change() as db:
        db.execute("INSERT INTO scopes (project_name, site_code, created_ms) VALUES ('P', 'S', 1)")
        with journal.look() as first, journal.look() as second:
            seen = [reader.execute("SELECT count(*) FROM scopes").fetchone()[0] for reader in (first, second)]

    assert seen == [0, 0]


def test_a_damaged_page_is_told_as_such_and_remembered(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    first = Journal(path)
    with first.change() as db:
        db.executemany(
            "INSERT INTO scopes (project_name, site_code, created_ms) VALUES (?, ?, 1)",
            [(f"P{number}", "S" * 2000) for number in range(100)],
        )
    first.close()
    spoil_pages(path)
    journal = Journal(path)

    with pytest.raises(JournalDamaged, match="journal rebuild"):
        journal.check()
    journal.close()

    assert journal.is_damaged


def spoil_pages(path: Path) -> None:
    """Overwrite the file from its middle on, as a failing disk does."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xa5" * (size // 2))


def test_a_journal_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    Journal(path).close()
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA user_version = 999")
    raw.close()

    with pytest.raises(JournalTooNew):
        Journal(path)


def test_many_threads_share_commits_and_each_gets_its_own_answer(until: Callable[..., None]) -> None:
    groups: list[int] = []
    gate = threading.Event()

    def apply(items: list[int]) -> list[int]:
        groups.append(len(items))
        gate.wait()
        return [item * 10 for item in items]

    commits: GroupCommit[int, int] = GroupCommit(apply)
    answers: dict[int, int] = {}
    threads = [threading.Thread(target=lambda n=n: answers.update({n: commits.submit(n)})) for n in range(20)]
    for thread in threads:
        thread.start()
    until(lambda: sum(groups) + len(commits._pending) == 20)  # all but those of the first group
    gate.set()
    for thread in threads:
        thread.join()

    assert answers == {number: number * 10 for number in range(20)}
    assert sum(groups) == 20
    assert len(groups) < 20


def test_a_commit_that_fails_fails_for_all_who_waited() -> None:
    def apply(_items: list[int]) -> list[int]:
        raise OSError("no space")

    commits: GroupCommit[int, int] = GroupCommit(apply)

    with pytest.raises(OSError, match="no space"):
        commits.submit(1)


@pytest.mark.parametrize("size", [0, 1, 4 << 20, (4 << 20) + 1])
def test_what_is_sealed_opens_again(size: int) -> None:
    data = os.urandom(size)

    sealed = b"".join(seal(KEY, "object-1", data))

    assert unseal(KEY, "object-1", sealed) == data
    # A byte or two occur in any sealed text by chance.
    assert size < 16 or data[:64] not in sealed[17:]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda sealed: sealed[:-1],
        lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]),
        lambda sealed: sealed + b"x",
        lambda sealed: sealed[:5],
        lambda sealed: b"CLGS2" + sealed[5:],
        lambda sealed: sealed[: 5 + 16 + (4 << 20) + 16],
    ],
)
def test_a_seal_shows_every_change(spoil: Callable[[bytes], bytes]) -> None:
    sealed = b"".join(seal(KEY, "object-1", bytes(5 << 20)))

    with pytest.raises(SealBroken):
        unseal(KEY, "object-1", spoil(sealed))


def test_a_seal_belongs_to_its_object_and_key() -> None:
    sealed = b"".join(seal(KEY, "object-1", b"identity"))

    with pytest.raises(SealBroken):
        unseal(KEY, "object-2", sealed)
    with pytest.raises(SealBroken):
        unseal(bytes(32), "object-1", sealed)


def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    keys = KeyFolder(tmp_path / "keys")

    first = keys.make("site-0001")

    assert keys.make("site-0001") == first
    assert (tmp_path / "keys" / "site-0001.key").stat().st_mode & 0o777 == 0o600


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    keys = KeyFolder(tmp_path)
    keys.make("quarantine")
    (tmp_path / "quarantine.key").chmod(0o644)

    with pytest.raises(KeyUnusable, match="0600"):
        load_secrets(keys)


@pytest.mark.requirement("C07")
@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(bytes(32))])
def test_a_lost_or_changed_site_key_closes_its_channel_instead_of_splitting_follow_ups(
    start: Callable[..., Gateway], settings: Settings, spoil: Callable[[Path], object]
) -> None:
    start().stop()
    spoil(settings.gateway.data_dir / "keys" / "site-0001.key")

    gateway = start()

    (line,) = gateway.status().channels
    assert "Restore its backup" in line.problem or "Restore it from its backup" in line.problem


def test_a_recipe_that_cannot_be_read_closes_its_channel_only(
    start: Callable[..., Gateway], server: FakeServer
) -> None:
    (good,) = server.channels
    text = "name: [broken"
    bad = replace(
        good,
        channel_id="ch-2",
        called_ae="TRIAL2",
        recipe_yaml=text,
        recipe_digest=hashlib.sha256(text.encode()).hexdigest(),
    )
    server.channels = (good, bad)
    gateway = start()

    problems = {line.setup.called_ae: bool(line.problem) for line in gateway.status().channels}

    assert problems == {"TRIAL1": False, "TRIAL2": True}


@pytest.mark.requirement("C19")
def test_the_link_table_holds_no_local_id_in_clear(journal: Journal, tmp_path: Path) -> None:
    with journal.change() as db:
        db.execute("INSERT INTO scopes (project_name, site_code, created_ms) VALUES ('P', 'S', 1)")
    links = LinkTable(journal, Secrets(KEY), now)

    codes = [links.code_for(1, "LG", local_id) for local_id in ("MRN-88421", "MRN-88422", "MRN-88421")]

    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert codes == ["LG-001", "LG-002", "LG-001"]
    assert b"MRN-88421" not in content


@pytest.mark.requirement("C19")
def test_many_threads_give_one_patient_one_code(journal: Journal) -> None:
    with journal.change() as db:
        db.execute("INSERT INTO scopes (project_name, site_code, created_ms) VALUES ('P', 'S', 1)")
    links = LinkTable(journal, Secrets(KEY), now)
    codes: list[str] = []

    threads = [
        threading.Thread(target=lambda n=n: codes.append(links.code_for(1, "LG", f"ID{n % 4}")))
        for n in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(set(codes)) == ["LG-001", "LG-002", "LG-003", "LG-004"]
