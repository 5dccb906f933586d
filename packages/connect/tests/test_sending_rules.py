"""Pace, window, line, meter and lanes: what they promise on their own."""

import random
import threading
from datetime import UTC, datetime

import pytest

from collegium_connect.send.backoff import CAP_S, delay_s
from collegium_connect.send.lanes import Lanes
from collegium_connect.send.line import Line
from collegium_connect.send.meter import Meter
from collegium_connect.send.pace import Pace
from collegium_connect.send.window import is_open
from collegium_testkit.patience import PATIENCE_S


class Seconds:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_channel_without_a_limit_never_waits() -> None:
    pace = Pace(Seconds())

    assert [pace.wait_s("ch", 0, 1 << 30) for _ in range(3)] == [0.0, 0.0, 0.0]


def test_a_limited_channel_sends_what_its_megabits_allow() -> None:
    elapsed = Seconds()
    pace = Pace(elapsed)

    for _ in range(80):  # 10 MB at 8 Mbps
        elapsed.now += pace.wait_s("ch", 8, 125_000)

    assert elapsed.now - 1000.0 == pytest.approx(10.0, abs=0.5)


def test_one_channels_limit_does_not_slow_another() -> None:
    pace = Pace(Seconds())
    pace.wait_s("slow", 1, 10 << 20)

    assert pace.wait_s("slow", 1, 1) > 60
    assert pace.wait_s("other", 100, 1) == 0


@pytest.mark.parametrize(
    ("window", "at", "expected"),
    [
        ("", "12:00", True),
        ("19:00-06:00", "18:59", False),
        ("19:00-06:00", "19:00", True),
        ("19:00-06:00", "23:59", True),
        ("19:00-06:00", "00:00", True),
        ("19:00-06:00", "05:59", True),
        ("19:00-06:00", "06:00", False),
        ("08:00-17:30", "07:59", False),
        ("08:00-17:30", "08:00", True),
        ("08:00-17:30", "17:29", True),
        ("08:00-17:30", "17:30", False),
    ],
)
def test_a_window_is_open_from_its_first_minute_until_before_its_last(
    window: str, at: str, *, expected: bool
) -> None:
    assert is_open(window, datetime.fromisoformat(f"2026-03-01T{at}+01:00")) is expected


def test_after_a_failure_of_the_line_one_alone_tries_it_when_the_wait_is_over() -> None:
    elapsed = Seconds()
    line = Line(random.Random(1), elapsed)

    wait_s = line.failed("The server cannot be reached.")

    assert 0 < wait_s <= 1
    assert not line.is_free(0)
    elapsed.now += wait_s
    assert line.is_free(0)
    assert not line.is_free(1)
    line.holds()
    assert line.is_free(5)
    assert line.problem == ""


def test_attempts_that_fail_together_count_once() -> None:
    line = Line(random.Random(1), Seconds())

    waits = [line.failed("down") for _ in range(10)]

    assert max(waits) <= 1


def test_waits_grow_to_a_cap_and_differ_by_chance() -> None:
    chance = random.Random(3)

    waits = [delay_s(failures, chance) for failures in range(1, 40)]

    assert waits[0] <= 1
    assert max(waits) <= CAP_S
    assert min(waits[10:]) >= CAP_S / 2
    assert len(set(waits)) == len(waits)


def test_somebody_who_does_not_want_to_wait_does_not() -> None:
    line = Line(random.Random(1), Seconds())
    line.failed("down")

    line.try_now()

    assert line.is_free(0)


def test_a_rate_is_over_the_last_minute() -> None:
    elapsed = Seconds()
    meter = Meter(elapsed)
    for _ in range(60):
        elapsed.now += 1
        meter.add(1_250_000)
    steady = meter.mbps
    elapsed.now += 120

    assert steady == pytest.approx(10, rel=0.05)
    assert meter.mbps == 0
    assert meter.total_bytes == 75_000_000


def test_lanes_hand_back_what_was_raised_and_go_on() -> None:
    lanes, done = Lanes(1), threading.Event()

    def fail() -> None:
        raise ConnectionError("cut")

    failed, went = lanes.submit(fail), lanes.submit(done.set)

    with pytest.raises(ConnectionError):
        failed.result(PATIENCE_S)
    went.result(PATIENCE_S)
    assert done.is_set()
    lanes.close()


def test_an_upload_that_is_taken_back_is_not_made() -> None:
    lanes, gate, ran = Lanes(1), threading.Event(), threading.Event()

    def hold() -> None:
        gate.wait()

    first = lanes.submit(hold)
    second = lanes.submit(ran.set)

    second.cancel()
    gate.set()
    first.result(PATIENCE_S)
    lanes.submit(lambda: None).result(PATIENCE_S)

    assert not ran.is_set()
    lanes.close()


def test_the_hour_of_a_window_is_the_machines_own() -> None:
    at = datetime(2026, 6, 1, 20, 0, tzinfo=UTC).astimezone()

    assert is_open(f"{at:%H}:00-{at:%H}:30", at)
