"""The part of a project file that says what a visit's exams must be, one entry a modality."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from collegium_wire import BODY_PARTS, MODALITIES, AcquisitionRequirement

if TYPE_CHECKING:
    from collegium.kit.yaml import Node

MOST_IMAGES: Final = 100_000
MOST_SERIES: Final = 1_000
MOST_MM: Final = 1_000
_KEYS: Final = ("body_part", "images", "series", "slice_thickness_mm", "slice_spacing_mm", "contrast")


def read_acquisition(node: Node, visit: str) -> tuple[AcquisitionRequirement, ...]:
    """What a visit asks.

    Raises:
        YamlError: a rule that no gateway could check.
    """
    entries: dict[str, AcquisitionRequirement] = {}
    for part in node.sequence():
        entry = _entry(part, visit)
        if entry.modality in entries:
            raise part.fault(f"There is an entry for {entry.modality} already; one a modality.")
        entries[entry.modality] = entry
    if not entries:
        raise node.fault("Write one entry a modality, or leave acquisition out where anything may come.")
    return tuple(entries.values())


def acquisition_tree(entry: AcquisitionRequirement) -> dict[str, object]:
    """An entry as the canonical file has it: what says nothing is left out."""
    said = {name: getattr(entry, name) for name in _KEYS}
    return {"modality": entry.modality} | {
        name: Decimal(f"{value:g}") if isinstance(value, float) else value
        for name, value in said.items()
        if value
    }


def _entry(node: Node, visit: str) -> AcquisitionRequirement:
    body = node.fields(required=["modality"], optional=list(_KEYS))
    return AcquisitionRequirement(
        visit=visit,
        modality=body["modality"].one_of(sorted(MODALITIES)),
        body_part=body["body_part"].one_of(sorted(BODY_PARTS)) if "body_part" in body else "",
        images=body["images"].whole(1, MOST_IMAGES) if "images" in body else 0,
        series=body["series"].whole(1, MOST_SERIES) if "series" in body else 0,
        slice_thickness_mm=_length(body["slice_thickness_mm"]) if "slice_thickness_mm" in body else 0.0,
        slice_spacing_mm=_length(body["slice_spacing_mm"]) if "slice_spacing_mm" in body else 0.0,
        contrast=body["contrast"].truth() if "contrast" in body else False,
    )


def _length(node: Node) -> float:
    """Millimetres, with at most three decimals."""
    value = node.number()
    if not 0 < value <= MOST_MM or value != round(value, 3):
        raise node.fault(f"Write a length in mm above 0 and up to {MOST_MM}, with at most three decimals.")
    return float(value)
