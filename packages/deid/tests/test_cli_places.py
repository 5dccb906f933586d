"""Folders that cannot be read, names meant to deceive, a disk without room: told, never taken for success."""

from __future__ import annotations

import csv
import errno
import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from collegium_deid.cli import main
from collegium_deid.cli.progress import Progress
from collegium_deid.files import write_cleaned

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

    from collegium_deid.files import Written

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
Printed = pytest.CaptureFixture[str]
SLICES = 4


@pytest.fixture
def place(tmp_path: Path, ct: Dataset, write: Tool) -> Path:
    """`in` with slices, `site.key`, nothing else."""
    (tmp_path / "in").mkdir()
    (tmp_path / "site.key").write_text("11" * 32)
    (tmp_path / "site.key").chmod(0o600)
    for number in range(SLICES):
        ct.SOPInstanceUID = f"1.2.3.4.5.{number + 1}"
        (tmp_path / "in" / f"{number}.dcm").write_bytes(write(ct, pixels=bytes(8)))
    return tmp_path


def apply(place: Path, *options: str) -> int:
    arguments = ["apply", "--key", str(place / "site.key"), "--subject", "S-001", *options]
    return main([*arguments, str(place / "in"), str(place / "out")])


@pytest.mark.parametrize("command", [["verify"], ["inventory"], ["verify", "--against"]])
def test_an_empty_folder_proves_nothing(place: Path, capsys: Printed, command: list[str]) -> None:
    (place / "empty").mkdir()

    code = main([*command, str(place / "empty"), *[str(place / "in")] * (len(command) - 1)])

    assert code == 2
    assert "[deid.file.none]" in capsys.readouterr().err


def test_an_empty_folder_is_not_cleaned_with_success(place: Path, capsys: Printed) -> None:
    for file in (place / "in").iterdir():
        file.unlink()

    code = apply(place)

    assert code == 2
    assert "[deid.file.none]" in capsys.readouterr().err
    assert not (place / "out").exists()


@pytest.mark.parametrize("target", ["out.zip", "out.dcm"])
def test_an_input_without_images_is_no_success_and_makes_nothing(
    place: Path, capsys: Printed, target: str
) -> None:
    (place / "note.txt").write_text("no image")
    arguments = ["apply", "--key", str(place / "site.key"), "--subject", "S-001"]

    code = main([*arguments, str(place / "note.txt"), str(place / target)])

    assert code == 1
    assert "Nothing was cleaned: there is no image in the input." in capsys.readouterr().err
    assert sorted(path.name for path in place.iterdir()) == ["in", "note.txt", "site.key"]


