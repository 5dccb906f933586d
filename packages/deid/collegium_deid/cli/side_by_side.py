"""Two headers attribute by attribute, for the eye: what an original says and what is left of it.

Reads with pydicom, so that people see values the way other tools show them. The left side is patient
data; nothing here keeps or writes it.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydicom import dcmread
from pydicom.datadict import keyword_for_tag
from pydicom.multival import MultiValue

from collegium_deid.dictionary import show
from collegium_deid.errors import DeidError, Rejected
from collegium_deid.rules.explain import explain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

    from collegium_deid.rules.recipe import Recipe

_BYTES: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_META: Final = "Preamble and file meta information are written anew."
_CREATOR: Final = "A private creator stays when one of its elements stays."


@dataclass(frozen=True)
class Row:
    """One attribute; `before` or `after` is None where there is none."""

    depth: int
    tag: str
    name: str
    action: str
    """The code of PS3.15; + for what the recipe adds; empty in the file meta information."""
    why: str
    before: str | None
    after: str | None

    @property
    def is_changed(self) -> bool:
        return self.before != self.after


def compare(recipe: Recipe, original: bytes, cleaned: bytes) -> Iterator[Row]:
    """Every attribute of both headers, in order, sequences entered item by item.

    Raises:
        Rejected: pydicom cannot read one of them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd values are what the reader came to see
        try:
            before, after = (
                dcmread(io.BytesIO(data), stop_before_pixels=True) for data in (original, cleaned)
            )
        except Exception as error:
            raise Rejected("deid.dry_run", "The header cannot be shown.") from error
        rows = _Rows(recipe, str(before.get("SOPClassUID", "")))
        yield from rows.of(before.file_meta, after.file_meta, ())
        yield from rows.of(before, after, ())


class _Rows:
    def __init__(self, recipe: Recipe, sop_class_uid: str) -> None:
        self._recipe, self._sop_class_uid = recipe, sop_class_uid
        self._explained: dict[str, tuple[str, str]] = {}

    def of(self, before: Dataset | None, after: Dataset | None, path: tuple[str, ...]) -> Iterator[Row]:
        """The rows of one level and all below; `path`: the sequences around it."""
        old, new = _elements(before), _elements(after)
        for key in sorted({*old, *new}):
            left, right = old.get(key), new.get(key)
            element = left if left is not None else right
            if element is None:
                continue
            where = show(element.tag) if not element.tag.is_private else _private_name(element, key[1])
            action, why = self._rule(element, "/".join((*path, where)))
            if left is None and right is not None:
                action, why = "+", "The recipe adds it."
            yield Row(
                len(path), show(element.tag), _name(element, key[1]), action, why, _text(left), _text(right)
            )
            if element.VR == "SQ" and right is not None:
                yield from self._items(left, right, (*path, where))

    def _items(self, left: DataElement | None, right: DataElement, path: tuple[str, ...]) -> Iterator[Row]:
        olds = list(left.value) if left is not None and left.VR == "SQ" else []
        news = list(right.value) if right.VR == "SQ" else []
        for number in range(max(len(olds), len(news))):
            yield Row(len(path), "", f"item {number + 1}", "", "", "", "")
            yield from self.of(
                olds[number] if number < len(olds) else None,
                news[number] if number < len(news) else None,
                path,
            )

    def _rule(self, element: DataElement, where: str) -> tuple[str, str]:
        if element.tag.group == 2:
            return "", _META
        if element.tag.is_private_creator:
            return "", _CREATOR
        if where not in self._explained:
            try:
                found = explain(self._recipe, where, "" if "/" in where else self._sop_class_uid)[0]
                self._explained[where] = found.rule.action, found.reason
            except DeidError:
                self._explained[where] = "", "Inside a sequence that has no rules of its own."
        return self._explained[where]


def _elements(dataset: Dataset | None) -> dict[tuple[int, str], DataElement]:
    """By tag and, for private ones, their creator."""
    found: dict[tuple[int, str], DataElement] = {}
    if dataset is None:
        return found
    for tag in sorted(dataset.keys()):
        try:
            element = dataset[tag]
        except Exception:  # noqa: BLE001, S112 - pydicom cannot read it at all; the engine judges raw bytes
            continue
        found[int(tag), _creator(dataset, element)] = element
    return found


def _creator(dataset: Dataset, element: DataElement) -> str:
    if not element.tag.is_private or element.tag.is_private_creator:
        return ""
    creator = element.tag.group, element.tag.element >> 8
    return str(dataset[creator].value).strip() if creator in dataset else ""


def _private_name(element: DataElement, creator: str) -> str:
    return f"{creator or '?'} ({element.tag.group:04X},xx{element.tag.element & 0xFF:02X})"


def _name(element: DataElement, creator: str) -> str:
    if element.tag.is_private:
        return f"[{creator}]" if creator else "private creator"
    return keyword_for_tag(element.tag) or "unknown"


def _text(element: DataElement | None) -> str | None:
    if element is None:
        return None
    value = element.value
    if element.VR == "SQ":
        return f"({len(value)} {'item' if len(value) == 1 else 'items'})"
    if element.VR in _BYTES or isinstance(value, bytes):
        return f"({len(value or b'')} bytes)"
    text = (
        "\\".join(map(str, value)) if isinstance(value, MultiValue) else "" if value is None else str(value)
    )
    return " ".join(text.split())
