"""De-identification beside its peers: speed, right actions, burned-in text, free text, a whole series.

Prints one table and writes benchmarks/out/deid.json. Times are medians of alternating rounds on the same
input in the same folder. `--only speed,right,pixels,text,series` runs some parts, `--quick` small ones.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import deid_pixels
import deid_right
import deid_series
import deid_speed
import deid_table
import deid_text

OUT = Path(__file__).parent / "out" / "deid.json"
PARTS = {
    "speed": deid_speed.rows,
    "right": deid_right.rows,
    "pixels": deid_pixels.rows,
    "text": deid_text.rows,
    "series": deid_series.rows,
}


def main() -> None:
    """Measure, print the table, write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer files and rounds")
    parser.add_argument("--only", default=",".join(PARTS), help="some parts, with commas between")
    options = parser.parse_args()
    rows = []
    for name in options.only.split(","):
        began = time.perf_counter()
        rows += PARTS[name](quick=options.quick)
        print(f"{name}: {time.perf_counter() - began:.0f} s")
    print()
    deid_table.show(rows)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps([row.as_dict() for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
