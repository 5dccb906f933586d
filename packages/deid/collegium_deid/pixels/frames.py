"""Which frames are looked at: what is read on one holds for all, but no frame goes unseen.

Text that stands still is read on a few frames spread over the loop. The gate then looks at every
frame; where it sees writing in a place nobody has judged, that frame is read too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from collegium_deid.pixels import classify
from collegium_deid.pixels.look import chains_of, part_around

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from collegium_deid.pixels.codec import Codec
    from collegium_deid.pixels.gate import Box
    from collegium_deid.pixels.look import Found, Sight

    Frame = NDArray[Any]  # its dtype is the file's

_SAMPLES: Final = 4
# A place where the gate keeps seeing what the reader does not is anatomy that moves.
_LOOKS_A_PLACE: Final = 3
_PLACE: Final = 48
_IDENTIFIES: Final = frozenset({classify.KNOWN, classify.PATTERN})


def look(sight: Sight, codec: Codec, known: Sequence[Found], *, reads_always: bool) -> list[Found]:
    """Every line of writing on any frame, with the verdict on it.

    `known`: lines that need no reading on this object: of its series, or of a confirmed mask.
    """
    count = sight.layout.frames
    samples = _spread(count) if reads_always else frozenset()
    found = list(known)
    looks: dict[tuple[int, int], int] = {}
    for number in sorted(range(count), key=lambda n: n not in samples):
        pictures = sight.pictures(codec.frame(number))
        chains = chains_of(pictures)
        places = chains if number in samples else [*chains, *sight.large(pictures)]
        fresh = [place for place in places if not _is_judged(place, found, looks)]
        if fresh or number in samples:
            within = None if number in samples else part_around(fresh, sight.layout)
            found += sight.read(pictures, chains, within=within)
            for place in {_place(box) for box in places}:
                looks[place] = looks.get(place, 0) + 1
    return found


def left_over(
    sight: Sight, changed: Callable[[int], Frame], areas: Sequence[Box], *, reads_always: bool
) -> list[Box]:
    """What still identifies after hiding, on a spread of the frames; `changed` gives one by its number.

    Where the areas came from elsewhere (`reads_always` False), the gate decides whether to read.
    """
    if not areas:
        return []
    part = part_around(areas, sight.layout)
    left: list[Box] = []
    for number in _spread(sight.layout.frames):
        pictures = sight.pictures(changed(number))
        chains = chains_of(pictures)
        if not reads_always and not any(chain.overlaps(area) for chain in chains for area in areas):
            continue
        for line in sight.read(pictures, chains, within=part):
            if line.reason is None or _is_covered(line.box, areas):
                continue
            # Cut out, anatomy looks new to the detector: away from what was hidden only clear words count.
            if line.reason in _IDENTIFIES or any(_beside(line.box, area) for area in areas):
                left.append(line.box)
    return left


def _spread(count: int) -> frozenset[int]:
    """First, last and some between."""
    return frozenset(round(n * (count - 1) / (_SAMPLES - 1)) for n in range(_SAMPLES))


def _is_judged(chain: Box, found: Sequence[Found], looks: Mapping[tuple[int, int], int]) -> bool:
    if any(chain.overlaps(line.box) for line in found):
        return True
    return looks.get(_place(chain), 0) >= _LOOKS_A_PLACE


def _place(chain: Box) -> tuple[int, int]:
    return (chain.left + chain.right) // (2 * _PLACE), (chain.top + chain.bottom) // (2 * _PLACE)


def _beside(box: Box, area: Box) -> bool:
    height = box.bottom - box.top
    return (
        box.top < area.bottom
        and area.top < box.bottom
        and (box.left - area.right < height and area.left - box.right < height)
    )


def _is_covered(box: Box, areas: Sequence[Box]) -> bool:
    """True when the middle of a box lies in an area: what is seen there is the edge of the filling."""
    x, y = (box.left + box.right) // 2, (box.top + box.bottom) // 2
    return any(a.left <= x < a.right and a.top <= y < a.bottom for a in areas)
