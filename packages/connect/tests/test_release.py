"""People and the quarantine: nothing leaves without somebody who looked at it, and nobody decides unnamed."""

import contextlib
import hashlib
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from pydicom import dcmread

from collegium_connect.actor import CONSOLE, Actor, NotAllowed, Role
from collegium_connect.journal import aside, channels
from collegium_connect.journal.aside import AsideObject
from collegium_connect.journal.objects import State
from collegium_connect.quarantine import (
    LookNeeded,
    NotSetAside,
    ReasonMissing,
    TooLate,
)
from collegium_connect.reason import checked
from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_deid import load_recipe
from collegium_testkit import pacs, phantoms, wordy
from collegium_testkit.captures import as_capture, captures
from collegium_testkit.deciding import Site
from collegium_testkit.fake_server import FakeServer
from collegium_wire import Allocation

Until = Callable[..., None]
ONA = Actor("Ona Operator", Role.OPERATOR)
ADA = Actor("Ada Admin", Role.ADMINISTRATOR)
WHY = "I looked at the picture."


def without_patient(path: Path) -> Path:
    dataset = dcmread(path)
    dataset.PatientID = ""
    dataset.save_as(path, enforce_file_format=True)
    return path


def send(gateway: Gateway, *paths: Path) -> list[int]:
    return [item.status for item in pacs.send(paths, "127.0.0.1", gateway.receive_port, "TRIAL1")]


@pytest.fixture
def waiting(gateway: Gateway, tmp_path: Path) -> Path:
    """The one object of the quarantine: a capture that waits for a person."""
    (path,) = captures(tmp_path)
    send(gateway, path)
    return path


@pytest.mark.requirement("C13", "C18")
def test_a_person_looks_and_releases_and_the_object_is_delivered(
    site: Site, waiting: Path, server: FakeServer, until: Until
) -> None:
    seen = site.quarantine.look(ONA, site.only(), boxes=((0, 0, 16, 16),))
    site.quarantine.release(ONA, seen.look_id, WHY)
    until(lambda: len(server.receipted) == 1)

    assert seen.local_id == str(dcmread(waiting).PatientID)
    assert seen.view.before.startswith(b"\x89PNG")
    assert seen.view.after != seen.view.before
    assert [hashlib.sha256(data).hexdigest() for data in server.objects] == [seen.view.sha256]
    assert site.quarantine.objects() == []


@pytest.mark.requirement("C20")
def test_a_look_shows_every_attribute_before_and_after(site: Site, waiting: Path) -> None:
    seen = site.quarantine.look(ONA, site.only())

    rows = {row.name: row for row in seen.view.attributes}
    name = rows["PatientName"]
    assert (name.before, name.after) == (str(dcmread(waiting).PatientName), "LG-001")
    assert rows["Rows"].before == rows["Rows"].after == "64"


@pytest.mark.requirement("C13", "C18")
def test_what_of_an_exam_waits_is_seen_and_released_at_once(
    site: Site, gateway: Gateway, tmp_path: Path, server: FakeServer, until: Until
) -> None:
    exam = phantoms.ct_exam(tmp_path, slices=3, size=64)
    send(gateway, *map(as_capture, exam.files))
    (line,) = gateway.status().exams

    seen = site.quarantine.look_at_exam(ONA, line.exam_id, boxes=((0, 0, 8, 8),))
    site.quarantine.release_all(ONA, [item.look_id for item in seen], WHY)
    until(lambda: len(server.receipted) == 3)

    assert line.reason == "In quarantine: 3."
    assert {item.object.subject_code for item in seen} == {"LG-001"}
    assert len(server.deliveries) == 1


@pytest.mark.requirement("C18")
def test_every_act_is_in_the_trail_with_person_and_reason(site: Site, waiting: Path) -> None:
    assert waiting.exists()
    object_id = site.only()
    seen = site.quarantine.look(ONA, object_id)
    site.quarantine.release(ONA, seen.look_id, WHY)

    lines = site.quarantine.history(object_id)

    assert [(line.actor, line.action, line.reason) for line in lines] == [
        ("Ona Operator", "quarantine.object.released", WHY),
        ("Ona Operator", "quarantine.object.seen", ""),
    ]
    assert site.trail.verify().is_whole


