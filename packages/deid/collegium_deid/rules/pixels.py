"""What a recipe says about text in pixels. The step that does it is another room (`pixels`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

POLICIES: Final = ("all_text", "phi_only", "whitelist")
LOOKS: Final = ("all", "doubtful")
FILLS: Final = ("background", "black")
RELEASES: Final = ("person", "automatic")
# Ultrasound, secondary capture, XA, RF, visible light and endoscopy, encapsulated documents.
_LOOKED_AT: Final = ("3", "6", "7", "12", "77", "104")
_CLASSES: Final = "1.2.840.10008.5.1.4.1.1."


@dataclass(frozen=True)
class DevicePlaces:
    """Where one kind of device writes on its pictures of one size."""

    maker: str
    model: str
    rows: int
    columns: int
    boxes: tuple[tuple[int, int, int, int], ...]
    """Left, top, right, bottom in pixels from the top left; right and bottom excluded."""

    @property
    def device(self) -> tuple[str, str, int, int]:
        """What tells it from others, as `device_named` writes it."""
        return device_named(self.maker, self.model, self.rows, self.columns)


def device_named(maker: str, model: str, rows: int, columns: int) -> tuple[str, str, int, int]:
    """A kind of device and a size of picture, whatever case and blanks they are written with."""
    return " ".join(maker.casefold().split()), " ".join(model.casefold().split()), rows, columns


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
    release: str = "person"
    """Whether kinds of pictures made of screens and cameras wait at the gateway for a person: PS3.15 section E.3.1
    expects one to look. `automatic` waives it."""

    devices: tuple[DevicePlaces, ...] = ()
    """Places that are hidden unread on every frame of the named devices, besides what is found."""

    def places_of(
        self, maker: str, model: str, rows: int, columns: int
    ) -> tuple[tuple[int, int, int, int], ...]:
        """What is hidden unread on a picture of this device and size."""
        device = device_named(maker, model, rows, columns)
        return next((one.boxes for one in self.devices if one.device == device), ())

    def waits_for_a_person(self, sop_class_uid: str) -> bool:
        """True for a kind of picture that no gateway may send unseen."""
        kind = sop_class_uid.removeprefix(_CLASSES).split(".")[0]
        return self.release == "person" and kind in _LOOKED_AT
