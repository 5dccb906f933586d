"""Places where a device always writes: learned as suggestions, used once a person has confirmed them.

One small JSON file a site. It names devices and rectangles, never a text and never a patient. A
confirmed mask is hidden on every picture of its device without reading; the gate still looks at the
rest, and every n-th study is read in full, so that a changed screen layout is noticed.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from collegium_deid.engine.text import looks_identifying
from collegium_deid.errors import DeidError
from collegium_deid.pixels.extent import union
from collegium_deid.pixels.gate import Box

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from collegium_deid.engine.elements import FileHead
    from collegium_deid.pixels.result import Area

# Manufacturer, model, software, modality, rows, columns.
_DEVICE: Final = (0x00080070, 0x00081090, 0x00181020, 0x00080060)
_VERSION: Final = 1
_SAME: Final = 0.7
_MAX_BOXES: Final = 60


@dataclass(frozen=True)
class Mask:
    """The writing places of one device and matrix."""

    boxes: tuple[Box, ...]
    seen: tuple[int, ...]
    """How many objects had something hidden at each box."""
    confirmed_by: str = ""
    """Who looked at it and said yes; empty while it is a suggestion."""


class Masks:
    """All masks of a site.

    Args:
        masks: by device.
        every: a confirmed mask is verified by reading on one study in so many.
    """

    def __init__(self, masks: dict[str, Mask] | None = None, *, every: int = 20) -> None:
        self._masks = dict(masks or {})
        self.every = every

    @classmethod
    def load(cls, path: Path) -> Masks:
        """From a file that `save` wrote.

        Raises:
            DeidError: it is no such file.
        """
        try:
            read: dict[str, Any] = json.loads(path.read_bytes())  # checked field by field
            versions = {_VERSION: read["masks"]}
            masks = {
                str(device): Mask(
                    tuple(Box(*map(int, box)) for box in one["boxes"]),
                    tuple(map(int, one["seen"])), str(one["confirmed_by"]),
                )
                for device, one in versions[read["version"]].items()
            }  # fmt: skip
            return cls(masks, every=max(1, int(read["every"])))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DeidError("deid.pixels.masks", "The file of masks cannot be read.") from error

    def save(self, path: Path) -> None:
        """Whole or not at all."""
        body = {
            "version": _VERSION,
            "every": self.every,
            "masks": {k: asdict(m) for k, m in self._masks.items()},
        }
        part = path.with_name(path.name + ".part")
        part.write_text(json.dumps(body, indent=1, sort_keys=True) + "\n", "utf-8")
        part.replace(path)

    def suggestions(self) -> dict[str, Mask]:
        """What waits for a person."""
        return {device: mask for device, mask in self._masks.items() if not mask.confirmed_by}

    def confirmations(self) -> dict[str, Mask]:
        """What is hidden unread."""
        return {device: mask for device, mask in self._masks.items() if mask.confirmed_by}

    def learn(self, head: FileHead, areas: Iterable[Area]) -> None:
        """Count what was hidden on an object of a device; confirmed masks do not change."""
        self.learn_for(device_of(head), areas)

    def learn_for(self, device: str, areas: Iterable[Area]) -> None:
        """The same, for who has the key of the device and no header any more."""
        mask = self._masks.get(device, Mask((), ()))
        if mask.confirmed_by:
            return
        boxes, seen = list(mask.boxes), list(mask.seen)
        for area in areas:
            box = Box(area.x, area.y, area.x + area.width, area.y + area.height)
            at = next((n for n, known in enumerate(boxes) if _share(known, box) >= _SAME), None)
            if at is not None:
                boxes[at], seen[at] = union(boxes[at], box), seen[at] + 1
            elif len(boxes) < _MAX_BOXES:
                boxes.append(box)
                seen.append(1)
        if boxes:
            self._masks[device] = Mask(tuple(boxes), tuple(seen))

    def confirm(self, device: str, *, by: str, boxes: Sequence[Box] | None = None) -> None:
        """A person has looked: from now on these boxes are hidden unread.

        Raises:
            DeidError: nothing was learned about this device.
        """
        if device not in self._masks or not by:
            raise DeidError(
                "deid.pixels.masks", "There is no suggestion for this device, or nobody confirms it."
            )
        mask = self._masks[device]
        chosen = mask.boxes if boxes is None else tuple(boxes)
        seen = mask.seen if boxes is None else (0,) * len(chosen)
        self._masks[device] = replace(mask, boxes=chosen, seen=seen, confirmed_by=by)

    def confirmed(self, head: FileHead) -> tuple[Box, ...]:
        """What to hide on this object without reading; empty when nobody confirmed anything."""
        mask = self._masks.get(device_of(head))
        return mask.boxes if mask is not None and mask.confirmed_by else ()

    def is_due(self, head: FileHead) -> bool:
        """True when this object's study is one of those that are read in full all the same."""
        digest = hashlib.sha256(head.raw(0x0020000D).strip(b"\0 ")).digest()
        return int.from_bytes(digest[:4], "big") % self.every == 0


def device_of(head: FileHead) -> str:
    """The key of a device and matrix; whatever could be a number of one machine or person is left out."""
    words = [re.sub(r"[^A-Za-z0-9 ._-]", "", head.text(tag))[:64].strip() for tag in _DEVICE]
    words = ["" if looks_identifying(word) else word for word in words]
    sizes = [str(int.from_bytes(head.raw(tag)[:2], "little")) for tag in (0x00280010, 0x00280011)]
    return "|".join((*words, *sizes))


def _share(a: Box, b: Box) -> float:
    """Common part of two boxes."""
    width, height = a.shared(b)
    return width * height / union(a, b).area if width else 0.0
