"""What a benchmark judges by is what is required."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def delivery(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark from C-STORE to receipt, with a line that takes 150,000 slices in a day to the second."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import connect_delivery

    @contextmanager
    def gateway(_folder: Path, _look: str) -> Iterator[tuple[object, object]]:
        yield SimpleNamespace(pid=1, receive_port=1), SimpleNamespace(called_ae="A", calling_ae="B")

    seconds = iter(number * 86_400 / 500 for number in range(100))
    monkeypatch.setattr(connect_delivery, "_gateway", gateway)
    monkeypatch.setattr(connect_delivery, "push", lambda *_, **__: None)
    monkeypatch.setattr(connect_delivery, "receipted", lambda _: 0)
    monkeypatch.setattr(connect_delivery, "await_receipts", lambda *_: None)
    monkeypatch.setattr(connect_delivery, "resident_mb", lambda _: 1.0)
    monkeypatch.setattr(connect_delivery, "time", SimpleNamespace(perf_counter=lambda: next(seconds)))
    return sys.modules["connect_delivery"]


@pytest.mark.requirement("C22")
def test_the_benchmark_of_a_hospitals_day_counts_500_ct_exams_as_one_and_asks_for_more(
    delivery: ModuleType, tmp_path: Path
) -> None:
    exam = SimpleNamespace(objects=300, megabytes=160.0, fresh=lambda _: [b""] * 300)

    rows = delivery._delivered(tmp_path / "all", exam, 1, "all", 1)
    line = delivery._delivered(tmp_path / "doubtful", exam, 1, "doubtful", 1)[0]

    of_a_day = next(row for row in rows if row.metric.endswith("of what 500 CT a day need"))
    assert of_a_day.ours == pytest.approx(1.0)
    assert (of_a_day.target, of_a_day.holds) == (">= 20", False)
    assert (line.unit, line.target, line.holds) == ("Mbps", ">= 600", False)
    assert line.ours == pytest.approx(160 * 8 / 172.8)
