"""A damaged journal: told in words, put aside, and made again from its copy and the segments."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from collegium_connect.clock import now
from collegium_connect.errors import JournalDamaged
from collegium_connect.folders import copies_path, journal_path
from collegium_connect.intake import Status
from collegium_connect.journal import objects, subjects
from collegium_connect.journal.backups import Backups, copies_in, keep_copy, newest_good
from collegium_connect.journal.database import Journal
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.rebuild import CannotRebuild, Rebuilt, rebuild
from collegium_connect.recover import Scrub
from collegium_connect.service import Gateway
from collegium_connect.settings import LimitSettings, Settings
from collegium_connect.spool import Stores
from collegium_connect.spool.scan import records_of
from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import FakeServer, Fault
from collegium_testkit.patience import PATIENCE_S

Until = Callable[..., None]
Start = Callable[..., Gateway]


@pytest.fixture
def patient(server: FakeServer) -> None:
    """Exams stay open, so that nothing is sent before a test says so."""
    server.channels = (replace(server.channels[0], quiet_time_s=3600),)


def push(gateway: Gateway, folder: Path, *, slices: int = 3, seed: int = 1) -> None:
    exam = phantoms.ct_exam(folder, slices=slices, size=64, seed=seed)
    sent = pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")
    assert {item.status for item in sent} == {Status.SUCCESS}


def spoil(path: Path) -> None:
    """Overwrite the file from its first page's end on, as a failing disk does."""
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    spoil_in_place(path)


def rebuilt(settings: Settings) -> Rebuilt:
    folder = settings.gateway.data_dir
    secrets = load_secrets(KeyFolder(folder / "keys"))
    stores = Stores.below(folder, settings.limits, secrets.sealing)
    return rebuild(journal_path(settings), copies_path(settings), stores, secrets, now)


def codes(settings: Settings) -> list[str]:
    journal = Journal(journal_path(settings))
    try:
        with journal.look() as db:
            return [
                link.code
                for scope in subjects.scopes(db)
                for link in subjects.listed(db, scope.scope_id, "", None)
            ]
    finally:
        journal.close()


def waiting(gateway: Gateway) -> int:
    return gateway.status().totals.queue_objects


