"""What a trial asks of an exam's acquisition, for a gateway to check: one entry a visit and modality.

The gateway does not know the visit, because dates are moved and visits are given at the server. An exam
meets the requirements when, for every modality of it that they name, it fits the entry of at least one visit.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from collegium_wire import forms
from collegium_wire.message import Message

MODALITIES: Final = frozenset({"CR", "CT", "DX", "IVUS", "MG", "MR", "NM", "OCT", "PT", "RF", "US", "XA"})
"""Image modalities that can be required (PS3.3 section C.7.3.1.1.1)."""
BODY_PARTS: Final = frozenset(
    {
        "ABDOMEN", "ABDOMENPELVIS", "ANKLE", "ARM", "BRAIN", "BREAST", "CHEST", "CHESTABDOMEN", "CHESTABDPELVIS",
        "CSPINE", "ELBOW", "EXTREMITY", "EYE", "FOOT", "HAND", "HEAD", "HEADNECK", "HEART", "HIP", "KIDNEY",
        "KNEE", "LEG", "LIVER", "LSPINE", "LUNG", "NECK", "PANCREAS", "PELVIS", "PROSTATE", "SHOULDER",
        "SKULL", "SPINE", "SSPINE", "TSPINE", "UTERUS", "WHOLEBODY", "WRIST",
    }
)  # fmt: skip
"""Body parts that can be required (PS3.16 annex L). A closed list, so that no free text is kept or told."""
CODE_CHARACTERS: Final = 20


class Unmet(StrEnum):
    """What becomes of an exam that does not meet the requirements."""

    TELL = "tell"
    """It is delivered, with what is unmet."""
    HOLD = "hold"
    """It is held until a person at the site lets it go, or what is missing has come."""


@dataclass(frozen=True, kw_only=True)
class AcquisitionRequirement(Message):
    """Of one visit and one modality. A limit of 0 is none.

    A series counts where it is of the modality and the body part, thin and dense enough, and with contrast
    where that is asked for. `images` and `series` are how many of those there must be at least.
    """

    visit: str
    """The visit's code in the project file."""
    modality: str
    body_part: str = ""
    images: int = 0
    """At least, over the series that count; also how many are waited for."""
    series: int = 0
    slice_thickness_mm: float = 0.0
    """At most."""
    slice_spacing_mm: float = 0.0
    """At most, from the middle of a slice to the middle of the next."""
    contrast: bool = False

    def __post_init__(self) -> None:
        forms.require_words(self.visit, "visit", CODE_CHARACTERS)
        forms.require_one_of(self.modality, MODALITIES, "modality")
        if self.body_part:
            forms.require_one_of(self.body_part, BODY_PARTS, "body_part")
        forms.require_count(self.images, "images")
        forms.require_count(self.series, "series")
        forms.require_count(self.slice_thickness_mm, "slice_thickness_mm")
        forms.require_count(self.slice_spacing_mm, "slice_spacing_mm")


@dataclass(frozen=True, kw_only=True)
class AcquisitionRequirements(Message):
    """All of a project. Without entries nothing is asked."""

    items: tuple[AcquisitionRequirement, ...] = ()
    takes_others: bool = True
    """Whether an exam may be of a modality that no entry names, because a visit asks for nothing."""


def in_words(asked: AcquisitionRequirement) -> str:
    """One entry as a person reads it, such as `V1: CT of CHEST, slices of at most 5 mm, at least 200 images`."""
    parts = [f"{asked.visit}: {asked.modality}" + (f" of {asked.body_part}" if asked.body_part else "")]
    if asked.contrast:
        parts.append("with contrast")
    if asked.slice_thickness_mm:
        parts.append(f"slices of at most {asked.slice_thickness_mm:g} mm")
    if asked.slice_spacing_mm:
        parts.append(f"slices at most {asked.slice_spacing_mm:g} mm apart")
    parts += [
        f"at least {count} {what}"
        for count, what in ((asked.images, "images"), (asked.series, "series"))
        if count
    ]
    return ", ".join(parts)