@pytest.fixture
def closed(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in `in` that this process may not list; tests may run as root, who may."""
    folder = place / "in" / "closed"
    folder.mkdir()
    (folder / "5.dcm").write_bytes((place / "in" / "0.dcm").read_bytes())
    listed = os.scandir

    def scandir(path: Any) -> Any:  # Any: as os.scandir itself
        if path == str(folder):
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    return folder


def test_a_folder_that_cannot_be_listed_is_not_left_out_silently(
    place: Path, closed: Path, capsys: Printed
) -> None:
    code = apply(place)

    printed = capsys.readouterr()
    assert code == 1
    assert f"{SLICES} cleaned, 1 rejected" in printed.out
    assert f"rejected {closed}: This folder cannot be listed." in printed.err


def test_a_link_to_a_folder_is_not_left_out_silently(place: Path, capsys: Printed) -> None:
    (place / "elsewhere").mkdir()
    (place / "in" / "link").symlink_to(place / "elsewhere", target_is_directory=True)

    code = apply(place)

    printed = capsys.readouterr()
    assert code == 1
    assert f"{SLICES} cleaned, 1 rejected" in printed.out
    assert "[deid.file.link]" in printed.err


def test_verify_does_not_pass_a_folder_that_cannot_be_listed(closed: Path, capsys: Printed) -> None:
    code = main(["verify", str(closed)])

    assert code == 1
    assert "0 conform, 1 do not" in capsys.readouterr().out


def test_a_file_name_cannot_forge_a_line_or_speak_to_the_terminal(place: Path, capsys: Printed) -> None:
    (place / "in" / "x\n\x1b[31mrejected y").write_bytes(b"no image")

    apply(place)

    told = capsys.readouterr().err
    assert "\x1b" not in told
    assert [line.partition(" ")[0] for line in told.splitlines()] == ["skipped"]


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that has room for two outputs."""
    room = iter(range(2))

    def write(*arguments: Any, **options: Any) -> Written:  # Any: as the real one
        if next(room, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_cleaned(*arguments, **options)

    monkeypatch.setattr("collegium_deid.cli.cleaner.write_cleaned", write)


@pytest.mark.usefixtures("full")
def test_a_full_disk_stops_the_run_and_rejects_nobody(place: Path, capsys: Printed) -> None:
    code = apply(place, "--quarantine", str(place / "quarantine"))

    printed = capsys.readouterr()
    assert code == 1
    assert "2 cleaned, 0 rejected" in printed.out
    assert printed.err.startswith("Stopped: there is no room for the output. What is done is kept;")
    assert list((place / "quarantine").iterdir()) == []


@pytest.mark.usefixtures("full")
def test_a_run_that_found_no_room_goes_on_when_there_is_some(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    apply(place)
    monkeypatch.undo()
    capsys.readouterr()

    code = apply(place, "--json")

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (told["cleaned"], told["already_done"]) == (SLICES - 2, 2)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--recipe", "onward-clinical", "another recipe"),
        ("--subject", "S-002", "another subject code"),
        ("--key", "other.key", "another key"),
    ],
)
def test_a_run_with_other_settings_is_told_which(
    *, place: Path, capsys: Printed, option: str, value: str, words: str
) -> None:
    apply(place)
    (place / "other.key").write_text("22" * 32)
    settings = {"--recipe": "trial", "--subject": "S-001", "--key": "site.key"} | {option: value}
    settings["--key"] = str(place / settings["--key"])
    arguments = [part for pair in settings.items() for part in pair]

    code = main(["apply", *arguments, str(place / "in"), str(place / "out")])

    assert code == 2
    assert f"holds a run with {words}." in capsys.readouterr().err


def test_the_list_of_the_quarantine_grows_with_every_run_and_says_nothing_twice(place: Path) -> None:
    options = ("--quarantine", str(place / "quarantine"))
    (place / "in" / "a.dcm").write_bytes((place / "in" / "0.dcm").read_bytes()[:-2])
    apply(place, *options)
    (place / "in" / "b.dcm").write_bytes((place / "in" / "1.dcm").read_bytes()[:-2])

    apply(place, *options)

    with (place / "quarantine" / "refused.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["source"] for row in rows] == [str(place / "in" / name) for name in ("a.dcm", "b.dcm")]
    assert all((place / "quarantine" / row["file"]).is_file() for row in rows)


def test_a_fault_of_the_program_costs_one_file_and_shows_no_value(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    def fail(_key: object, local_id: str) -> str:
        raise KeyError(local_id)

    monkeypatch.setattr("collegium_deid.cli.cleaner.patient_id", fail)

    code = apply(place)

    printed = capsys.readouterr()
    assert code == 1
    assert f"0 cleaned, {SLICES} rejected" in printed.out
    assert "It could not be processed (KeyError). [deid.failed]" in printed.err
    assert "MRN" not in printed.out + printed.err


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["verify"], f"Stopped. Files not checked: {SLICES - 1}."),
        (["inventory", "--unmarked"], "Stopped. The list is not complete, and nothing was accepted."),
    ],
)
def test_who_stops_a_check_is_told_that_it_is_not_complete(
    *, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed, command: list[str], words: str
) -> None:
    monkeypatch.setattr(Progress, "step", lambda _: signal.raise_signal(signal.SIGINT))

    code = main([*command, str(place / "in")])

    assert code == 130
    assert words in capsys.readouterr().err