@pytest.mark.requirement("C03", "C19")
def test_looking_and_deciding_leaves_no_identity_on_the_disk_in_the_log_or_with_the_server(
    site: Site, gateway: Gateway, tmp_path: Path, server: FakeServer, until: Until
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=2, size=64)
    send(gateway, *map(as_capture, exam.files))
    kept, given_up = (item.object_id for item in site.quarantine.objects())
    site.quarantine.release(ONA, site.quarantine.look(ONA, kept).look_id, f"It is {exam.planted[0]}'s.")
    site.quarantine.delete(ONA, given_up, f"It is not {exam.planted[0]}'s.")
    until(lambda: server.receipted and len(server.trail) > 3)
    gateway.stop()

    # What the gateway wrote, its log included; what is in `exam` is the sender's own.
    files = [path for path in tmp_path.rglob("*") if path.is_file() and exam.folder not in path.parents]
    content = b"\0".join([*(path.read_bytes() for path in files), *server.sent])

    assert [text for text in exam.planted if text.encode() in content] == []


@pytest.mark.requirement("C13")
def test_nothing_is_released_without_this_persons_own_fresh_look(site: Site, waiting: Path) -> None:
    assert waiting.exists()
    seen = site.quarantine.look(ONA, site.only())

    with pytest.raises(LookNeeded):
        site.quarantine.release(ADA, seen.look_id, WHY)
    with pytest.raises(LookNeeded):
        site.quarantine.release(ONA, "", WHY)
    with pytest.raises(LookNeeded):
        site.quarantine.release_all(ONA, [], WHY)
    site.time.ahead = timedelta(minutes=31)
    with pytest.raises(LookNeeded):
        site.quarantine.release(ONA, seen.look_id, WHY)


@pytest.mark.requirement("C13")
def test_nobody_without_a_name_looks_releases_or_deletes(site: Site, waiting: Path) -> None:
    assert waiting.exists()
    object_id = site.only()

    with pytest.raises(NotAllowed):
        site.quarantine.look(CONSOLE, object_id)
    with pytest.raises(NotAllowed):
        site.quarantine.release(CONSOLE, "any", WHY)
    with pytest.raises(NotAllowed):
        site.quarantine.delete(CONSOLE, object_id, WHY)


def test_a_release_and_a_deletion_need_a_reason(site: Site, waiting: Path) -> None:
    assert waiting.exists()
    seen = site.quarantine.look(ONA, site.only())

    with pytest.raises(ReasonMissing):
        site.quarantine.release(ONA, seen.look_id, "")
    with pytest.raises(ReasonMissing):
        site.quarantine.delete(ONA, site.only(), "")


@pytest.mark.parametrize("reason", ["", "ok", " " * 20, "x" * 501])
def test_a_reason_says_something_and_is_no_novel(reason: str) -> None:
    with pytest.raises(ReasonMissing):
        checked(reason)


@pytest.mark.requirement("C18")
def test_a_key_object_is_released_by_its_header_once_the_recipe_takes_it(
    site: Site, gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    send(gateway, wordy.key_objects(phantoms.ct_exam(tmp_path, slices=1, size=64).files[0]))
    before = gateway.quarantine.look(ONA, site.only())
    text = load_recipe("trial").text.replace("objects:\n", "objects:\n  - Key Object Selection Document\n")
    digest = hashlib.sha256(text.encode()).hexdigest()
    server.channels = (replace(server.channels[0], recipe_yaml=text, recipe_digest=digest),)
    until(gateway.shown.configuration.waiting)
    (offered,) = gateway.shown.configuration.waiting()
    gateway.shown.configuration.confirm(actor=ADA, channel_id="ch-1", setup_digest=offered.offered.digest())

    seen = gateway.quarantine.look(ONA, site.only())
    gateway.quarantine.release(ONA, seen.look_id, "Its header says nothing of anybody.")
    until(lambda: len(server.receipted) == 1)

    assert (before.look_id, before.view.code) == ("", "deid.object")
    assert "ask the project" in before.advice
    (delivered,) = server.objects
    assert b"Placeholder" not in delivered
    assert hashlib.sha256(delivered).hexdigest() == seen.view.sha256


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (wordy.report, "ask the project to take it into the recipe"),
        (wordy.waveform, "ask the project to take it into the recipe"),
        (wordy.document, "The document in it cannot be cleaned by this version"),
        (without_patient, "Nobody knows whose it is"),
    ],
)
def test_every_object_that_waits_says_what_can_be_done(
    site: Site, gateway: Gateway, tmp_path: Path, make: Callable[[Path], Path], told: str
) -> None:
    send(gateway, make(phantoms.ct_exam(tmp_path, slices=1, size=64).files[0]))

    seen = site.quarantine.look(ONA, site.only())

    assert seen.look_id == ""
    assert told in seen.advice
    assert "elete" in seen.advice


