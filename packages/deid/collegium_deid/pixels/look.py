"""Look at one frame: gate, detection, sanity, reading, verdict.

The detector alone never hides anything: on pictures of anatomy it also boxes the skull base. A line
counts when it was read with at least two characters, or when the gate sees writing in the same place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from collegium_deid.pixels import classify, gate
from collegium_deid.pixels.classify import is_label
from collegium_deid.pixels.detect import equalised
from collegium_deid.pixels.extent import extended, is_beside, is_turned, tight, union
from collegium_deid.pixels.gate import Box
from collegium_deid.pixels.large import large_lines, seen_from_afar
from collegium_deid.pixels.picture import pictures_of
from collegium_deid.pixels.reach import read_on
from collegium_deid.pixels.region import is_outside
from collegium_deid.pixels.sanity import sane

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from collegium_deid.engine.text import KnownTokens
    from collegium_deid.pixels.detect import Line
    from collegium_deid.pixels.layout import Layout
    from collegium_deid.pixels.read import Reader, Reading
    from collegium_deid.rules.pixels import PixelPolicy

    Frame = NDArray[Any]  # its dtype is the file's
    Grey = NDArray[np.uint8]

_FEW_CHARACTERS: Final = 4
_RATHER_SURE: Final = 0.65
"""How sure a short word must be read that the gate does not see, where the header speaks for writing."""
_AROUND: Final = 64
_CLOSER: Final = 1.4


class Seen(NamedTuple):
    """A line of writing before anybody asks what it says."""

    box: Box
    reading: Reading
    is_agreed: bool
    """The gate sees letters in the same place."""


@dataclass(frozen=True)
class Found:
    """A line of writing; `reason` says why it must go, None that it may stay."""

    box: Box
    reason: str | None

    def moved(self, part: Box) -> Found:
        """The same in the picture that `part` was cut from."""
        return Found(_moved(self.box, part.left, part.top), self.reason)


@dataclass(frozen=True)
class Sight:
    """Everything that looking at the frames of one object needs."""

    reader: Reader
    layout: Layout
    photometric: str
    policy: PixelPolicy
    tokens: KnownTokens = field(repr=False)
    is_doubtful: bool
    """The header speaks for writing: short words count without the gate's word."""
    regions: list[Box]

    def pictures(self, frame: Frame) -> list[Grey]:
        return pictures_of(frame, self.layout, self.photometric)

    def large(self, pictures: Sequence[Grey]) -> list[Box]:
        """Where there may be letters too large for the gate."""
        return seen_from_afar(pictures[0], self.reader)

    def read(self, pictures: Sequence[Grey], chains: Sequence[Box], within: Box | None = None) -> list[Found]:
        """Lines of writing, inside one part of the picture when `within` is given."""
        part = within or Box(0, 0, self.layout.columns, self.layout.rows)
        cut = [picture[part.top : part.bottom, part.left : part.right] for picture in pictures]
        if self.layout.samples == 1 and self.layout.palette is None:
            cut.append(equalised(cut[0]))
        inside = [_moved(chain, -part.left, -part.top) for chain in chains]
        lines = [(seen, self.judge(seen)) for seen in lines_on(cut, inside, self.reader)]
        judged = [(seen, found) for seen, found in _with_fragments(lines) if found is not None]
        kept = [found.box for _, found in judged if found.reason is None]
        return [
            self._placed(found, cut[0], kept, inside, is_label=is_label(seen.reading.text)).moved(part)
            for seen, found in judged
        ]

    def _placed(
        self, found: Found, picture: Grey, kept: list[Box], chains: list[Box], *, is_label: bool
    ) -> Found:
        """What must go, as far as it reaches."""
        if found.reason is None:
            return found
        box = extended(picture, found.box, kept, is_label=is_label)
        box = read_on(picture, box, kept, self.reader)
        for chain in chains:
            longer = union(box, chain)
            if is_beside(found.box, chain) and not any(longer.overlaps(other) for other in kept):
                box = longer
        return Found(box, found.reason)

    def judge(self, seen: Seen) -> Found | None:
        """The verdict on one line; None when it is no writing."""
        box, reading, agrees = seen
        outside = is_outside(box, self.regions)
        if reading.is_sure:
            doubt = self.is_doubtful and reading.confidence >= _RATHER_SURE
            if not (agrees or outside or doubt or reading.characters >= _FEW_CHARACTERS):
                return None
            return Found(box, classify.reason_to_hide(reading, self.policy, self.tokens))
        if reading.characters == 1 and reading.is_clear:
            # A side or a plane; one letter names nobody.
            return Found(box, classify.ALL if self.policy.policy == "all_text" and agrees else None)
        # Speckle looks like letters to gate and detector both, but the reader finds not one character in it.
        is_writing = outside or (agrees and reading.text != "")
        return Found(box, classify.UNREADABLE) if is_writing else None


