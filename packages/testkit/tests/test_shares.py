"""Tests that share a running installation stay in one worker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from collegium_testkit.shares import LONGEST_FIRST, share_of

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("share", LONGEST_FIRST)
def test_what_the_table_names_is_there(share: str) -> None:
    assert (REPOSITORY / share).exists()


def test_files_of_a_named_folder_are_one_share_and_other_files_their_own() -> None:
    one, other = (share_of(f"tests/security/test_{name}.py::test_it[a::b]") for name in ("routes", "hostile"))

    assert one == other == "tests/security/"
    assert share_of("packages/wire/tests/test_messages.py::test_it") == "packages/wire/tests/test_messages.py"


def test_every_file_runs_in_one_worker(tmp_path: Path) -> None:
    for name in ("test_one.py", "test_two.py"):
        (tmp_path / name).write_text(
            "import os, pathlib, pytest, time\n"
            "@pytest.mark.parametrize('n', range(8))\n"
            "def test_it(n):\n"
            "    worker = os.environ['PYTEST_XDIST_WORKER']\n"
            "    (pathlib.Path(__file__).parent / f'{pathlib.Path(__file__).stem}-{worker}').touch()\n"
            "    time.sleep(0.02)\n",
            "utf-8",
        )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "collegium_testkit.shares",
        "--rootdir",
        str(tmp_path),
    ]
    command += ["-c", "/dev/null", "-n", "2", "--dist", "loadgroup", str(tmp_path)]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
    assert len(list(tmp_path.glob("test_one-*"))) == len(list(tmp_path.glob("test_two-*"))) == 1
