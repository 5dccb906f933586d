"""What a recipe says about text in pixels. The step that does it is another room (`pixels`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

POLICIES: Final = ("all_text", "phi_only", "whitelist")
LOOKS: Final = ("all", "doubtful")
FILLS: Final = ("background", "black")


@dataclass(frozen=True)
class PixelPolicy:
    """How burned-in text is treated; what cannot be judged goes to quarantine, whatever is said here."""

    policy: str
    """`all_text` hides every text, `whitelist` all but known diagnostic words, `phi_only` what identifies."""
    look: str = "doubtful"
    """`doubtful`: the pictures whose kind or header gives a reason; `all`: every picture."""
    on_uncertain: str = "quarantine"
    fill: str = "background"
    """What hidden text becomes: the colour around it, or `black`."""
    allow: tuple[str, ...] = ()
    """Words of this site that may stay besides the list, in lower case."""
