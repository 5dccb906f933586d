"""How a view under a grant shows attributes: its fields, its UIDs, known terms, its own numbers, nothing else.

Everything here is default-deny: an element passes when its keyword, its representation and, where it holds words,
its words are known.

Source: DICOM PS3.18 annex F (JSON model).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium.imaging.archive.attributes import RENDERING, VRS, WORDS, key_of, term

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium.imaging.archive.document import Attributes, Json

_RENDERING = frozenset(map(key_of, RENDERING))
_REFERENCED, _REFERENCES = "00081155", "0008114A"
INSTANCE_NUMBER, SERIES_NUMBER, TEMPORAL_POSITION = "00200013", "00200011", "00200100"
RANKED = (INSTANCE_NUMBER, TEMPORAL_POSITION)
"""Numbers that scanners count over a whole examination: shown as their rank among what the view shows."""


@dataclass(frozen=True)
class Projection:
    """One view of one series.

    Args:
        fields: DICOM JSON names that pass, at every depth.
        named: those of them that the grant names: shown as written.
        uid: what a UID becomes that is not one of the standard's own.
        shows: whether the view shows an instance, by its archive UID; references to others are left out.
        replace: attributes set in every instance, whatever it had.
    """

    fields: frozenset[str]
    named: frozenset[str]
    uid: Callable[[str], str]
    shows: Callable[[str], bool]
    replace: Attributes

    def of(self, attributes: Attributes) -> Attributes:
        """The same attributes as this view shows them; without `replace` and without ranks."""
        found: Attributes = {}
        for name, element in attributes.items():
            if name in self.fields and element["vr"] in VRS.get(name, ()):
                values = self._values(name, element)
                if values is not None:
                    found[name] = values
        return found

    def _values(self, name: str, element: dict[str, Json]) -> dict[str, Json] | None:
        vr, values = element["vr"], element.get("Value")
        if values is None:
            return element
        shown: list[Json] = values
        if vr == "SQ":
            shown = [inside for item in values if (inside := self._item(item)) is not None]
        elif vr == "UI":
            shown = [self.uid(value) if value else None for value in values]
        elif vr == "AT":  # a pointer to a private element names its maker
            shown = values if all(int(str(value)[:4], 16) % 2 == 0 for value in values) else []
        elif vr in WORDS and name in _RENDERING and name not in self.named:
            shown = _terms(name, values)
        return {"vr": vr, "Value": shown} if shown else None

    def _item(self, item: Attributes) -> Attributes | None:
        """An item, unless it only points at what is not shown."""
        values = item.get(_REFERENCED, {}).get("Value") or ()
        if any(not self.shows(str(value)) for value in values):
            return None
        shown = self.of(item)
        return None if _REFERENCES in item and _REFERENCES not in shown else shown


def _terms(name: str, values: list[Json]) -> list[Json]:
    """Words as far as the attribute may hold them; none at all when one of them may not stand there."""
    terms = [value and term(name, str(value)) for value in values]
    return terms if all(new or not old for new, old in zip(terms, values, strict=True)) else []


def ranks(values: list[Json]) -> dict[Json, int]:
    """The place of each distinct number in their order, from 1. What is no number has none."""
    numbers = sorted({value for value in values if isinstance(value, int | float)})
    return {value: place for place, value in enumerate(numbers, 1)}
