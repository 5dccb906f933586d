"""How fast a header and a file are cleaned, beside every peer, on the same CT in the same place."""

from __future__ import annotations

import io
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import deid_peers
from deid_input import ct_series, subjects
from deid_table import Row
from pydicom import dcmread
from pydicom.filewriter import dcmwrite

from collegium_deid import SiteKey, clean_object, identifiers_of, load_recipe, verify_against
from collegium_deid.files import Task, place, write_cleaned
from collegium_deid.rules.recipe import parse_recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

    from collegium_deid.rules.recipe import Recipe

CTP_MS: Final = 7.4
"""RSNA CTP's anonymizer, warm, measured on such a machine with the same input; its jars are on no index."""
_HEAD_BYTES: Final = 64 * 1024
_SLOW: Final = {"deid", "dicom-anonymizer", "dicognito", "Orthanc"}
"""They get only some of the slices."""
_FEW: Final = 40


def header_only() -> Recipe:
    """The trial recipe, told to look at pixels only where header and device give a reason: here nowhere."""
    return parse_recipe(load_recipe("trial").text.replace("look: all", "look: doubtful"))


def rows(*, quick: bool) -> list[Row]:
    """Header work in memory, and file to file, alternating with the peers."""
    slices, rounds = (40, 3) if quick else (300, 5)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        files = ct_series(root / "in", slices)
        return [_header(files[:60], rounds), *_files(root, files, rounds)]


def _header(files: list[Path], rounds: int) -> Row:
    recipe, key = load_recipe("trial"), SiteKey(bytes(32))
    heads = [file.read_bytes()[:_HEAD_BYTES] for file in files]

    def ours() -> None:
        for head in heads:
            clean_object(head, recipe=recipe, key=key, subject="S-001")

    def pydicom() -> None:
        for head in heads:
            dataset = dcmread(io.BytesIO(head), stop_before_pixels=True)
            dataset.walk(_without_names)
            dcmwrite(io.BytesIO(), dataset)

    outputs = [clean_object(head, recipe=recipe, key=key, subject="S-001").head for head in heads]

    def verify() -> None:
        for head, output in zip(heads, outputs, strict=True):
            verify_against(identifiers_of(head), output)

    times = _alternating({"ours": ours, "pydicom": pydicom, "verify": verify}, 2 * rounds, len(heads))
    mine, peer = times["ours"], times["pydicom"]
    return Row(
        "header in memory, 534 KB CT, 139 attributes", mine, "ms", "<= 0.3 ms", mine <= 0.3, peer, "pydicom",
        peer / mine,
        "cleaning alone, processor time; both halves of the verification, which no peer has, take "
        f"{times['verify']:.2f} ms more",
    )  # fmt: skip


def _without_names(_: Dataset, element: DataElement) -> None:
    if element.VR == "PN":
        element.value = ""


def _files(root: Path, files: list[Path], rounds: int) -> list[Row]:
    task = Task(header_only(), SiteKey(bytes(32)), subjects())
    names = deid_peers.available()
    times: dict[str, list[float]] = {name: [] for name in ("ours", *names)}
    busy = []
    few = root / "few"
    few.mkdir()
    for file in files[:_FEW]:
        shutil.copy(file, few)
    for _ in range(rounds + 1):
        wall, processor = _ours(task, files, root / "ours")
        times["ours"].append(wall)
        busy.append(processor)
        for name in names:
            source = few if name in _SLOW else files[0].parent
            times[name].append(deid_peers.run(name, source, root / "peer").seconds * 1000)
    # The first round fills caches.
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    mine = medians.pop("ours")
    others = ", ".join(
        f"{name} {value:.1f} ms" for name, value in sorted(medians.items(), key=lambda each: each[1])
    )
    note = (
        f"ours cleans by Annex E, verifies and writes: {statistics.median(busy[1:]):.2f} ms of processor time, "
        f"the rest is waiting. {others}. "
    ) + "; ".join(f"{name}: {deid_peers.DOES[name]}" for name in medians)
    result = []
    for name, times_faster in (("dcmodify", 2), ("pydicom", 10)):
        if name in medians:
            ratio = medians[name] / mine
            target = f">= {times_faster}x {name}"
            result.append(
                Row(
                    "file to file",
                    mine,
                    "ms",
                    target,
                    ratio >= times_faster,
                    medians[name],
                    name,
                    ratio,
                    note,
                )
            )
            note = ""
    ratio = CTP_MS / mine
    said = f"CTP's {CTP_MS} ms were measured before on such a machine, warm and outside this alternation"
    return [
        *result,
        Row("file to file", mine, "ms", ">= 6x RSNA CTP", ratio >= 6, None, "RSNA CTP", ratio, said),
    ]


def _ours(task: Task, files: list[Path], target: Path) -> tuple[float, float]:
    """Milliseconds a file, on the clock and of processor time."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    part = target / "part"
    began, began_working = time.perf_counter(), time.process_time()
    for path in files:
        with path.open("rb", buffering=0) as file:
            written = write_cleaned(task, file, part)
        place(part, target / written.name)
    wall, processor = time.perf_counter() - began, time.process_time() - began_working
    return wall * 1000 / len(files), processor * 1000 / len(files)


def _alternating(works: dict[str, Callable[[], None]], rounds: int, count: int) -> dict[str, float]:
    """Milliseconds of processor time a file, so that other work does not count; the first round warms up."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds + 1):
        for name, work in works.items():
            began = time.process_time()
            work()
            times[name].append((time.process_time() - began) * 1000 / count)
    return {name: statistics.median(values[1:]) for name, values in times.items()}
