"""An update and a real gateway: no association is cut, and the journal's form can go back."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from collegium_connect.journal.database import Journal
from collegium_connect.journal.schema import MIGRATIONS
from collegium_connect.peer import Peer, associated
from collegium_connect.service import Gateway, lease_folder
from collegium_connect.settings import Settings, load
from collegium_connect.updates.before import JournalBeforeUpdate
from collegium_connect.updates.history import note_version
from collegium_connect.updates.lease import LeaseFolder
from collegium_testkit import pacs
from collegium_testkit.gateways import GatewayProcess
from collegium_testkit.patience import PATIENCE_S


@pytest.mark.requirement("C23")
def test_a_gateway_lets_go_when_it_is_idle_and_refuses_for_that_moment(
    process: GatewayProcess, until: Callable[..., None]
) -> None:
    process.start()
    lease = lease_folder(load(process.config))
    until(lambda: is_granted(lease))

    with pytest.raises(pacs.AssociationRefused):
        pacs.echo("127.0.0.1", process.receive_port, "TRIAL1")
    until(lambda: is_granted(lease))
    lease.go()
    until(lambda: not process.is_running)

    assert "an update is being installed" in process.log_text
    assert lease.running() == ""


@pytest.mark.requirement("C23")
def test_while_a_pacs_is_in_nothing_is_granted(
    gateway: Gateway, settings: Settings, until: Callable[..., None]
) -> None:
    lease = lease_folder(settings)
    peer = Peer("127.0.0.1", gateway.receive_port, "TRIAL1", "TESTPACS", timeout_s=PATIENCE_S)

    def is_granted_now() -> bool:
        lease.ask()
        gateway._lease.look()
        return lease.is_granted()

    with associated(peer, [(pacs.VERIFICATION, None)]) as association:
        was_granted = is_granted_now()
    until(is_granted_now)

    assert association.is_released
    assert not was_granted


def is_granted(lease: LeaseFolder) -> bool:
    """Asked for again each time, as the updater does: an old question counts for nothing."""
    lease.ask()
    return lease.is_granted()


def form_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal.sqlite3"
    Journal(path).close()
    return path


def test_a_journal_of_an_older_form_is_copied_until_the_new_version_is_up(journal: Path) -> None:
    newer = JournalBeforeUpdate(journal, form=len(MIGRATIONS) + 1)

    newer.keep_or_bring_back()
    copies = [path.name for path in journal.parent.glob("*.form-*")]
    newer.forget()

    assert copies == [f"journal.sqlite3.form-{len(MIGRATIONS)}"]
    assert list(journal.parent.glob("*.form-*")) == []


def test_a_version_that_was_rolled_back_finds_its_journal_again(journal: Path) -> None:
    newer = JournalBeforeUpdate(journal, form=len(MIGRATIONS) + 1)
    newer.keep_or_bring_back()
    with closing(sqlite3.connect(journal)) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
        db.execute("DROP TABLE objects")
        db.commit()

    JournalBeforeUpdate(journal).keep_or_bring_back()

    assert form_of(journal) == len(MIGRATIONS)
    Journal(journal).close()


def test_without_a_copy_a_newer_journal_stays_as_it_is(journal: Path) -> None:
    with closing(sqlite3.connect(journal)) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")

    JournalBeforeUpdate(journal).keep_or_bring_back()

    assert form_of(journal) == len(MIGRATIONS) + 1


@pytest.mark.requirement("C28")
def test_the_log_says_when_another_version_takes_over(tmp_path: Path, log_file: Path) -> None:
    note_version(tmp_path, "0.1.0")
    note_version(tmp_path, "0.1.0")
    note_version(tmp_path, "0.2.0")

    lines = [json.loads(line) for line in log_file.read_text("utf-8").splitlines()]
    (event,) = [line for line in lines if line["event"] == "gateway.updated"]
    assert (event["before"], event["now"]) == ("0.1.0", "0.2.0")
