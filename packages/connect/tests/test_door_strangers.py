"""Who is silent, or not listed, takes no place of those who are."""

import contextlib
import json
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from collegium_connect.receive.door import Door
from collegium_connect.receive.strangers import Strangers
from collegium_connect.settings import CallerSettings, LimitSettings, ReceiveSettings
from collegium_testkit import pacs
from collegium_testkit.doors import Shelf
from collegium_testkit.patience import PATIENCE_S

Knock = Callable[[str], socket.socket]
PACS = CallerSettings(ae="TESTPACS", address="127.0.0.1")
EVERYBODY_HERE = CallerSettings(ae="TESTPACS", address="127.0.0.0/8")


@pytest.fixture
def open_ones() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def opened(open_ones: ExitStack, *callers: CallerSettings) -> Door:
    settings = ReceiveSettings(
        host="127.0.0.1", port=0, max_associations=4, max_associations_per_caller=2,
        artim_s=600.0,  # longer than anybody here is silent, however slow the machine
        allowed_callers=callers,
    )  # fmt: skip
    shelf = Shelf()
    door = Door(settings, LimitSettings(), shelf, shelf)
    door.start()
    open_ones.callback(door.stop)
    return door


def knock(door: Door, address: str, open_ones: ExitStack) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", door.port), timeout=PATIENCE_S, source_address=(address, 0))
    return open_ones.enter_context(line)


def is_let_in(door: Door) -> bool:
    """Whether the PACS gets an association."""
    return pacs.echo("127.0.0.1", door.port, "TRIAL1") == pacs.SUCCESS


def is_hung_up(line: socket.socket) -> bool:
    with contextlib.suppress(ConnectionError):
        return line.recv(1) == b""
    return True


def refused(log_file: Path) -> list[tuple[object, object]]:
    lines = [json.loads(line) for line in log_file.read_text("utf-8").splitlines()]
    return [(line["address"], line["times"]) for line in lines if line["event"] == "connection.refused"]


@pytest.mark.parametrize("silent", [8, 60])
def test_one_address_that_fills_every_place_with_silence_keeps_nobody_else_out(
    silent: int, open_ones: ExitStack
) -> None:
    door = opened(open_ones)
    for _ in range(silent):
        knock(door, "127.0.0.2", open_ones)

    assert is_let_in(door)


def test_several_unlisted_addresses_are_hung_up_on_at_once_and_keep_nobody_out(
    open_ones: ExitStack, log_file: Path
) -> None:
    door = opened(open_ones, PACS)

    strangers = [knock(door, f"127.0.0.{2 + at % 5}", open_ones) for at in range(20)]

    assert all(map(is_hung_up, strangers))
    assert is_let_in(door)
    assert sorted(refused(log_file)) == [(f"127.0.0.{2 + at}", 1) for at in range(5)]


def test_listed_addresses_that_say_nothing_take_no_place_of_those_who_ask(open_ones: ExitStack) -> None:
    door = opened(open_ones, EVERYBODY_HERE)
    for at in range(8):
        knock(door, f"127.0.0.{2 + at}", open_ones)

    assert is_let_in(door)


def test_of_more_silent_ones_than_are_waited_for_the_longest_there_has_to_go(open_ones: ExitStack) -> None:
    door = opened(open_ones, EVERYBODY_HERE)
    lone = knock(door, "127.0.0.200", open_ones)
    silent = [knock(door, f"127.0.0.{2 + at % 3}", open_ones) for at in range(90)]

    was_let_in = is_let_in(door)

    assert was_let_in
    assert is_hung_up(silent[0])
    assert not select.select([lone, silent[-1]], [], [], 0)[0]


class Knocks:
    """Strangers with a clock that a test sets."""

    def __init__(self, *networks: str) -> None:
        self.at_s = 0.0
        callers = tuple(CallerSettings(ae="A", address=network) for network in networks)
        self.strangers = Strangers(callers, lambda: self.at_s)

    def come(self, address: str, times: int = 1) -> set[bool]:
        return {self.strangers.turns_away(address) for _ in range(times)}


def test_only_addresses_outside_every_listed_network_are_turned_away(log_file: Path) -> None:
    knocks = Knocks("10.20.0.0/16", "192.0.2.7", "2001:db8::/32")

    told = [
        knocks.strangers.turns_away(item) for item in ("10.20.3.4", "192.0.2.7", "2001:db8::5", "10.21.0.1")
    ]

    assert told == [False, False, False, True]
    assert log_file.exists()


def test_where_no_network_is_listed_the_gate_decides_alone() -> None:
    assert Knocks().come("10.21.0.1") == {False}


def test_a_stranger_that_knocks_a_thousand_times_is_told_of_once_a_minute_with_the_count(
    log_file: Path,
) -> None:
    knocks = Knocks("10.20.0.0/16")

    knocks.come("10.21.0.1", 1000)
    knocks.at_s = 30.0
    knocks.come("10.21.0.1", 1000)
    before = refused(log_file)
    knocks.at_s = 61.0
    knocks.strangers.tell()

    assert before == [("10.21.0.1", 1)]
    assert refused(log_file) == [("10.21.0.1", 1), ("10.21.0.1", 1999)]


def test_strangers_without_number_are_told_of_together(log_file: Path) -> None:
    knocks = Knocks("10.20.0.0/16")

    for at in range(5000):
        knocks.come(f"172.16.{at // 250}.{at % 250}")
    knocks.at_s = 61.0
    knocks.strangers.tell()

    assert len(refused(log_file)) <= 260
    assert sum(int(str(times)) for _, times in refused(log_file)) == 5000