def lines_on(pictures: Sequence[Grey], chains: Sequence[Box], reader: Reader) -> list[Seen]:
    """Lines on all pictures of one frame, each place once."""
    large: list[Seen] = []
    found: list[Seen] = []
    for number, picture in enumerate(pictures):
        lines = [line for line in large_lines(picture, reader) if not _is_seen(line.box, large)]
        large += _read(picture, lines, chains, reader)
        # The second opinion looks closer too: letters of 8 or 9 pixels over anatomy need it.
        lines = sane(reader.find(picture, _CLOSER if number else 1.0), *picture.shape)
        found += _read(picture, [line for line in lines if not _is_seen(line.box, found)], chains, reader)
    # From afar some lines of small letters look like one of large ones.
    large = [line for line in large if not any(_is_small_inside(other, line) for other in found)]
    return [*large, *(line for line in found if not _is_seen(line.box, large))]


def _is_small_inside(line: Seen, large: Seen) -> bool:
    """True for a read line of letters of half the size or less in the place of a large one."""
    width, height = line.box.shared(large.box)
    is_smaller = 2 * min(_sides(line.box)) <= min(_sides(large.box))
    return line.reading.is_sure and is_smaller and width * height * 2 > line.box.area


def _read(picture: Grey, lines: Sequence[Line], chains: Sequence[Box], reader: Reader) -> list[Seen]:
    return [
        Seen(tight(picture, line.box), reading, _agrees(line.box, chains))
        for line, reading in zip(lines, reader.read(picture, lines), strict=True)
    ]


def _with_fragments(
    lines: Sequence[tuple[Seen, Found | None]],
) -> list[tuple[Seen, Found | None]]:
    """A piece without a whole word that stands close beside something hidden belongs to it."""
    hidden = [found for _, found in lines if found is not None and found.reason is not None]
    out: list[tuple[Seen, Found | None]] = []
    for seen, found in lines:
        beside = next((other for other in hidden if is_beside(other.box, seen.box)), None)
        is_kept = found is None or found.reason is None
        if is_kept and beside is not None and not classify.has_word(seen.reading.text):
            out.append((seen, Found(seen.box, beside.reason)))
        else:
            out.append((seen, found))
    return out


def chains_of(pictures: Sequence[Grey]) -> list[Box]:
    """The gate's chains on all pictures of a frame."""
    return [box for picture in pictures for box in gate.chains(picture)]


def part_around(areas: Sequence[Box], layout: Layout) -> Box:
    """What must be looked at again when these areas were changed."""
    around = max(_AROUND, *(2 * min(box.right - box.left, box.bottom - box.top) for box in areas))
    return Box(
        max(0, min(box.left for box in areas) - around), max(0, min(box.top for box in areas) - around),
        min(layout.columns, max(box.right for box in areas) + around),
        min(layout.rows, max(box.bottom for box in areas) + around),
    )  # fmt: skip


def _agrees(box: Box, chains: Sequence[Box]) -> bool:
    """True when the gate sees letters of a fitting height along enough of the line."""
    across, down, turned = box.right - box.left, box.bottom - box.top, is_turned(box)
    length, height = (down, across) if turned else (across, down)
    seen = 0
    for chain in chains:
        width, depth = box.shared(chain)
        if width:
            tall = (chain.right - chain.left) if turned else (chain.bottom - chain.top)
            seen += (depth if turned else width) if tall <= 1.4 * height else 0
    return seen >= 0.3 * length


def _sides(box: Box) -> tuple[int, int]:
    return box.right - box.left, box.bottom - box.top


def _moved(box: Box, right: int, down: int) -> Box:
    return Box(box.left + right, box.top + down, box.right + right, box.bottom + down)


def _is_seen(box: Box, found: Sequence[Seen]) -> bool:
    """True when an earlier picture of the same frame gave a readable line in the same place."""
    for other in found:
        width, height = box.shared(other.box)
        if other.reading.is_clear and width and width * height * 2 > box.area:
            return True
    return False
