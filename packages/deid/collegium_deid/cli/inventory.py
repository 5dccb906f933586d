"""`collegium-deid inventory`: every distinct value in cleaned files, with counts, and which are new.

What nobody thought of shows up here: a short list for a person to read, and shorter each time, because
what was accepted is known.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydicom.datadict import keyword_for_tag

from collegium_deid.cli.exits import DONE, INTERRUPTED, SOME_REJECTED
from collegium_deid.cli.options import add_source
from collegium_deid.cli.progress import Progress
from collegium_deid.cli.screen import cut
from collegium_deid.cli.sources import sources, why_skipped
from collegium_deid.cli.values import Found, is_marked, values_of
from collegium_deid.cli.workers import Stop, Workers
from collegium_deid.errors import DeidError
from collegium_deid.files import read_head

if TYPE_CHECKING:
    import argparse

    from collegium_deid.cli.exits import Commands
    from collegium_deid.cli.sources import Source

_DESCRIPTION: Final = """
Lists the distinct values of cleaned files by channel, path and VR, with counts. UIDs under the key, dates,
times, numbers and bytes are listed by their kind. With --known the values that are not in that list are
marked NEW; --accept adds them. Files that are not marked as de-identified are left out, loudly. Exit codes:
0 nothing new; 1 new values, unmarked or unreadable files; 2 wrong use.
"""
_COLUMNS: Final = ["channel", "path", "vr", "value"]
_WIDTH: Final = 100
_ATTRIBUTE: Final = 60


def add(commands: Commands) -> None:
    """Declare the command."""
    inventory = commands.add_parser("inventory", help="which values are left", description=_DESCRIPTION)
    inventory.add_argument("--known", type=Path, metavar="FILE.csv", help="values a person has accepted")
    inventory.add_argument("--accept", action="store_true", help="add what is new to --known")
    inventory.add_argument("--new-only", action="store_true", help="list only what is new")
    inventory.add_argument(
        "--channel", default="", metavar="NAME", help="instead of the recipe that the files name"
    )
    inventory.add_argument("--format", choices=("table", "csv", "json"), default="table")
    inventory.add_argument(
        "--unmarked", action="store_true", help="also files not marked as de-identified: shows patient data"
    )
    add_source(inventory)
    inventory.set_defaults(run=_inventory)


@dataclass(frozen=True)
class _Lister:
    """The values of one file; or None with why not. Picklable, never raises."""

    channel: str
    unmarked: bool

    def __call__(self, source: Source) -> tuple[Counter[Found] | None, str]:
        try:
            with source.open() as file:
                head = read_head(file).buf
            if not self.unmarked and not is_marked(head):
                return None, "NOT MARKED AS DE-IDENTIFIED"
            return values_of(head, self.channel), ""
        except DeidError as error:
            return None, "" if why_skipped(source) else f"{error.message} [{error.code}]"
        except OSError as error:
            return None, f"It cannot be read ({error.strerror})."


def _inventory(options: argparse.Namespace) -> int:
    if options.accept and (options.known is None or options.unmarked):
        raise DeidError("deid.inventory.use", "--accept needs --known, and never goes with --unmarked.")
    known = _read_known(options.known, may_be_missing=options.accept) if options.known else None
    inputs = list(sources(options.source))
    counts: Counter[Found] = Counter()
    problems = 0
    lister = _Lister(options.channel, options.unmarked)
    with Stop() as stop, Progress(len(inputs), "listed", quiet=options.quiet) as progress:
        for source, (found, problem) in Workers(lister, _lost, jobs=options.jobs, stop=stop).run(inputs):
            counts.update(found or {})
            if problem:
                problems += 1
                progress.say(f"{source}: {problem}")
            progress.step()
    new = set() if known is None else set(counts) - known
    print(_FORMATS[options.format](_rows(counts, new, new_only=options.new_only)), end="")
    if options.unmarked:
        print("This list may hold patient data.", file=sys.stderr)
    if problems:
        print(f"Files left out: {problems}, see above.", file=sys.stderr)
    if stop.asked:
        print("Stopped. The list is not complete, and nothing was accepted.", file=sys.stderr)
        return INTERRUPTED
    if options.accept and known is not None:
        _write_known(options.known, known | new)
        new = set()
    return SOME_REJECTED if new or problems else DONE


def _lost(_source: Source) -> tuple[None, str]:
    return None, "The process that worked on it died. [deid.crashed]"


_Row = tuple[Found, int, bool]


def _rows(counts: Counter[Found], new: set[Found], *, new_only: bool) -> list[_Row]:
    return [(found, counts[found], found in new) for found in sorted(counts) if found in new or not new_only]


def _name(found: Found) -> str:
    tags = [int(part[1:5] + part[6:10], 16) for part in found.path.split("/")]
    return "/".join(
        keyword_for_tag(tag) or part for tag, part in zip(tags, found.path.split("/"), strict=True)
    )


def _short(found: Found) -> str:
    """Tag and keyword; of a long path the end, which says most."""
    name = _name(found)
    room = _ATTRIBUTE - len(found.tag) - 1
    return f"{found.tag} {name if len(name) <= room else '…' + name[-room + 1 :]}"


def _table(rows: list[_Row]) -> str:
    lines = [f"{'':3} {'COUNT':>8} {'CHANNEL':12} VR {'ATTRIBUTE':{_ATTRIBUTE}} VALUE"]
    lines += [
        f"{'NEW' if is_new else '':3} {count:>8} {cut(found.channel, 12):12} {found.vr:2} "
        f"{_short(found):{_ATTRIBUTE}} {cut(found.value, _WIDTH)}"
        for found, count, is_new in rows
    ]
    return "\n".join(lines) + "\n"


def _csv(rows: list[_Row]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_COLUMNS, "attribute", "count", "new"])
    writer.writerows([*found, _name(found), count, "new" if is_new else ""] for found, count, is_new in rows)
    return out.getvalue()


def _json(rows: list[_Row]) -> str:
    listed = [
        {**found._asdict(), "attribute": _name(found), "count": count, "new": is_new}
        for found, count, is_new in rows
    ]
    return json.dumps(listed, indent=2, ensure_ascii=False) + "\n"


_FORMATS: Final = {"table": _table, "csv": _csv, "json": _json}


def _read_known(path: Path, *, may_be_missing: bool) -> set[Found]:
    if may_be_missing and not path.exists():
        return set()
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except FileNotFoundError as error:
        raise DeidError(
            "deid.inventory.known", "There is no such list yet. Add --accept to begin one with these values."
        ) from error
    except (OSError, ValueError, csv.Error) as error:
        raise DeidError("deid.inventory.known", "The list of known values cannot be read.") from error
    if not rows or rows[0] != _COLUMNS or any(len(row) != len(_COLUMNS) for row in rows):
        raise DeidError("deid.inventory.known", "This is no list of known values.")
    return {Found(*row) for row in rows[1:]}


def _write_known(path: Path, known: set[Found]) -> None:
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([_COLUMNS, *sorted(known)])
        part.replace(path)
    except OSError as error:
        raise DeidError("deid.inventory.known", "The list of known values cannot be written.") from error
