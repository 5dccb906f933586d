"""Planted identity: which actions are right and in how many files a token is left, ours and the peers'."""

from __future__ import annotations

import io
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import deid_peers
from deid_input import subjects
from deid_speed import header_only
from deid_table import Row

from collegium_deid import DeidError, SiteKey
from collegium_deid.files import Task, write_cleaned
from collegium_testkit.planted import plant, score, total

if TYPE_CHECKING:
    from collegium_testkit.planted import Planted, Score

PEER_FILES = 90


def rows(*, quick: bool) -> list[Row]:
    """Planted actions right, and files with a token left, beside the best peer."""
    count = 120 if quick else 1000
    with tempfile.TemporaryDirectory() as folder:
        mine = _ours(count)
        peers = _peers(Path(folder), list(plant(2, PEER_FILES)))
    best = max(peers, key=lambda name: peers[name].share)
    fewest = min(peers, key=lambda name: peers[name].files_with_tokens)
    wrong = ", ".join(
        f"{action} {required - right:.0f} of {required}"
        for action, (right, required) in mine.by_action().items()
        if right < required
    )
    others = ", ".join(
        f"{name} {each.share:.1%} right, {each.files_with_tokens} with a token, {each.missing} failed"
        for name, each in peers.items()
    )
    return [
        Row(
            "planted actions right, trial recipe", 100 * mine.share, "%", ">= 99.9 %", mine.share >= 0.999,
            100 * peers[best].share, best,
            note=f"{count} objects, {mine.missing} refused; wrong: {wrong or 'none'}. Peers on {PEER_FILES}: {others}",
        ),
        Row(
            f"files with any identity token left, of {count}", mine.files_with_tokens, "", "0",
            mine.files_with_tokens == 0, peers[fewest].files_with_tokens * count / PEER_FILES,
            f"{fewest}, as many of {count}",
        ),
    ]  # fmt: skip


def _ours(count: int) -> Score:
    half = -(-count // 2)
    with ProcessPoolExecutor(2) as processes:
        halves = list(processes.map(_half, ((2, half), (3, count - half))))
    # Other people in each half: what has to agree between files was judged inside it.
    return total(replace(each, uids={}, offsets={}, codes={}) for each in halves)


def _half(share: tuple[int, int]) -> Score:
    task = Task(header_only(), SiteKey(bytes(32)), subjects(f"S{share[0]}"))
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "part"
        return total(score(planted, _cleaned(task, planted, part)) for planted in plant(*share))


def _cleaned(task: Task, planted: Planted, part: Path) -> bytes | None:
    try:
        write_cleaned(task, io.BytesIO(planted.data), part)
    except DeidError:
        return None
    return part.read_bytes()


def _peers(root: Path, planted: list[Planted]) -> dict[str, Score]:
    source = root / "planted"
    source.mkdir()
    for one in planted:
        (source / one.file_name).write_bytes(one.data)
    result = {}
    for name in deid_peers.available():
        if name == "pydicom":  # a script of ours, no tool
            continue
        target = root / name
        deid_peers.run(name, source, target)
        outputs = {file.name: file.read_bytes() for file in target.iterdir()}
        result[name] = total(score(one, outputs.get(one.file_name)) for one in planted)
    return result
