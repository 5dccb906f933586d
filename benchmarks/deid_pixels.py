"""Burned-in text: how much that identifies is hidden, how much that helps is kept, what is left alone."""

from __future__ import annotations

import io
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import deid_peers
from deid_table import Row
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from collegium_deid import Rejected, SiteKey, clean_object, load_recipe
from collegium_deid.engine.convert import prepare
from collegium_deid.engine.pixelplan import Look
from collegium_deid.pixels import clean_pixels
from collegium_testkit import burned, real_data

_SEED = 4000
_PROCESSES = 2
_REAL = ("ct_head_phantom", "petct_mr_sts043", "mr_series_16")
"""Looked at by a person: nothing is written in these pictures."""


@dataclass
class Tally:
    """Lines by what became of them."""

    clear: list[float] = field(default_factory=list)
    """Hidden share of identifying lines at a contrast of half or more."""
    faint: list[float] = field(default_factory=list)
    """The same at a contrast about 0.3 over anatomy."""
    kept: list[float] = field(default_factory=list)
    scenes: int = 0
    refused: int = 0
    refused_kinds: list[str] = field(default_factory=list)

    def add(self, scene: burned.Scene, output: bytes | None) -> None:
        self.scenes += 1
        if output is None:
            self.refused += 1
            self.refused_kinds.append(scene.name)
            self.kept += [0.0] * len(scene.diagnostic)
            return
        for line, share in zip(scene.identifying, burned.hidden(scene, output), strict=True):
            if line.contrast >= 0.5:
                self.clear.append(share)
            elif 0.25 <= line.contrast <= 0.35 and line.over_anatomy:
                self.faint.append(share)
        self.kept += burned.kept(scene, output)

    def merge(self, other: Tally) -> None:
        self.clear += other.clear
        self.faint += other.faint
        self.kept += other.kept
        self.scenes, self.refused = self.scenes + other.scenes, self.refused + other.refused
        self.refused_kinds += other.refused_kinds


def rows(*, quick: bool) -> list[Row]:
    """Burned-in text hidden and kept, and text-free pictures changed."""
    shares = [(_SEED + part, 14 if quick else 56) for part in range(_PROCESSES)]
    mine, changed, looked = Tally(), 0, 0
    with ProcessPoolExecutor(_PROCESSES) as processes:
        for tally in processes.map(_judged, shares):
            mine.merge(tally)
        twins = [(_SEED + part, 10 if quick else 40) for part in range(_PROCESSES)]
        for count, wrong in (*processes.map(_twins, twins), *processes.map(_real, _real_files(quick=quick))):
            looked, changed = looked + count, changed + wrong
    peer = _peer(14 if quick else 56)
    fires, seen = _detector_alone(6 if quick else 20)
    refused = f" ({', '.join(mine.refused_kinds)})" if mine.refused_kinds else ""
    note = f"{mine.scenes} scenes, {mine.refused} refused{refused}; "
    clear, faint, kept = _percent(mine.clear), _percent(mine.faint), _percent(mine.kept)
    name = "deid, regions of known devices" if peer else "deid"
    return [
        Row(
            "burned-in identity hidden, contrast >= 50 %", clear, "%", ">= 97 %", clear >= 97,
            _percent(peer.clear) if peer else None, name, note=f"{note}{len(mine.clear)} lines of what left",
        ),
        Row(
            "the same at 30 % over anatomy", faint, "%", ">= 80 %", faint >= 80,
            _percent(peer.faint) if peer else None, name, note=f"{len(mine.faint)} lines",
        ),
        Row(
            "diagnostic burned-in text kept, whitelist", kept, "%", ">= 90 %", kept >= 90,
            _percent(peer.kept) if peer else None, name, note=f"{len(mine.kept)} lines, of refused scenes as lost",
        ),
        Row(
            f"text-free CT/MR changed or refused, of {looked}", changed, "", "0", changed == 0,
            fires * looked / seen, f"detector alone, as many of {looked}",
        ),
    ]  # fmt: skip


