"""The commands for local people, as an administrator types them."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread

from collegium_connect.cli import main
from collegium_connect.people import people
from collegium_connect.people.passwords import Cost, digest_of
from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_testkit import pacs
from collegium_testkit.captures import captures
from collegium_testkit.fake_server import FakeServer

PASSWORD = "correct horse battery"
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(
    gateway: Gateway, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:  # fmt: skip
    """Run a command beside the running gateway, with a password piped in."""
    assert gateway.receive_port
    # A digest carries its own cost; that of these is as low as it goes.
    monkeypatch.setattr(people, "digest_of", lambda name, word, _cost: digest_of(name, word, Cost(2, 8, 1)))
    config = tmp_path / "gateway.toml"
    folder = json.dumps(str(settings.gateway.data_dir))
    config.write_text(
        f'[gateway]\nname = "Larkspur"\ndata_dir = {folder}\n[server]\nurl = "{settings.server.url}"\n',
        "utf-8",
    )

    def command(*arguments: str, password: str = PASSWORD) -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
        capsys.readouterr()
        code = main([*arguments, "--config", str(config)])
        told = capsys.readouterr()
        return code, told.out + told.err

    assert command("people", "add", "Ada Admin", "--role", "administrator")[0] == 0
    assert command("people", "add", "Ona", "--role", "operator")[0] == 0
    return command


@pytest.fixture
def waiting(gateway: Gateway, tmp_path: Path) -> Path:
    """A secondary capture in quarantine."""
    (path,) = captures(tmp_path / "exam")
    pacs.send([path], "127.0.0.1", gateway.receive_port, "TRIAL1")
    return path


def test_people_are_made_listed_and_closed(run: Run) -> None:
    run("people", "close", "Ona")

    _, told = run("people", "list")

    assert [line.split()[-2:] for line in told.splitlines()] == [
        ["administrator", "active"],
        ["operator", "closed"],
    ]


@pytest.mark.requirement("C13", "C18")
def test_a_named_person_looks_and_releases(
    run: Run, waiting: Path, server: FakeServer, tmp_path: Path, until: Callable[..., None]
) -> None:
    object_id = run("quarantine", "list")[1].split()[0]
    picture = tmp_path / "after.png"

    code, told = run(
        "quarantine", "look", object_id, "--as", "Ona", "--box", "0,0,16,16", "--after", str(picture)
    )
    look_id = told.split()[-1]
    run("quarantine", "release", look_id, "--as", "Ona", "--reason", "I looked at the picture.")
    until(lambda: len(server.receipted) == 1)

    assert code == 0
    assert str(dcmread(waiting).PatientID) in told
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_mode & 0o077 == 0
    assert "Ona (operator) quarantine.object.released" in run("trail", "list", "--as", "Ona")[1]
    assert run("trail", "verify")[0] == 0


@pytest.mark.requirement("C13")
def test_a_whole_exam_is_seen_and_released(
    run: Run, waiting: Path, server: FakeServer, tmp_path: Path, until: Callable[..., None]
) -> None:
    assert waiting.exists()
    exam_id = run("quarantine", "list")[1].split("exam ")[1].split()[0]

    _, told = run("quarantine", "look-exam", exam_id, "--as", "Ona", "--folder", str(tmp_path / "pictures"))
    looks = told.split("quarantine release ")[1].split()
    run("quarantine", "release", *looks, "--as", "Ona", "--reason", "I looked at all of them.")
    until(lambda: len(server.receipted) == 1)

    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["001.png"]


@pytest.mark.requirement("C18")
def test_without_the_password_nothing_is_done(run: Run, waiting: Path) -> None:
    assert waiting.exists()
    object_id = run("quarantine", "list")[1].split()[0]

    code, told = run(
        "quarantine", "delete", object_id, "--as", "Ona", "--reason", "No longer needed.", password="wrong"
    )

    assert (code, "connect.people.refused" in told) == (1, True)
    assert object_id in run("quarantine", "list")[1]


def test_a_deletion_is_done_by_the_running_gateway(
    run: Run, waiting: Path, settings: Settings, until: Callable[..., None]
) -> None:
    assert waiting.exists()
    object_id = run("quarantine", "list")[1].split()[0]

    run("quarantine", "delete", object_id, "--as", "Ona", "--reason", "No longer needed.")

    assert "Nothing is set aside." in run("quarantine", "list")[1]
    until(lambda: not any((settings.gateway.data_dir / "spool").iterdir()))


@pytest.mark.requirement("C19")
def test_a_list_goes_in_and_comes_out(run: Run, tmp_path: Path) -> None:
    given, written = tmp_path / "list.csv", tmp_path / "out.csv"
    given.write_text("local_id,subject\nMRN-1,LG-007\n", "utf-8")

    _, told = run("links", "import", str(given), "--as", "Ada Admin")
    refused, _ = run("links", "export", str(written), "--as", "Ona")
    code, _ = run("links", "export", str(written), "--as", "Ada Admin")

    assert told.startswith("1 added, 0 known already")
    assert (refused, code) == (1, 0)
    assert written.read_text("utf-8") == '"local_id","subject"\n"MRN-1","LG-007"\n'
    assert written.stat().st_mode & 0o077 == 0


@pytest.mark.requirement("C18")
def test_what_is_set_aside_together_is_listed_and_given_up_as_it_was_listed(run: Run, group: str) -> None:
    shown = run("quarantine", "groups")[1]
    why = ("--as", "Ona", "--reason", "The trial has no use for them.")
    elsewhere, words = run("quarantine", "delete-group", "0" * 32, *why)
    unknown, _ = run("quarantine", "delete-group", group, *why, password="wrong")
    waiting = run("quarantine", "list")[1]

    code, told = run("quarantine", "delete-group", group, *why)

    assert "2 objects of exam" in shown
    assert "(deid.release)" in shown
    assert (elsewhere, unknown, waiting.count("(deid.release)")) == (1, 1, 2)
    assert "connect.quarantine.group_changed" in words
    assert (code, told.split(".")[0]) == (0, "2 objects deleted")
    assert "Nothing is set aside." in run("quarantine", "list")[1]
    assert run("trail", "list", "--as", "Ona")[1].count("quarantine.object.deleted") == 2


@pytest.fixture
def group(run: Run, gateway: Gateway, tmp_path: Path, until: Callable[..., None]) -> str:
    """Two secondary captures of one exam, as the list of groups names them."""
    pacs.send(captures(tmp_path / "group", 2), "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: [one.objects for one in gateway.groups.listed()] == [2])
    return run("quarantine", "groups")[1].split()[0]
