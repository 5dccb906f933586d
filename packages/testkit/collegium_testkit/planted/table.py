"""The table of PS3.15 Annex E read once more, for the truth of planted objects: not the product's reading."""

import csv
import functools
from collections.abc import Collection
from dataclasses import dataclass
from importlib import resources
from typing import Final

TRIAL: Final = frozenset(
    {
        "clean_descriptors",
        "retain_longitudinal_modified_dates",
        "retain_patient_characteristics",
        "retain_safe_private",
    }
)
# Clean first, then retain; moved dates last (PS3.15 section E.3).
_COLUMNS: Final = (
    ("clean_descriptors", "descriptors"),
    ("clean_structured_content", "structured"),
    ("clean_graphics", "graphics"),
    ("retain_uids", "uids"),
    ("retain_patient_characteristics", "characteristics"),
    ("retain_device_identity", "device"),
    ("retain_institution_identity", "institution"),
    ("retain_longitudinal_full_dates", "full_dates"),
    ("retain_longitudinal_modified_dates", "modified_dates"),
)


@dataclass(frozen=True)
class Row:
    """One row; `cells` holds what the basic profile (`basic`) and each option's column say."""

    tag: int
    """-1 for a repeating group."""
    printed: str
    keyword: str
    vr: str
    cells: dict[str, str]

    def action(self, options: Collection[str]) -> frozenset[str]:
        """The letters that are right under these options: several where the type in the IOD decides."""
        chosen = self.cells["basic"]
        for option, column in _COLUMNS:
            if option in options and self.cells[column]:
                chosen = self.cells[column]
        return frozenset(chosen.replace("*", "").split("/"))


@functools.cache
def rows() -> tuple[Row, ...]:
    """Every row of the table in its printed order."""
    file = resources.files("collegium_deid") / "data" / "annex_e.csv"
    found = []
    for line in csv.DictReader(file.read_text("utf-8").splitlines()):
        exact = "x" not in line["tag"]
        tag = int(line["tag"].replace(",", ""), 16) if exact else -1
        cells = {name: text for name, text in line.items() if name not in {"tag", "keyword", "vr"}}
        found.append(Row(tag, line["tag"], line["keyword"], line["vr"], cells))
    return tuple(found)


@functools.cache
def plain_rows() -> tuple[Row, ...]:
    """The rows that can stand anywhere in a data set: no command, file meta, directory, group or tail."""
    away = {0x0000, 0x0002, 0x0004, 0xFFFA, 0xFFFC}
    return tuple(row for row in rows() if row.tag >= 0 and row.tag >> 16 not in away)
