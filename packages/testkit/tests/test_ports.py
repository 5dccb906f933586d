"""Servers of tests that run beside each other never meet on a port."""

import socket
import subprocess
import sys

import pytest

from collegium_testkit.installation import free_port
from collegium_testkit.patience import PATIENCE_S
from collegium_testkit.ports import closed_port

ASKING = "from collegium_testkit.installation import free_port; print(free_port())"


def test_a_port_is_given_once_though_nobody_listens_there_yet() -> None:
    mine = {free_port(), free_port()}

    asked = subprocess.run([sys.executable, "-c", ASKING], capture_output=True, text=True, check=True)

    assert len(mine) == 2
    assert int(asked.stdout) not in mine


def test_where_nobody_answers_nobody_else_can_begin_to() -> None:
    with closed_port() as port:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        with pytest.raises(OSError, match="in use"):
            socket.create_server(("127.0.0.1", port), reuse_port=False)
