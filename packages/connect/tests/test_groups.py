"""What is set aside together is given up together: exactly what was shown, each object in the trail, or nothing."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import pytest

from collegium_connect import machine
from collegium_connect import settings as stored_settings
from collegium_connect.actor import CONSOLE, GATEWAY, Actor, NotAllowed, Role
from collegium_connect.cli.parts import local_parts
from collegium_connect.clock import now
from collegium_connect.journal.aside_groups import GroupKey
from collegium_connect.journal.database import Journal
from collegium_connect.journal.selected import NOT_NAMED, READ
from collegium_connect.keys import Secrets
from collegium_connect.quarantine import AsideGroups, Eraser, GroupChanged, NotSetAside, groups
from collegium_connect.reason import ReasonMissing
from collegium_connect.service import Gateway
from collegium_connect.settings import LimitSettings, Settings
from collegium_connect.spool import Stores
from collegium_connect.trail import Trail
from collegium_testkit import pacs, phantoms
from collegium_testkit.captures import captures
from collegium_testkit.channels import channel
from collegium_testkit.deciding import Site
from collegium_testkit.doors import CHANNEL
from collegium_testkit.export_manifests import export_manifest
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.gateways import GatewayProcess

Until = Callable[..., None]
ONA = Actor("Ona Operator", Role.OPERATOR)
ADA = Actor("Ada Admin", Role.ADMINISTRATOR)
WHY = "The trial has no use for them."
NOBODY_NAMED = GroupKey("ch-1", "exam-1", NOT_NAMED)


def send(port: int, *paths: Path) -> None:
    pacs.send(paths, "127.0.0.1", port, "TRIAL1")


def holds_bytes(data_dir: Path) -> bool:
    return any(any(path.read_bytes()) for path in (data_dir / "spool").glob("*.segment"))


class Known:
    """The channels of a gateway, without one."""

    def by_id(self, _channel_id: str) -> object:
        return CHANNEL


@dataclass
class Shelf:
    """A journal of objects that are set aside, without a gateway."""

    journal: Journal
    trail: Trail
    groups: AsideGroups

    def put(self, key: GroupKey, count: int, *, state: str = "held", reason: str = "Not named.") -> None:
        with self.journal.change() as db:
            (last,) = db.execute("SELECT coalesce(max(rowid), 0) FROM objects").fetchone()
            db.executemany(
                "INSERT INTO objects (object_id, channel_id, exam_id, state, is_clean, segment, offset,"
                " record_bytes, size_bytes, reason_code, reason, received_ms)"
                " VALUES (?1, ?2, ?3, ?4, 0, 'a', ?5, 10, 10, ?6, ?7, ?5)",
                [
                    (f"object-{number}", key.channel_id, key.exam_id or None, state, number,
                     key.reason_code, reason)
                    for number in range(last + 1, last + 1 + count)
                ],
            )  # fmt: skip

    def left(self) -> list[str]:
        with self.journal.look() as db:
            return [row["object_id"] for row in db.execute("SELECT object_id FROM objects ORDER BY rowid")]

    def to_erase(self) -> list[str]:
        with self.journal.look() as db:
            return [row["object_id"] for row in db.execute("SELECT object_id FROM erasures ORDER BY rowid")]

    def give_up(self, key: GroupKey = NOBODY_NAMED, actor: Actor = ONA) -> int:
        return self.groups.delete(actor, key, self.groups.show(key).shown, WHY)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    journal = Journal(tmp_path / "journal.sqlite3")
    trail = Trail(journal, Secrets(bytes(32)), now)
    with journal.change() as db:
        db.execute(
            "INSERT INTO scopes (scope_id, project_name, site_code, created_ms) VALUES (1, 'P', 'LG', 1)"
        )
        db.executemany(
            "INSERT INTO channels (channel_id, scope_id, setup, is_active, updated_ms) VALUES (?, 1, ?, 1, 1)",
            [("ch-1", channel().to_json()), ("ch-2", channel().to_json())],
        )
        db.executemany(
            "INSERT INTO exams (exam_id, channel_id, study_uid, subject_code, first_ms, last_ms)"
            " VALUES (?1, ?2, ?1, 'LG-001', 1, 1)",
            [("exam-1", "ch-1"), ("exam-2", "ch-1")],
        )
    known: object = Known()
    yield Shelf(
        journal,
        trail,
        AsideGroups(journal, known, trail, lambda _object_id: None),  # type: ignore[arg-type]  # a stand-in
    )
    journal.close()


@pytest.mark.requirement("C18")
def test_all_of_an_exam_that_waits_for_one_reason_is_given_up_in_one_act(
    site: Site, gateway: Gateway, settings: Settings, tmp_path: Path, until: Until
) -> None:
    send(gateway.receive_port, *captures(tmp_path / "exam", 3))
    until(lambda: [group.objects for group in site.groups.listed()] == [3])
    ids = {item.object_id for item in site.quarantine.objects()}
    (group,) = site.groups.listed()

    count = site.groups.delete(ONA, group.key, site.groups.show(group.key).shown, WHY)

    assert (count, site.quarantine.objects(), site.groups.listed()) == (3, [], [])
    lines = [line for line in site.trail.lines() if line.action == "quarantine.object.deleted"]
    assert {line.ref for line in lines} == ids
    assert {(line.actor, line.reason) for line in lines} == {(ONA.name, WHY)}
    assert all("code=deid.release" in line.detail and "together=3" in line.detail for line in lines)
    assert site.trail.verify().is_whole
    until(lambda: not holds_bytes(settings.gateway.data_dir))


@pytest.mark.requirement("C18")
def test_what_an_export_manifest_does_not_name_is_given_up_together(
    start: Callable[..., Gateway], server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.channels = (replace(channel(), selected_only=True),)
    gateway = start()
    until(lambda: all(setup.selected_only for setup in gateway.configuration.in_force()))
    exam = phantoms.ct_exam(tmp_path / "exam", slices=4, size=64)
    manifest = export_manifest(tmp_path / "manifest.dcm", [(exam, exam.files[:1])])
    send(gateway.receive_port, *exam.files, manifest)
    until(lambda: len(server.receipted) == 1)
    until(lambda: [group.objects for group in gateway.groups.listed(reason_code=NOT_NAMED)] == [3])
    (group,) = gateway.groups.listed(reason_code=NOT_NAMED)

    gateway.groups.delete(ONA, group.key, gateway.groups.show(group.key).shown, WHY)

    assert [item.reason_code for item in gateway.quarantine.objects()] == [READ]
    assert set(server.receipted.values()) == {1}


@pytest.mark.requirement("C18")
def test_what_comes_between_showing_and_confirming_is_not_deleted(
    site: Site, gateway: Gateway, tmp_path: Path, until: Until
) -> None:
    files = captures(tmp_path / "exam", 3)
    send(gateway.receive_port, *files[:2])
    until(lambda: [group.objects for group in site.groups.listed()] == [2])
    (group,) = site.groups.listed()
    shown = site.groups.show(group.key)

    send(gateway.receive_port, files[2])
    until(lambda: [group.objects for group in site.groups.listed()] == [3])
    with pytest.raises(GroupChanged):
        site.groups.delete(ONA, group.key, shown.shown, WHY)

    assert len(site.quarantine.objects()) == 3
    assert "quarantine.object.deleted" not in {line.action for line in site.trail.lines()}


def test_what_another_person_took_away_meanwhile_is_told(shelf: Shelf) -> None:
    shelf.put(NOBODY_NAMED, 3)
    shown = shelf.groups.show(NOBODY_NAMED)
    with shelf.journal.change() as db:
        db.execute("UPDATE objects SET state = 'received' WHERE object_id = 'object-2'")

    with pytest.raises(GroupChanged):
        shelf.groups.delete(ONA, NOBODY_NAMED, shown.shown, WHY)

    assert len(shelf.left()) == 3


def test_only_this_exam_this_reason_and_what_is_set_aside_goes(shelf: Shelf) -> None:
    shelf.put(NOBODY_NAMED, 2)
    shelf.put(GroupKey("ch-1", "exam-2", NOT_NAMED), 2)
    shelf.put(GroupKey("ch-1", "exam-1", "deid.release"), 2, state="quarantined")
    shelf.put(GroupKey("ch-1", "exam-1", ""), 2, state="waiting")

    count = shelf.give_up()

    assert (count, shelf.left()) == (2, [f"object-{number}" for number in range(3, 9)])
    assert shelf.to_erase() == ["object-1", "object-2"]


def test_what_has_no_known_exam_is_one_group_of_its_channel(shelf: Shelf) -> None:
    here, there = GroupKey("ch-1", "", "deid.patient_id"), GroupKey("ch-2", "", "deid.patient_id")
    shelf.put(here, 3, state="quarantined")
    shelf.put(there, 2, state="quarantined")

    count = shelf.give_up(here)

    assert (count, shelf.left()) == (3, ["object-4", "object-5"])
    assert [group.key for group in shelf.groups.listed()] == [there]


def test_the_largest_groups_come_first_and_single_objects_are_none(shelf: Shelf) -> None:
    shelf.put(GroupKey("ch-1", "exam-1", "deid.release"), 1, state="quarantined")
    shelf.put(NOBODY_NAMED, 2)
    shelf.put(GroupKey("ch-1", "exam-2", NOT_NAMED), 3)

    listed = shelf.groups.listed()

    assert [(group.key.exam_id, group.objects) for group in listed] == [("exam-2", 3), ("exam-1", 2)]


def test_words_that_differ_are_told(shelf: Shelf) -> None:
    shelf.put(NOBODY_NAMED, 1, reason="One.")
    shelf.put(NOBODY_NAMED, 1, reason="Two.")

    (group,) = shelf.groups.listed()

    assert not group.is_worded_alike


def test_of_very_many_the_oldest_go_first(shelf: Shelf) -> None:
    shelf.put(NOBODY_NAMED, 5)
    with patch.object(groups, "MOST", 3):
        shown = shelf.groups.show(NOBODY_NAMED)
        shelf.put(NOBODY_NAMED, 1)

        count = shelf.groups.delete(ONA, NOBODY_NAMED, shown.shown, WHY)

    assert (shown.objects, shown.group.objects, count) == (3, 5, 3)
    assert shelf.left() == ["object-4", "object-5", "object-6"]


@pytest.mark.parametrize("actor", [ONA, ADA])
def test_a_named_person_of_either_role_may(shelf: Shelf, actor: Actor) -> None:
    shelf.put(NOBODY_NAMED, 2)

    shelf.give_up(actor=actor)

    assert shelf.left() == []


@pytest.mark.parametrize("actor", [CONSOLE, GATEWAY])
def test_nobody_unnamed_may(shelf: Shelf, actor: Actor) -> None:
    shelf.put(NOBODY_NAMED, 2)

    with pytest.raises(NotAllowed):
        shelf.give_up(actor=actor)

    assert len(shelf.left()) == 2


def test_a_reason_is_needed(shelf: Shelf) -> None:
    shelf.put(NOBODY_NAMED, 2)

    with pytest.raises(ReasonMissing):
        shelf.groups.delete(ONA, NOBODY_NAMED, shelf.groups.show(NOBODY_NAMED).shown, "ok")

    assert len(shelf.left()) == 2


def test_a_group_is_given_up_once(shelf: Shelf) -> None:
    shelf.put(NOBODY_NAMED, 2)
    shown = shelf.groups.show(NOBODY_NAMED).shown
    shelf.groups.delete(ONA, NOBODY_NAMED, shown, WHY)

    with pytest.raises(NotSetAside):
        shelf.groups.delete(ONA, NOBODY_NAMED, shown, WHY)

    assert len(shelf.trail.lines()) == 2


def test_a_fault_in_the_middle_leaves_all_of_them(shelf: Shelf) -> None:
    shelf.put(NOBODY_NAMED, 3)

    with (
        patch.object(Trail, "note_each", side_effect=OSError("the disk is full")),
        pytest.raises(OSError, match="full"),
    ):
        shelf.give_up()

    assert (len(shelf.left()), shelf.to_erase(), shelf.trail.lines()) == (3, [], [])


@pytest.fixture
def deleted(shelf: Shelf, tmp_path: Path) -> Stores:
    """The records of three objects that somebody deleted, and that lie in one segment."""
    stores = Stores.below(tmp_path / "gateway", LimitSettings(keep_free_bytes=0), bytes(32))
    kept = [stores.keep_sealed(f"object-{number}", b"{}", bytes([65 + number]) * 500) for number in range(3)]
    stores.segments.sync({one.place.segment for one in kept})
    with shelf.journal.change() as db:
        db.executemany(
            "INSERT INTO erasures (object_id, segment, offset, record_bytes) VALUES (?, ?, ?, ?)",
            [
                (f"object-{number}", one.place.segment, one.place.offset, one.record_bytes)
                for number, one in enumerate(kept)
            ],
        )
    return stores


def test_what_was_deleted_together_is_overwritten_with_one_sync(
    shelf: Shelf, deleted: Stores, tmp_path: Path
) -> None:
    with patch.object(type(machine.HERE), "sync_data", autospec=True) as sync:
        Eraser(shelf.journal, deleted).clear()

    assert sync.call_count == 1
    assert shelf.to_erase() == []
    assert not holds_bytes(tmp_path / "gateway")


def test_what_could_not_be_synced_is_overwritten_again(shelf: Shelf, deleted: Stores, tmp_path: Path) -> None:
    eraser = Eraser(shelf.journal, deleted)
    with (
        patch.object(type(machine.HERE), "sync_data", side_effect=OSError("the disk is away")),
        pytest.raises(OSError, match="away"),
    ):
        eraser.clear()
    left = shelf.to_erase()

    eraser.clear()

    assert left == ["object-0", "object-1", "object-2"]
    assert shelf.to_erase() == []
    assert not holds_bytes(tmp_path / "gateway")


# The rows are gone and part of the trail is made; nothing is committed.
DIE_IN_THE_MIDDLE = """
import os, sys
from pathlib import Path
from collegium_connect import settings
from collegium_connect.actor import Actor, Role
from collegium_connect.cli.parts import local_parts
from collegium_connect.trail import Trail