@pytest.mark.requirement("C18")
def test_what_cannot_be_cleaned_cannot_be_released(
    site: Site, gateway: Gateway, tmp_path: Path, until: Until
) -> None:
    path = phantoms.ct_exam(tmp_path, slices=1, size=64).files[0]
    path.write_bytes(path.read_bytes()[:-100])
    send(gateway, path)
    until(site.quarantine.objects)

    seen = site.quarantine.look(ONA, site.only())

    assert not seen.view.is_fit
    assert seen.view.words
    assert seen.look_id == ""


@pytest.mark.requirement("C18")
def test_what_came_out_otherwise_than_it_was_seen_does_not_leave(
    site: Site, waiting: Path, server: FakeServer, until: Until
) -> None:
    assert waiting.exists()
    seen = site.quarantine.look(ONA, site.only())
    with site.journal.change() as db:
        db.execute("UPDATE looks SET sha256 = ?", ("0" * 64,))

    site.quarantine.release(ONA, seen.look_id, WHY)
    until(site.quarantine.objects)

    (item,) = site.quarantine.objects()
    assert item.reason_code == "connect.inspection.not_as_seen"
    assert item.released_by == "Ona Operator"
    assert not server.receipted


@pytest.mark.requirement("C18")
def test_a_deleted_object_is_gone_to_the_byte_and_comes_back_when_it_is_sent_again(
    site: Site, settings: Settings, gateway: Gateway, waiting: Path, until: Until
) -> None:
    (segment,) = (settings.gateway.data_dir / "spool").glob("*.segment")
    sealed = segment.read_bytes()

    site.quarantine.delete(ONA, site.only(), WHY)
    until(lambda: not any(content_of(segment)))

    assert any(sealed)
    assert site.quarantine.objects() == []
    send(gateway, waiting)
    assert len(site.quarantine.objects()) == 1


def test_what_was_deleted_while_the_gateway_stood_is_erased_at_its_start(
    site: Site, settings: Settings, gateway: Gateway, waiting: Path, start: Callable[..., Gateway]
) -> None:
    assert waiting.exists()
    gateway.stop()
    site.quarantine.delete(ONA, site.only(), WHY)

    start()

    segments = [path.read_bytes() for path in (settings.gateway.data_dir / "spool").glob("*.segment")]
    assert not any(map(any, segments))


@pytest.fixture
def unsent(gateway: Gateway, server: FakeServer, until: Until) -> None:
    """No exam is quiet for long enough to be sent."""
    server.channels = (replace(server.channels[0], quiet_time_s=3600),)
    until(lambda: [line.setup.quiet_time_s for line in gateway.status().channels] == [3600])


@pytest.mark.requirement("C18")
@pytest.mark.usefixtures("unsent")
def test_a_release_can_be_taken_back_until_a_delivery_names_it(
    site: Site, gateway: Gateway, tmp_path: Path, until: Until
) -> None:
    send(gateway, *captures(tmp_path))
    object_id = site.only()
    seen = site.quarantine.look(ONA, object_id)
    site.quarantine.release(ONA, seen.look_id, WHY)
    until(lambda: state_of(site, object_id) == State.WAITING)

    gateway.quarantine.take_back(ONA, object_id, "That was the wrong picture.")

    (item,) = site.quarantine.objects()
    assert (item.object_id, item.reason_code) == (object_id, "deid.release")
    assert site.quarantine.look(ONA, object_id).view.sha256 == seen.view.sha256


