"""PS3.15 Table E.1-1 and our additions to it, read from the package's data files."""

from __future__ import annotations

import csv
import functools
import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

EDITION: Final = "2026c"
DATA: Final[Traversable] = resources.files("collegium_deid") / "data"


@dataclass(frozen=True)
class Row:
    """One attribute of the table.

    `basic` is the basic profile's code as printed (`X/Z/D`), `options` what each option says about it.
    """

    tag: int
    keyword: str
    vr: str
    basic: str
    options: Mapping[str, str]

    @property
    def action(self) -> str:
        """The basic code resolved: right-most when the type in the IOD is not known (E.3 note on types)."""
        return self.basic.split("/")[-1].removesuffix("*")


@functools.cache
def annex_e() -> dict[int, Row]:
    """Every row with an exact tag. Curves 50xx and overlays 60xx are removed as groups by the profile."""
    rows = {}
    with (DATA / "annex_e.csv").open(encoding="utf-8") as file:
        for line in csv.DictReader(file):
            if re.fullmatch(r"[0-9A-F]{4},[0-9A-F]{4}", line["tag"]) is None:
                continue
            tag = int(line["tag"].replace(",", ""), 16)
            options = {
                name: code
                for name, code in line.items()
                if code and name not in {"tag", "keyword", "vr", "basic", "since"}
            }
            rows[tag] = Row(tag, line["keyword"], line["vr"], line["basic"], options)
    return rows


@functools.cache
def unlisted() -> dict[int, str]:
    """Attributes outside the table: tag to X (removed all the same) or T (technical text, may stay)."""
    with (DATA / "unlisted.csv").open(encoding="utf-8") as file:
        return {int(line["tag"].replace(",", ""), 16): line["action"] for line in csv.DictReader(file)}


@functools.cache
def medical_words() -> frozenset[str]:
    """The words that cleaned text may keep, in lower case."""
    text = (DATA / "words.txt").read_text("utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())
