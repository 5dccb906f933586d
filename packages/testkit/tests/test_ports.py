"""Servers of tests that run beside each other never meet on a port."""

import subprocess
import sys

from collegium_testkit.installation import free_port

ASKING = "from collegium_testkit.installation import free_port; print(free_port())"


def test_a_port_is_given_once_though_nobody_listens_there_yet() -> None:
    mine = {free_port(), free_port()}

    asked = subprocess.run([sys.executable, "-c", ASKING], capture_output=True, text=True, check=True)

    assert len(mine) == 2
    assert int(asked.stdout) not in mine
