"""`collegium-deid masks`: the places where devices write, as suggestions until a person confirms them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from collegium_deid import pixels
from collegium_deid.cli.exits import DONE
from collegium_deid.errors import DeidError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from collegium_deid.cli.exits import Commands
    from collegium_deid.pixels.gate import Box
    from collegium_deid.pixels.masks import Mask, Masks

_DESCRIPTION: Final = """
Lists what `apply --masks FILE` has learned: for each device and picture size the places where text was
hidden, and on how many pictures. Look at cleaned pictures of that device, then confirm: from then on these
places are hidden without reading, which is faster and misses nothing faint there. One study in twenty is
still read in full, so that a changed screen is noticed.
"""


def add(commands: Commands) -> None:
    """Declare the command."""
    masks = commands.add_parser("masks", help="where devices write", description=_DESCRIPTION)
    masks.add_argument("--confirm", metavar="DEVICE", help="as it is listed; needs --by")
    masks.add_argument("--by", metavar="NAME", default="", help="who looked")
    masks.add_argument("--boxes", metavar="N,N", help="only these of its places (default: all)")
    masks.add_argument("file", type=Path, metavar="FILE")
    masks.set_defaults(run=_masks)


def load(path: Path, *, may_be_missing: bool) -> Masks:
    """The masks of a file; new ones where there is none yet.

    Raises:
        DeidError: no such file, or the extra is not installed.
    """
    pixels.require()
    from collegium_deid.pixels.masks import Masks  # noqa: PLC0415 - heavy, and only here

    return Masks() if may_be_missing and not path.exists() else Masks.load(path)


def digest(masks: Masks) -> str:
    """Changes when what is confirmed does: that, and nothing else of the file, decides about pictures."""
    confirmed = {device: asdict(mask) for device, mask in masks.confirmations().items()}
    return hashlib.sha256(json.dumps(confirmed, sort_keys=True).encode()).hexdigest()


def _masks(options: argparse.Namespace) -> int:
    masks = load(options.file, may_be_missing=False)
    if options.confirm:
        masks.confirm(options.confirm, by=options.by, boxes=_chosen(options, masks))
        masks.save(options.file)
    for line in _lines(masks):
        print(line)
    return DONE


def _chosen(options: argparse.Namespace, masks: Masks) -> list[Box] | None:
    if options.boxes is None:
        return None
    mask = (masks.suggestions() | masks.confirmations()).get(options.confirm)
    boxes = () if mask is None else mask.boxes
    try:
        return [boxes[int(number) - 1] for number in options.boxes.split(",") if int(number) > 0]
    except (ValueError, IndexError) as error:
        raise DeidError("deid.pixels.masks", "--boxes takes numbers of the list, such as 1,3.") from error


def _lines(masks: Masks) -> Iterator[str]:
    for device, mask in sorted((masks.suggestions() | masks.confirmations()).items()):
        yield f"{device}: {f'confirmed by {mask.confirmed_by}' if mask.confirmed_by else 'a suggestion'}"
        yield from _places(mask)


def _places(mask: Mask) -> Iterator[str]:
    for number, (box, seen) in enumerate(zip(mask.boxes, mask.seen, strict=True), 1):
        size = f"{box.right - box.left} x {box.bottom - box.top}"
        yield f"  {number}: {size} at column {box.left}, row {box.top}; hidden on {seen} pictures"
