"""A test is not blamed for what the failed one before it left open."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TESTS = """
import gc, socket

def test_one():
    left = socket.socket()
    ring = [left]
    ring.append(ring)
    assert not left

def test_two():
    gc.collect()
"""


def test_what_a_failed_test_left_open_fails_no_other(tmp_path: Path) -> None:
    (tmp_path / "test_left.py").write_text(TESTS, "utf-8")
    plugins = ["-p", "no:randomly", "-p", "no:cacheprovider", "-p", "collegium_testkit.aftermath"]
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", *plugins, "-c", "/dev/null"]

    done = subprocess.run(
        [*command, "--rootdir", str(tmp_path), str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert "1 failed, 1 passed" in done.stdout
