"""PS3.15 Table E.1-1 and our additions to it, read from the package's data files."""

from __future__ import annotations

import csv
import functools
import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Final, NamedTuple

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

    def action(self, iod_type: str = "") -> str:
        """The basic code, resolved by the attribute's type in the IOD; the right-most when it is not known.

        Args:
            iod_type: `1`, `2` or `3` (conditional or not is the same here); empty when not known.

        References to other objects (X/Z/U*) always get new UIDs: nothing of them identifies, and the
        links between objects survive. Source: DICOM PS3.15 Table E.1-1a.
        """
        codes = self.basic.removesuffix("*").split("/")
        if iod_type == "3" and codes[-1] != "U":
            return codes[0]
        return "Z" if iod_type == "2" and "Z" in codes and codes[-1] != "U" else codes[-1]


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


class SafePrivate(NamedTuple):
    """A private attribute of PS3.15 section E.3.10: kept when its value is of this VR."""

    vr: str
    meaning: str


@functools.cache
def safe_private() -> dict[tuple[str, int], SafePrivate]:
    """By creator and by tag with the block byte cleared: ("SIEMENS MR HEADER", 0x0019000C)."""
    with (DATA / "safe_private.csv").open(encoding="utf-8") as file:
        return {
            (line["creator"], int(line["tag"].replace(",", "").replace("xx", "00"), 16)): SafePrivate(
                line["vr"], line["meaning"]
            )
            for line in csv.DictReader(file)
        }


@functools.cache
def iod_types() -> dict[str, dict[int, str]]:
    """SOP class UID to the types (1, 2, 3) of the attributes whose code depends on it, at the top level."""
    with (DATA / "types.csv").open(encoding="utf-8") as file:
        return {
            line["sop_class"]: {
                int(tag.replace(",", ""), 16): kind
                for tag, kind in line.items()
                if kind and tag != "sop_class"
            }
            for line in csv.DictReader(file)
        }


@functools.cache
def terms(kind: str) -> frozenset[str]:
    """Words of coded strings (`code`); of makers, machines and methods (`device`); of any firm (`firm`);
    `word:partner` for makers and machines called like people (`beside`); short names of people (`name`).
    """
    with (DATA / "terms.csv").open(encoding="utf-8") as file:
        lines = [line["words"] for line in csv.DictReader(file) if line["kind"] == kind]
    return frozenset(word for words in lines for word in words.split())


@functools.cache
def shared_meanings() -> frozenset[str]:
    """Meanings of the codes of PS3.16 that hold a word no list has, in lower case."""
    with (DATA / "meanings.csv").open(encoding="utf-8") as file:
        return frozenset(line["meaning"].casefold() for line in csv.DictReader(file))


@functools.cache
def medical_words() -> frozenset[str]:
    """The words that cleaned text may keep, in lower case."""
    text = (DATA / "words.txt").read_text("utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())
