"""Long runs: killed, stopped, resumed, mixed up, in several processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from collegium_deid.cli import main
from collegium_deid.cli.lock import lock
from collegium_deid.cli.progress import Progress
from collegium_deid.cli.workers import Stop, Workers
from collegium_deid.rules.recipe import load_recipe
from collegium_testkit.patience import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
Printed = pytest.CaptureFixture[str]
COMMAND = [sys.executable, "-c", "import sys; from collegium_deid.cli import main; sys.exit(main())"]
FILES = 160


@pytest.fixture
def long_exam(tmp_path: Path, ct: Dataset, write: Tool) -> Path:
    """Enough slices for several processes; the third is no image, the fifth is cut."""
    (tmp_path / "in").mkdir()
    (tmp_path / "site.key").write_text("11" * 32)
    for number in range(FILES):
        ct.SOPInstanceUID, ct.InstanceNumber = f"1.2.3.4.6.{number}", str(number)
        data = write(ct, pixels=bytes(100_000))
        (tmp_path / "in" / f"{number:04}").write_bytes({3: b"note", 5: data[:-9]}.get(number, data))
    return tmp_path


def arguments(folder: Path, *options: str, out: str = "out", subject: str = "S") -> list[str]:
    where = [str(folder / "in"), str(folder / out)]
    return ["apply", "--key", str(folder / "site.key"), "--subject", subject, *options, *where]


def images(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(folder.rglob("*.dcm"))}


def wait_for_some(folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while len(list(folder.rglob("2.25.*.dcm"))) < 5:
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.mark.requirement("C07")
def test_a_killed_run_goes_on_where_it_was_and_ends_as_if_never_killed(
    long_exam: Path, capsys: Printed
) -> None:
    killed = subprocess.Popen(
        [*COMMAND, *arguments(long_exam, "--jobs", "2")], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    wait_for_some(long_exam / "out")
    killed.kill()
    killed.wait()
    before = {file: file.stat().st_mtime_ns for file in (long_exam / "out").rglob("2.25.*.dcm")}

    code = main(arguments(long_exam, "--jobs", "1"))
    main(arguments(long_exam, "--jobs", "1", out="whole"))

    assert code == 1
    assert 5 <= len(before) < FILES - 2
    assert f"{len(before)} done already, 1 skipped, 1 rejected" in capsys.readouterr().out
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert images(long_exam / "out") == images(long_exam / "whole")
    assert not (long_exam / "out" / ".collegium-deid" / "parts").exists()


def test_ctrl_c_keeps_what_is_done_and_exits_with_130(long_exam: Path) -> None:
    run = subprocess.Popen(
        [*COMMAND, *arguments(long_exam, "--jobs", "2")],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for_some(long_exam / "out")

    os.killpg(run.pid, signal.SIGINT)
    out, err = run.communicate(timeout=PATIENCE_S)

    assert run.returncode == 130
    assert "Stopped. What is done is kept" in err
    assert "Traceback" not in err
    assert f"{len(images(long_exam / 'out'))} cleaned" in out


def test_processes_read_one_archive_without_disturbing_each_other(long_exam: Path, capsys: Printed) -> None:
    with zipfile.ZipFile(long_exam / "in.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((long_exam / "in").iterdir()):
            archive.write(file, file.name)
    main(arguments(long_exam, "--jobs", "1"))
    capsys.readouterr()
    key, packed = str(long_exam / "site.key"), str(long_exam / "in.zip")
    options = ["--key", key, "--subject", "S", "--jobs", "4"]

    cleaned = main(["apply", *options, packed, str(long_exam / "packed")])
    verified = main(
        ["verify", "--against", packed, "--key", key, "--jobs", "4", "--quiet", str(long_exam / "packed")]
    )

    printed = capsys.readouterr()
    assert (cleaned, verified) == (1, 0)
    assert f"{FILES - 2} cleaned, 1 skipped, 1 rejected" in printed.out
    assert "deid.zip" not in printed.err
    assert images(long_exam / "packed") == images(long_exam / "out")


@pytest.mark.parametrize("change", ["recipe", "key", "subject"])
def test_runs_with_other_settings_are_never_mixed(
    tmp_path: Path, ct: Dataset, write: Tool, change: str, capsys: Printed
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1").write_bytes(write(ct, pixels=bytes(8)))
    (tmp_path / "site.key").write_text("11" * 32)
    main(arguments(tmp_path))
    before = images(tmp_path / "out")
    (tmp_path / "other.yaml").write_text(load_recipe("trial").text + "# changed\n")
    (tmp_path / "site.key").write_text(("22" if change == "key" else "11") * 32)
    options = ["--recipe", str(tmp_path / "other.yaml")] if change == "recipe" else []

    code = main(arguments(tmp_path, *options, subject="T" if change == "subject" else "S"))

    assert code == 2
    assert "[deid.run.other]" in capsys.readouterr().err
    assert images(tmp_path / "out") == before


def test_two_runs_never_work_on_one_folder(
    tmp_path: Path, ct: Dataset, write: Tool, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1").write_bytes(write(ct, pixels=bytes(8)))
    (tmp_path / "site.key").write_text("11" * 32)
    monkeypatch.setattr("collegium_deid.cli.lock._TRIES", 1)
    (tmp_path / "out" / ".collegium-deid").mkdir(parents=True)

    with (tmp_path / "out" / ".collegium-deid" / "journal.jsonl").open("a") as held:
        lock(held)
        code = main(arguments(tmp_path))

    assert code == 2
    assert "[deid.run.busy]" in capsys.readouterr().err
    assert images(tmp_path / "out") == {}


def test_an_output_that_vanished_is_made_again(tmp_path: Path, ct: Dataset, write: Tool) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1").write_bytes(write(ct, pixels=bytes(8)))
    (tmp_path / "site.key").write_text("11" * 32)
    main(arguments(tmp_path))
    before = images(tmp_path / "out")
    next((tmp_path / "out").rglob("*.dcm")).unlink()

    code = main(arguments(tmp_path))

    assert code == 0
    assert images(tmp_path / "out") == before


def double_or_die(item: int) -> int:
    if item == 40:
        os._exit(9)
    return 2 * item


def minus_one(_item: int) -> int:
    return -1


def test_a_worker_that_dies_costs_one_item() -> None:
    with Stop() as stop:
        results = dict(Workers(double_or_die, minus_one, jobs=2, stop=stop).run(list(range(60))))

    assert results == {item: -1 if item == 40 else 2 * item for item in range(60)}
    assert list(results) == list(range(60))


class Terminal:
    """Collects what is written to it."""

    def __init__(self, *, is_terminal: bool) -> None:
        self.text = ""
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


def test_the_bar_tells_rate_and_time_left() -> None:
    progress = Progress(120, "cleaned", out=Terminal(is_terminal=True))  # type: ignore[arg-type]  # enough of a TextIO

    for _ in range(30):
        progress.step()

    assert (
        progress.line(10.0) == "[######..................] 30 of 120 files cleaned, 3 a second, 0:00:30 left"
    )


def test_a_slow_run_has_a_rate_too() -> None:
    progress = Progress(120, "done", out=Terminal(is_terminal=False))  # type: ignore[arg-type]  # enough of a TextIO

    progress.step()

    assert progress.line(4.0) == "1 of 120 files done, 15 a minute, 0:07:56 left"


def test_elsewhere_than_on_a_terminal_nothing_moves() -> None:
    out = Terminal(is_terminal=False)

    with Progress(3, "cleaned", out=out) as progress:  # type: ignore[arg-type]  # enough of a TextIO
        progress.step()
        progress.say("rejected x")

    assert out.text == "rejected x\n"


@pytest.mark.parametrize("amount", [[], ["--attributes"]], ids=["one page", "many pages"])
def test_a_reader_who_has_seen_enough_is_no_error(amount: list[str]) -> None:
    run = subprocess.Popen(
        [*COMMAND, "recipe", "show", *amount, "trial"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert run.stdout is not None
    run.stdout.close()

    _, err = run.communicate(timeout=PATIENCE_S)

    assert (run.returncode, err) == (141, b"")
