"""What is known of how an object was acquired: a few numbers and codes of closed lists, no identifier."""

import json
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Of one object, read from its cleaned header. What the header does not say, or the recipe removes, is None."""

    modality: str = ""
    """One of `collegium_wire.MODALITIES`, else empty."""
    body_part: str = ""
    """One of `collegium_wire.BODY_PARTS`, else empty."""
    images: int = 1
    """Frames."""
    thickness_mm: float | None = None
    spacing_mm: float | None = None
    """As the header says it."""
    position_mm: float | None = None
    """Along the normal of the image, to tell the spacing from neighbours where no header says it."""
    normal: tuple[float, ...] = ()
    has_contrast: bool = False

    def to_text(self) -> str:
        said = {
            name: value for name, value in vars(self).items() if value is not None and value not in ("", ())
        }
        return json.dumps(said, sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> Self:
        found = json.loads(text)
        return cls(**found | {"normal": tuple(found.get("normal", ()))})
