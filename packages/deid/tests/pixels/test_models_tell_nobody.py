"""The runtime of the text models brings a reporter to its maker; it must stay off, also where nobody set anything."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import os, threading
from collegium_deid.pixels import models

models.detection()
print(len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1)
"""
# It also keeps quiet where it takes the machine for one that builds software, so that says nothing of hospitals.
BUILDERS = {"CI", "TF_BUILD", "GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "ORT_DISABLE_TELEMETRY"}


def test_the_models_keep_no_note_of_themselves_and_start_no_thread(tmp_path: Path) -> None:
    told = {key: value for key, value in os.environ.items() if key not in BUILDERS}
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    one_thread = {"OPENBLAS_NUM_THREADS": "1"}

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=told | home | one_thread, capture_output=True, text=True,
        check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert list(tmp_path.rglob("*")) == []
    assert done.stdout.strip() == "1"