@pytest.mark.requirement("C18")
@pytest.mark.usefixtures("unsent")
def test_a_release_is_taken_back_when_inspection_ends_in_the_middle_of_it(
    site: Site, gateway: Gateway, tmp_path: Path, until: Until
) -> None:
    send(gateway, *captures(tmp_path))
    object_id = site.only()
    site.quarantine.release(ONA, site.quarantine.look(ONA, object_id).look_id, WHY)
    until(lambda: state_of(site, object_id) == State.WAITING)
    seen: list[AsideObject] = []
    as_it_is = aside.released

    def first_as_it_was(db: sqlite3.Connection, object_id: str) -> AsideObject | None:
        found = as_it_is(db, object_id)
        assert found is not None
        seen.append(found if seen else replace(found, state=State.RECEIVED))
        return seen[-1]

    with patch.object(aside, "released", first_as_it_was):
        gateway.quarantine.take_back(ONA, object_id, "That was the wrong picture.")

    assert [item.state for item in seen] == [State.RECEIVED, *[State.WAITING] * 3]
    assert [item.object_id for item in gateway.quarantine.objects()] == [object_id]


def test_what_was_delivered_cannot_be_taken_back(
    site: Site, waiting: Path, server: FakeServer, until: Until
) -> None:
    assert waiting.exists()
    object_id = site.only()
    seen = site.quarantine.look(ONA, object_id)
    site.quarantine.release(ONA, seen.look_id, WHY)
    until(lambda: len(server.receipted) == 1)
    until(lambda: state_of(site, object_id) == State.DELIVERED)

    with pytest.raises(TooLate):
        site.quarantine.take_back(ONA, object_id, "That was the wrong picture.")
    with pytest.raises(NotSetAside):
        site.quarantine.delete(ONA, object_id, WHY)


@pytest.mark.requirement("C19")
def test_an_unknown_id_is_held_and_goes_on_when_a_list_names_it(
    site: Site, gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.channels = (replace(server.channels[0], allocation=Allocation.LISTED),)
    until(lambda: [line.setup.allocation for line in gateway.status().channels] == [Allocation.LISTED])
    exam = phantoms.ct_exam(tmp_path, slices=2, size=64)
    send(gateway, *exam.files)
    held = site.quarantine.objects()

    patient_id = str(dcmread(exam.files[0]).PatientID)
    done = site.links.import_list(ADA, 1, f"local_id,subject\n{patient_id},LG-042\n".encode())
    until(lambda: len(server.receipted) == 2)

    assert [item.state for item in held] == [State.HELD, State.HELD]
    assert done.resumed_objects == 2
    assert [line.subject_code for line in gateway.status().exams] == ["LG-042"]


@pytest.mark.requirement("C19")
def test_what_waits_for_a_list_is_not_released_alone(
    site: Site, gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.channels = (replace(server.channels[0], allocation=Allocation.LISTED),)
    until(lambda: [line.setup.allocation for line in gateway.status().channels] == [Allocation.LISTED])
    send(gateway, *phantoms.ct_exam(tmp_path, slices=1, size=64).files)

    seen = site.quarantine.look(ONA, site.only())

    assert not seen.object.can_be_released
    assert (seen.look_id, seen.view.code) == ("", "connect.links.unknown_id")


@pytest.mark.requirement("C19")
def test_what_was_held_goes_on_when_lists_are_not_asked_for_any_more(
    site: Site, gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    (automatic,) = server.channels
    server.channels = (replace(automatic, allocation=Allocation.LISTED),)
    until(lambda: [line.setup.allocation for line in gateway.status().channels] == [Allocation.LISTED])
    send(gateway, *phantoms.ct_exam(tmp_path, slices=1, size=64).files)
    assert site.only()

    server.channels = (automatic,)
    with site.journal.change() as db:  # as a local administrator confirms it
        channels.save_channel(db, automatic, 1, offered=automatic)

    until(lambda: len(server.receipted) == 1)


@pytest.mark.requirement("C20")
def test_a_file_that_is_only_tried_leaves_no_subject_and_no_object(
    site: Site, gateway: Gateway, tmp_path: Path
) -> None:
    assert gateway.receive_port
    path = phantoms.ct_exam(tmp_path, slices=1, size=64).files[0]

    who, view = site.quarantine.dry_run(ONA, "ch-1", path.read_bytes())

    names = {row.name: row.after for row in view.attributes}
    assert (view.is_fit, who, names["PatientID"]) == (True, str(dcmread(path).PatientID), "NEW")
    assert site.links.numberings()[0].subjects == 0
    assert site.quarantine.objects() == []


def content_of(path: Path) -> bytes:
    """Nothing, once it is gone."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    return b""


def state_of(site: Site, object_id: str) -> str:
    with site.journal.look() as db:
        row = db.execute("SELECT state FROM objects WHERE object_id = ?", (object_id,)).fetchone()
    return str(row["state"])