@pytest.mark.requirement("C14")
@pytest.mark.usefixtures("patient")
def test_a_damaged_journal_is_made_again_and_every_object_is_delivered_once(
    settings: Settings, start: Start, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    gateway = start()
    push(gateway, tmp_path / "before", seed=1)
    until(copies_in(copies_path(settings))[0].exists)
    push(gateway, tmp_path / "after", seed=2)
    gateway.stop()
    spoil(journal_path(settings))

    with pytest.raises(JournalDamaged, match="journal rebuild"):
        start()
    done = rebuilt(settings)

    server.channels = (replace(server.channels[0], quiet_time_s=1),)
    start()
    until(lambda: len(server.receipted) == 6)
    assert done.kept + done.added == 6
    assert done.missing == 0
    assert done.damaged.exists()
    assert set(server.receipted.values()) == {1}
    assert sorted(item.manifest.subject_code for item in server.deliveries.values()) == ["LG-001", "LG-002"]


@pytest.mark.requirement("C07", "C19")
@pytest.mark.usefixtures("patient")
def test_a_link_that_the_copy_lacks_is_read_from_the_sealed_header(
    settings: Settings, start: Start, tmp_path: Path
) -> None:
    gateway = start()
    keep(settings, "an old copy")
    push(gateway, tmp_path / "exam", seed=1)
    push(gateway, tmp_path / "other", seed=2)
    before = codes(settings)
    gateway.stop()
    keep(settings, "put back")
    spoil(journal_path(settings))

    done = rebuilt(settings)

    assert (done.added, done.links) == (6, 2)
    assert codes(settings) == before == ["LG-001", "LG-002"]
    again = start()
    push(again, tmp_path / "follow-up", seed=1)
    assert codes(settings) == before
    assert waiting(again) == 6


def keep(settings: Settings, when: str) -> None:
    """Make a copy aside, or put it in the place of the newest."""
    aside, newest = settings.gateway.data_dir / "aside", copies_in(copies_path(settings))[0]
    if when == "an old copy":
        journal = Journal(journal_path(settings))
        try:
            journal.copy_to(aside)
        finally:
            journal.close()
    else:
        newest.parent.mkdir(exist_ok=True)
        aside.replace(newest)


@pytest.mark.usefixtures("patient")
def test_what_was_delivered_since_the_copy_is_not_made_up_again(
    settings: Settings, start: Start, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    gateway = start()
    push(gateway, tmp_path / "exam")
    until(copies_in(copies_path(settings))[0].exists)
    keep(settings, "an old copy")
    server.channels = (replace(server.channels[0], quiet_time_s=1),)
    until(lambda: len(server.receipted) == 3)
    gateway.stop()
    keep(settings, "put back")
    spoil(journal_path(settings))

    done = rebuilt(settings)

    assert (done.kept, done.added, done.missing) == (0, 0, 3)
    assert set(server.receipted.values()) == {1}


def test_what_the_server_has_already_is_delivered_though_its_record_is_gone(
    settings: Settings, start: Start, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.faults.append(Fault("complete", "cut_before", times=1000))
    gateway = start()
    push(gateway, tmp_path / "exam")
    until(lambda: gateway.status().totals.failures)
    gateway.stop()
    shutil.rmtree(settings.gateway.data_dir / "spool")

    server.faults.clear()
    again = start()

    until(lambda: len(server.receipted) == 3)
    until(lambda: [line.state for line in again.status().exams] == ["delivered"])
    assert again.status().quarantine == ()


@pytest.mark.usefixtures("patient")
def test_an_object_that_is_missing_is_mended_when_it_is_sent_again(
    settings: Settings, start: Start, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    gateway = start()
    push(gateway, tmp_path / "exam")
    until(lambda: not gateway.inspection().waiting)
    gateway.stop()
    for segment in (settings.gateway.data_dir / "spool").iterdir():
        segment.unlink()

    again = start()
    lost = waiting(again)
    push(again, tmp_path / "exam")

    assert lost == 0
    assert waiting(again) == 3
    server.channels = (replace(server.channels[0], quiet_time_s=1),)
    until(lambda: len(server.receipted) == 3)


@pytest.mark.usefixtures("patient")
def test_a_record_that_rots_on_the_disk_is_found_while_the_gateway_runs(
    start: Start, tmp_path: Path, until: Until
) -> None:
    gateway = start()
    push(gateway, tmp_path / "exam")
    until(lambda: not gateway.inspection().waiting)
    with gateway._journal.look() as db:
        rotten = objects.live_records(db)[1]
    gateway._stores.segments.fill(rotten.place, [b"rot"])

    Scrub(gateway._journal, gateway._stores).run_once()

    (line,) = gateway.status().quarantine
    assert (line.reason_code, line.objects) == ("connect.spool.damaged", 1)
    assert waiting(gateway) == 2


@pytest.mark.requirement("C14")
@pytest.mark.usefixtures("patient")
def test_a_page_damaged_while_the_gateway_runs_closes_the_door_is_told_and_costs_nothing(  # noqa: PLR0917 - fixtures
    settings: Settings, start: Start, server: FakeServer, log_file: Path, tmp_path: Path, until: Until
) -> None:
    gateway = start()
    push(gateway, tmp_path / "exam")
    until(lambda: not gateway.inspection().waiting)
    until(copies_in(copies_path(settings))[0].exists)
    with gateway._journal._write_lock:
        gateway._journal._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        spoil_in_place(journal_path(settings))

    until(lambda: gateway._journal.is_damaged)
    with pytest.raises(pacs.AssociationRefused):
        push(gateway, tmp_path / "more", seed=2)
    page = httpx.get(f"http://127.0.0.1:{gateway.local_port}/", follow_redirects=True, timeout=PATIENCE_S)
    gateway.stop()
    done = rebuilt(settings)

    assert "out of resources" in log_file.read_text("utf-8")
    assert "The journal is damaged" in page.text
    assert done.missing == 0
    server.channels = (replace(server.channels[0], quiet_time_s=1),)
    push(start(), tmp_path / "more", seed=2)
    until(lambda: len(server.receipted) == 6)
    assert set(server.receipted.values()) == {1}


def spoil_in_place(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))


def test_without_a_copy_nothing_is_changed(settings: Settings, start: Start) -> None:
    gateway = start()
    gateway.stop()
    for copy in copies_in(copies_path(settings)):
        copy.unlink(missing_ok=True)
    spoil(journal_path(settings))
    before = journal_path(settings).read_bytes()

    with pytest.raises(CannotRebuild):
        rebuilt(settings)

    assert journal_path(settings).read_bytes() == before


def test_a_copy_is_made_when_a_link_is_new_and_else_once_an_hour(tmp_path: Path) -> None:
    journal, at = Journal(tmp_path / "journal.sqlite3"), [0.0]
    backups = Backups(journal, tmp_path / "copies", lambda: at[0])

    made = [backups.run_once()]
    made.append(backups.run_once())
    with journal.change() as db:
        db.execute("INSERT INTO scopes (project_name, site_code, created_ms) VALUES ('P', 'S', 1)")
        db.execute("INSERT INTO subjects VALUES (1, x'00', x'00', 1, 'S-001', 1)")
    made += [backups.run_once(), backups.run_once()]
    at[0] += 3601
    made.append(backups.run_once())
    journal.close()

    assert made == [True, False, True, False, True]


def test_a_damaged_copy_is_passed_over_for_the_one_before(tmp_path: Path) -> None:
    journal, folder = Journal(tmp_path / "journal.sqlite3"), tmp_path / "copies"
    for _ in range(2):
        keep_copy(journal, folder)
    journal.close()
    newest, before = copies_in(folder)
    spoil(newest)

    assert newest_good(folder) == before


def test_records_are_found_behind_a_hole_and_a_torn_write(tmp_path: Path) -> None:
    stores = Stores.below(tmp_path, LimitSettings(keep_free_bytes=0), bytes(32))
    kept = [stores.keep_sealed(f"object-{number}", b"{}", bytes(50_000)) for number in range(4)]
    stores.forget(kept[0].place)
    path = tmp_path / "spool" / f"{kept[2].place.segment}.segment"
    with path.open("r+b") as file:
        file.seek(kept[2].place.offset + 20)
        file.write(b"torn")

    found = [item.place for item in records_of(stores.segments, kept[0].place.segment)]

    assert found == [kept[1].place, kept[3].place]
