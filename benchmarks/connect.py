"""The gateway beside its peers: receiving, de-identifying, delivering, and what it takes to do so.

Every process is the real one. Servers take turns within a round, so that what else the machine does
falls on all of them; a figure is the median of the rounds, a ratio the median of the ratios within
them. Ours answers when an object is de-identified (or sealed), synced and in the journal; its
inspection goes on behind that on the same cores, and is counted. What each peer does is in
`connect_peers`.

    python benchmarks/connect.py [--slices 300] [--rounds 3] [--only receive,dcmsend,...]
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import connect_delivery
import connect_limits
import connect_receiving
import connect_recovery
from connect_load import Load

if TYPE_CHECKING:
    from collections.abc import Callable

    from connect_rows import Row

OUT: Final = Path(__file__).parent / "out" / "connect.json"
PARTS: Final[dict[str, Callable[[Path, Load, int], list[Row]]]] = {
    "receive": connect_receiving.peers,
    "dcmsend": connect_receiving.dcmsend_peers,
    "flight": connect_receiving.in_flight,
    "delivery": connect_delivery.rows,
    "limits": connect_limits.rows,
    "recovery": connect_recovery.rows,
}


def main() -> None:
    """Measure the parts that are asked for, print the table, write the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between them")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="collegium-bench-"))
    folder.chmod(0o755)
    found: list[Row] = []
    try:
        load = Load(folder, asked.slices)
        for name in asked.only.split(","):
            part = folder / name
            part.mkdir(mode=0o755)
            for row in PARTS[name](part, load, asked.rounds):
                print(_line(row), flush=True)
                found.append(row)
            shutil.rmtree(part, ignore_errors=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _write(found)


def _write(found: list[Row]) -> None:
    """Put the new figures in the place of the old ones; parts that were not measured stay."""
    known = json.loads(OUT.read_text("utf-8")) if OUT.exists() else []
    rows = {(row["metric"], row["against"]): row for row in known}
    rows |= {(row.metric, row.against): asdict(row) for row in found}
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(list(rows.values()), indent=1) + "\n", "utf-8")


def _line(row: Row) -> str:
    figure = f"{row.ours:8.1f} ({row.low:.0f}-{row.high:.0f}) {row.unit}"
    peer = "" if row.peer is None else f"{row.against} {row.peer:.0f}, {row.ratio:.2f}x"
    verdict = "" if row.holds is None else f"{row.target} {'holds' if row.holds else 'FAILS'}"
    return f"{row.metric:66} {figure:28} {peer or row.against:36} {verdict}"


if __name__ == "__main__":
    main()
