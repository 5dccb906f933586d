"""Which subject code a patient gets: one code for a run, a table, or the next free one.

A link table is a CSV file with the columns local_id and subject. It says who is who: it lies beside
the key, readable by its owner only, and never in an output folder.
"""

from __future__ import annotations

import csv
import io
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from collegium_deid.errors import DeidError, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_COLUMNS: Final = ["local_id", "subject"]
_DIGITS: Final = 4


@dataclass(frozen=True)
class OneSubject:
    """Everything belongs to one patient, who gets this code."""

    code: str

    def __call__(self, _local_id: str) -> str:
        return self.code


@dataclass(frozen=True)
class Table:
    """Codes by local id."""

    codes: Mapping[str, str] = field(repr=False)

    def __call__(self, local_id: str) -> str:
        try:
            return self.codes[local_id]
        except KeyError:
            raise Rejected(
                "deid.subject.unknown", "The table of subjects does not know this patient."
            ) from None


def read_table(path: Path) -> dict[str, str]:
    """Read a link table; commas or semicolons.

    Raises:
        DeidError: it cannot be read, or is no table of one code a patient; with the line, without values.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        raise DeidError("deid.subjects.unreadable", "The table of subjects cannot be read.") from error
    separator = ";" if ";" in text.partition("\n")[0] else ","
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    codes: dict[str, str] = {}
    if [cell.strip() for cell in next(rows, [])] != _COLUMNS:
        raise _invalid(1, "The first line must be: local_id,subject.")
    for row in rows:
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if len(cells) != 2 or not all(cells):
            raise _invalid(rows.line_num, "A local id and a subject code are expected.")
        if cells[0] in codes:
            raise _invalid(rows.line_num, "This local id is there twice.")
        if cells[1] in codes.values():
            raise _invalid(rows.line_num, "This subject code is there twice.")
        codes[cells[0]] = cells[1]
    return codes


def _invalid(line: int, message: str) -> DeidError:
    return DeidError("deid.subjects.invalid", f"Table of subjects, line {line}: {message}")


def allocate(codes: dict[str, str], local_ids: Iterable[str], prefix: str) -> dict[str, str]:
    """The table with a new code for every local id that has none: the prefix and the next free number."""
    table = dict(codes)
    pattern = re.compile(re.escape(prefix) + r"(\d+)")
    numbers = [int(found[1]) for found in map(pattern.fullmatch, codes.values()) if found]
    last = max(numbers, default=0)
    for local_id in local_ids:
        if local_id not in table:
            last += 1
            table[local_id] = f"{prefix}{last:0{_DIGITS}}"
    return table


def write_table(path: Path, codes: Mapping[str, str]) -> None:
    """Replace a link table as a whole; only its owner can read it.

    Raises:
        DeidError: it cannot be written.
    """
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerows([_COLUMNS, *codes.items()])
    part = path.with_name(path.name + ".part")
    try:
        with os.fdopen(
            os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text.getvalue())
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise DeidError("deid.subjects.not_written", "The link table cannot be written.") from error