Trail._sealed = lambda _trail, seq, _reason: os._exit(9) if seq > 2 else b""
with local_parts(settings.load(Path(sys.argv[1]))) as parts:
    (group,) = parts.groups.listed()
    shown = parts.groups.show(group.key).shown
    parts.groups.delete(Actor("Ona", Role.OPERATOR), group.key, shown, "Killed in the middle.")
"""


@pytest.mark.requirement("C14", "C18")
def test_a_deletion_that_is_killed_is_whole_or_has_not_been(
    process: GatewayProcess, tmp_path: Path, until: Until
) -> None:
    process.start()
    send(process.receive_port, *captures(tmp_path / "exam", 4))
    with local_parts(stored_settings.load(process.config)) as parts:
        until(lambda: [group.objects for group in parts.groups.listed()] == [4])
        killed = subprocess.run([sys.executable, "-c", DIE_IN_THE_MIDDLE, process.config], check=False)
        (after,) = parts.groups.listed()
        entries = [line.action for line in parts.trail.lines()]
        process.kill()

        parts.groups.delete(ONA, after.key, parts.groups.show(after.key).shown, WHY)
        is_erased = not holds_bytes(process.data_dir)
        process.start()
        until(lambda: not holds_bytes(process.data_dir))

        assert (killed.returncode, after.objects, is_erased) == (9, 4, False)
        assert "quarantine.object.deleted" not in entries
        assert (parts.groups.listed(), parts.trail.verify().is_whole) == ([], True)
    process.stop()