def _percent(shares: list[float]) -> float:
    """Lines of which enough is hidden, or kept."""
    return 100 * sum(share >= burned.ENOUGH for share in shares) / max(1, len(shares))


def _cleaned(data: bytes) -> bytes | None:
    """The output by the trial recipe (whitelist, every picture looked at), or None when refused."""
    recipe = load_recipe("trial")
    try:
        data = prepare(data)
        cleaned = clean_object(data, recipe=recipe, key=SiteKey(bytes(32)), subject="S-001", complete=True)
        if cleaned.plan.look is Look.NONE:
            raise AssertionError("The trial recipe looks at every picture.")
        done = clean_pixels(data, cleaned, recipe=recipe)
    except Rejected:
        return None
    return b"".join([done.head, *map(bytes, done.pixels)])


def _judged(share: tuple[int, int]) -> Tally:
    tally = Tally()
    for scene in burned.scenes(*share):
        tally.add(scene, _cleaned(scene.data))
    return tally


def _twins(share: tuple[int, int]) -> tuple[int, int]:
    """Of how many pictures without text how many were changed or refused."""
    wrong = 0
    for scene in burned.scenes(*share, kinds=("ct", "mr"), with_text=False):
        output = _cleaned(scene.data)
        wrong += output is None or not burned.is_untouched(scene, output)
    return share[1], wrong


def _real_files(*, quick: bool) -> list[list[Path]]:
    folder = real_data.folder()
    if folder is None:
        print("left out, not on this machine: real CT and MR")
        return []
    files = [file for name in _REAL for file in sorted((folder / name).rglob("*")) if _is_slice(file)]
    files = files[:: 10 if quick else 1]
    return [files[part::_PROCESSES] for part in range(_PROCESSES)]


def _is_slice(file: Path) -> bool:
    if not file.is_file() or file.suffix == ".json":
        return False
    try:
        header = dcmread(file, stop_before_pixels=True)
    except Exception:  # noqa: BLE001 - what pydicom cannot read is no picture for this part
        return False
    native = header.file_meta.get("TransferSyntaxUID") in {ExplicitVRLittleEndian, ImplicitVRLittleEndian}
    return header.get("Modality") in {"CT", "MR"} and native and "Rows" in header


def _real(files: list[Path]) -> tuple[int, int]:
    wrong = 0
    for file in files:
        data = file.read_bytes()
        output = _cleaned(data)
        before = dcmread(io.BytesIO(data)).PixelData
        if output is None or dcmread(io.BytesIO(output)).PixelData != before:
            print(f"changed or refused: {file.parent.name}/{file.name}")
            wrong += 1
    return len(files), wrong


def _peer(count: int) -> Tally | None:
    """The `deid` package's pixel cleaner over the scenes it can read: those that are not compressed."""
    if not deid_peers.install():
        return None
    scenes = [scene for scene in burned.scenes(_SEED, count) if scene.name.endswith("plicit")]
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in", Path(folder) / "out"
        source.mkdir()
        for scene in scenes:
            (source / f"{scene.name}.dcm").write_bytes(scene.data)
        deid_peers.run("deid-pixels", source, target)
        for scene in scenes:
            written = target / f"{scene.name}.dcm"
            # What it cannot do it leaves as it was.
            tally.add(scene, written.read_bytes() if written.exists() else scene.data)
    return tally


def _detector_alone(count: int) -> tuple[int, int]:
    """Pictures without text on which the text detector, unguarded, fires; of how many."""
    import numpy as np
    from rapidocr_onnxruntime import RapidOCR  # type: ignore[import-untyped] # ships no types

    engine, fires, seen = RapidOCR(), 0, 0
    for scene in burned.scenes(_SEED, count, kinds=("ct", "mr"), with_text=False):
        values = burned.pixels_of(scene.data)[0].astype(np.float32)
        low, high = np.percentile(values, (1, 99.5))
        grey = np.clip((values - low) * 255 / max(1, high - low), 0, 255).astype(np.uint8)
        found, _ = engine(grey, use_det=True, use_cls=False, use_rec=False)
        fires, seen = fires + bool(found), seen + 1
    return fires, seen
