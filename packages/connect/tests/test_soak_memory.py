"""Days of work in minutes: the memory of every process of the gateway stays where it was.

A hospital's day is 500 CT exams of 300 images. Here exams of small images come as fast as they are taken, each
of another patient; the growth per object, times the objects of an hour of such a day, is what the requirement bounds.
`COLLEGIUM_SOAK_S` says how long (default: twenty minutes); figures are printed (`pytest -s`).
"""

import contextlib
import os
import shutil
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.filereader import read_file_meta_info

from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.gateways import GatewayProcess

SECONDS = float(os.environ.get("COLLEGIUM_SOAK_S", "1200"))
SLICES = 300  # as a CT exam has: some of what is remembered is per patient, some per object
WARM_UP = 40 * SLICES  # objects: memories of the last 32 cases fill up until then
AHEAD = 10 * SLICES  # objects: who sends faster than the gateway delivers would measure a queue that grows
OBJECTS_AN_HOUR = 500 * 300 / 24
MOST_MB_AN_HOUR = 1.0
SAMPLE_S = 1.0
FEWEST = 20  # samples, that a line through them means something


class Scanner:
    """Exams that differ in everything but their pixels, one after the other; made from bytes, which costs little."""

    def __init__(self, folder: Path) -> None:
        template = phantoms.ct_exam(folder / "template", slices=SLICES, size=64)
        image = dcmread(template.files[0])
        self._shared = [
            str(item) for item in (image.StudyInstanceUID, image.SeriesInstanceUID, image.PatientID)
        ]
        self._images = [
            (path.read_bytes(), str(read_file_meta_info(path).MediaStorageSOPInstanceUID))
            for path in template.files
        ]
        self._folder, self._exams = folder / "exam", 0

    def exam(self) -> list[Path]:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        self._exams += 1
        return [self._saved(number, *image) for number, image in enumerate(self._images)]

    def _saved(self, number: int, content: bytes, own: str) -> Path:
        for place, known in ((0, own), *enumerate(self._shared, 1)):
            tail = f"{self._exams:06d}{place}{number if known is own else 0:03d}"[-len(known) :]
            content = content.replace(known.encode(), (known[: len(known) - len(tail)] + tail).encode())
        path = self._folder / f"{number}.dcm"
        path.write_bytes(content)
        return path


class Memory:
    """Samples of main memory of a process and all below it, against time and objects delivered."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.samples: defaultdict[str, list[tuple[float, int, float]]] = defaultdict(list)
        """By process: seconds, objects, MB."""
        self._begun = time.monotonic()

    def sample(self, objects: int) -> None:
        at = time.monotonic() - self._begun
        for pid in family(self._pid):
            try:
                pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
            except OSError:
                continue  # it has just ended
            name = "gateway" if pid == self._pid else f"helper {pid}"
            self.samples[name].append((at, objects, pages * os.sysconf("SC_PAGE_SIZE") / 1e6))

    def spans(self, name: str) -> float:
        """Seconds between the first and the last sample after the warm-up; 0 where there are too few."""
        warm = self._warm(name)
        return warm[-1][0] - warm[0][0] if len(warm) >= FEWEST else 0.0

    def _warm(self, name: str) -> list[tuple[float, int, float]]:
        return [one for one in self.samples[name] if one[1] > WARM_UP]

    def slopes(self, name: str) -> tuple[float, float]:
        """MB an hour as measured, and MB per object; by least squares, after the warm-up."""
        seconds, objects, megabytes = zip(*self._warm(name), strict=True)
        return (
            3600 * statistics.linear_regression(seconds, megabytes).slope,
            statistics.linear_regression(objects, megabytes).slope,
        )


def family(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError):  # the thread has just ended
            for child in task.read_text("ascii").split():
                yield from family(int(child))


def forget(server: FakeServer) -> None:
    """The server stands in this process: what it keeps is not the gateway's, but must not fill the machine."""
    server.sent.clear()
    server.heartbeats[:-2] = []
    for delivery in list(server.deliveries.values()):
        if delivery.receipt is not None:
            delivery.objects.clear()


@pytest.mark.soak
@pytest.mark.timeout(SECONDS + 600)
@pytest.mark.requirement("C24")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads memory from /proc")
def test_memory_stays_flat_over_days_of_work(
    process: GatewayProcess, server: FakeServer, tmp_path: Path
) -> None:
    scanner, sent = Scanner(tmp_path), 0
    process.start()
    memory, ends = Memory(process.pid), time.monotonic() + SECONDS
    due = time.monotonic()

    while time.monotonic() < ends:
        if sent - len(server.receipted) > AHEAD:
            time.sleep(0.1)
        else:
            done = pacs.send(scanner.exam(), "127.0.0.1", process.receive_port, "TRIAL1", timeout_s=60.0)
            sent += sum(item.stored for item in done)
        if time.monotonic() >= due:
            due = time.monotonic() + SAMPLE_S
            memory.sample(len(server.receipted))
            forget(server)
    while len(server.receipted) < sent and time.monotonic() < ends + 300:
        time.sleep(0.5)

    assert len(server.receipted) == sent
    assert set(server.receipted.values()) == {1}
    if sent < 1.5 * WARM_UP:
        pytest.skip(f"only {sent} objects in {SECONDS:.0f} s: set COLLEGIUM_SOAK_S higher on this machine")
    whole = [name for name in memory.samples if memory.spans(name) > SECONDS / 2]
    an_hour = {name: memory.slopes(name)[1] * OBJECTS_AN_HOUR for name in whole}
    for name in whole:
        first, last = memory.samples[name][0][2], memory.samples[name][-1][2]
        per_hour, per_object = memory.slopes(name)
        print(  # noqa: T201 - the figures are what a soak is for
            f"{name}: {first:.1f} MB at the start, {last:.1f} MB at the end; {per_hour:+.2f} MB an hour at this"
            f" rate, {per_object * 1000 * SLICES:+.3f} MB per 1,000 of these exams,"
            f" {per_object * OBJECTS_AN_HOUR:+.3f} MB an hour at 500 exams of 300 a day"
        )
    print(f"{sent} objects in {sent // SLICES} exams, {SECONDS:.0f} s, {sent / SECONDS:.1f} a second")  # noqa: T201
    assert "gateway" in whole
    assert max(an_hour.values()) <= MOST_MB_AN_HOUR
