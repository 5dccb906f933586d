"""A clock that jumps, a disk that is full, a torn segment, a copied folder: nothing lost, nothing doubled."""

import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydicom import dcmread

from collegium_connect.actor import Actor, Role
from collegium_connect.clock import now
from collegium_connect.intake import Status
from collegium_connect.place import CopiedFolder, adopt
from collegium_connect.service import Gateway
from collegium_connect.settings import LimitSettings, Settings
from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.patience import PATIENCE_S

Until = Callable[..., None]
Start = Callable[..., Gateway]


def push(gateway: Gateway, folder: Path, *, slices: int = 2, seed: int = 1) -> list[int]:
    exam = phantoms.ct_exam(folder, slices=slices, size=64, seed=seed)
    return [item.status for item in pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")]


class Wall:
    """A clock that can be moved."""

    def __init__(self) -> None:
        self.moved = timedelta()

    def __call__(self) -> datetime:
        return now() + self.moved


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def moved(settings: Settings, start: Start, wall: Wall) -> Gateway:
    """A gateway whose clock can be moved."""
    start().stop()
    return start(settings, wall)


@pytest.mark.requirement("C14", "C17")
@pytest.mark.parametrize("days", [-400, 400])
def test_a_clock_that_jumps_neither_loses_nor_holds_up_an_exam(  # noqa: PLR0917 - fixtures
    moved: Gateway, wall: Wall, server: FakeServer, tmp_path: Path, until: Until, days: int
) -> None:
    server.channels = (replace(server.channels[0], quiet_time_s=2),)
    beats = len(server.heartbeats)
    until(lambda: len(server.heartbeats) > beats + 1)

    push(moved, tmp_path / "exam")
    wall.moved = timedelta(days=days)

    until(lambda: len(server.receipted) == 2)
    assert set(server.receipted.values()) == {1}


@pytest.mark.requirement("C16")
def test_a_clock_that_goes_back_does_not_hold_up_the_next_attempt(
    moved: Gateway, wall: Wall, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.token, token = "changed meanwhile", server.token
    push(moved, tmp_path / "exam")
    until(lambda: moved.status().totals.failures)

    wall.moved = timedelta(days=-400)
    server.token = token

    until(lambda: len(server.receipted) == 2)


@pytest.mark.requirement("C14")
def test_of_a_torn_segment_what_is_whole_is_delivered_and_the_rest_when_it_comes_again(
    settings: Settings, start: Start, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.channels = (replace(server.channels[0], quiet_time_s=3600),)
    gateway = start()
    push(gateway, tmp_path / "exam", slices=4)
    until(lambda: not gateway.inspection().waiting)
    gateway.stop()
    last = max((settings.gateway.data_dir / "spool").iterdir())
    os.truncate(last, record_end(last) - 10)

    server.channels = (replace(server.channels[0], quiet_time_s=1),)
    again = start()
    until(lambda: len(server.receipted) == 3)
    (lost,) = again.status().quarantine
    push(again, tmp_path / "exam", slices=4)

    until(lambda: len(server.receipted) == 4)
    assert (lost.reason_code, lost.objects) == ("connect.spool.damaged", 1)
    assert set(server.receipted.values()) == {1}
    assert again.status().quarantine == ()


@pytest.mark.requirement("C07", "C14")
def test_what_differs_only_in_what_is_removed_is_one_object_and_leaves_no_record_behind(
    settings: Settings, start: Start, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    gateway = start()
    push(gateway, tmp_path / "exam", slices=1)
    until(lambda: not gateway.inspection().waiting)
    (path,) = (tmp_path / "exam").rglob("*.dcm")
    dataset = dcmread(path)
    dataset.OperatorsName = "Somebody^Else"
    dataset.save_as(path, enforce_file_format=True)

    pacs.send([path], "127.0.0.1", gateway.receive_port, "TRIAL1")

    until(lambda: len(server.receipted) == 1)
    until(lambda: not list((settings.gateway.data_dir / "spool").iterdir()))
    assert set(server.receipted.values()) == {1}


def record_end(segment: Path) -> int:
    """Where the last record ends: room that was taken ahead holds zeros."""
    return len(segment.read_bytes().rstrip(b"\0"))


@pytest.mark.requirement("C14", "C19")
def test_a_copied_folder_does_not_start_until_somebody_says_that_it_is_the_only_one(
    settings: Settings, start: Start, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    gateway = start()
    push(gateway, tmp_path / "exam")
    until(lambda: len(server.receipted) == 2)
    gateway.stop()
    copy = replace(settings, gateway=replace(settings.gateway, data_dir=tmp_path / "copy"))
    shutil.copytree(settings.gateway.data_dir, copy.gateway.data_dir)

    with pytest.raises(CopiedFolder, match="journal adopt"):
        Gateway(copy)
    adopt(copy.gateway.data_dir)

    second = start(copy)
    push(second, tmp_path / "exam")
    push(second, tmp_path / "other", seed=2)
    until(lambda: len(server.receipted) == 4)
    assert {len(digests) for digests in server.archive.values()} == {1}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with room for 32 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if not sys.platform.startswith("linux") or os.geteuid() != 0 or mount is None:
        pytest.skip("only root can make a small file system")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=32m", "none", folder], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip("no small file system can be made here")
    yield folder
    subprocess.run([shutil.which("umount") or "umount", "-l", folder], check=True)


@pytest.mark.requirement("C14", "C24")
def test_a_full_disk_refuses_in_time_loses_nothing_and_goes_on_when_it_has_room(  # noqa: PLR0917 - fixtures
    settings: Settings, start: Start, server: FakeServer, small_disk: Path, tmp_path: Path, until: Until
) -> None:
    server.channels = (replace(server.channels[0], quiet_time_s=3600),)  # nothing leaves before it is full
    gateway = start(
        replace(
            settings,
            gateway=replace(settings.gateway, data_dir=small_disk / "gateway"),
            limits=LimitSettings(keep_free_bytes=2 << 20),
        )
    )
    ballast = small_disk / "ballast"
    free = shutil.disk_usage(small_disk).free
    ballast.write_bytes(bytes(free - (3 << 20)))

    statuses = push(gateway, tmp_path / "exam", slices=200)
    until(lambda: "The spool or its disk is full: senders are refused" in overview_of(gateway))
    ballast.unlink()
    server.channels = (replace(server.channels[0], quiet_time_s=1),)
    until(lambda: "disk is full" not in overview_of(gateway))
    again = push(gateway, tmp_path / "exam", slices=200)

    until(lambda: len(server.receipted) == 200)
    assert statuses[0] == Status.SUCCESS
    assert Status.OUT_OF_RESOURCES in statuses
    assert set(again) == {Status.SUCCESS}
    assert set(server.receipted.values()) == {1}


@pytest.fixture
def twins(settings: Settings, start: Start, server: FakeServer, tmp_path: Path) -> tuple[Gateway, Gateway]:
    """A gateway and a clone of it, which has the same enrolment, keys and links; both run."""
    (soon,) = server.channels
    server.channels = (replace(soon, quiet_time_s=3600),)
    first = start()
    push(first, tmp_path / "known", slices=1)
    first.stop()
    server.channels = (soon,)
    clone = replace(settings, gateway=replace(settings.gateway, data_dir=tmp_path / "clone"))
    shutil.copytree(settings.gateway.data_dir, clone.gateway.data_dir)
    adopt(clone.gateway.data_dir)  # stands for the clone of a whole disk, which cannot see that it is one
    assert server.archive == {}
    return start(), start(clone)


@pytest.mark.requirement("C14", "C19")
def test_two_gateways_with_one_enrolment_hold_everything_and_say_so(
    twins: tuple[Gateway, Gateway], server: FakeServer, tmp_path: Path, until: Until
) -> None:
    until(lambda: all("connect.gateway.shared" in codes_of(one) for one in twins))
    until(lambda: not any(one.sender.is_busy for one in twins))
    delivered = dict(server.receipted)

    statuses = [push(one, tmp_path / f"new-{at}", seed=10 + at) for at, one in enumerate(twins)]
    until(lambda: all(one.status().quarantine for one in twins))
    page = overview_of(twins[0])
    reasons = {line.reason for one in twins for line in one.status().quarantine}

    (waiting, *_) = twins[0].quarantine.objects()
    seen = twins[0].quarantine.look(Actor("Ona Operator", Role.OPERATOR), waiting.object_id)

    assert "Another gateway uses the enrolment of this one" in page
    assert seen.advice == "Switch one of the two gateways off; it goes on by itself."
    assert {word for answers in statuses for word in answers} == {Status.SUCCESS}
    assert [reason for reason in reasons if "Another gateway uses the enrolment" not in reason] == []
    assert dict(server.receipted) == delivered


@pytest.mark.requirement("C14", "C19")
def test_of_two_gateways_with_one_enrolment_the_one_that_is_left_delivers_what_it_holds(
    twins: tuple[Gateway, Gateway], server: FakeServer, tmp_path: Path, until: Until
) -> None:
    first, second = twins
    until(lambda: all("connect.gateway.shared" in codes_of(one) for one in twins))
    push(first, tmp_path / "new", seed=10)

    second.stop()
    beats = len(server.heartbeats)
    until(lambda: len(server.heartbeats) > beats + 1)
    server.is_shared = False  # as the server says after minutes without the other

    until(lambda: len(server.receipted) == 3)
    until(lambda: codes_of(first) == set() and first.status().quarantine == ())
    # What both had is in two receipts, and in the archive once.
    assert {len(set(digests)) for digests in server.archive.values()} == {1}


def codes_of(gateway: Gateway) -> set[str]:
    return {alarm.code for alarm in gateway.status().alarms}


def overview_of(gateway: Gateway) -> str:
    """What the local page says on its first view."""
    with urllib.request.urlopen(f"http://127.0.0.1:{gateway.local_port}/", timeout=PATIENCE_S) as answer:
        return str(answer.read().decode())
