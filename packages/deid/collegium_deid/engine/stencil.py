"""Know the next header of a series by comparing what repeats, and decide only what may vary.

A stencil is cut from headers that were cleaned the long way. It holds what repeated from one to the next as
bytes, with the bytes that became of them, and holes where something differed. Only such elements may be holes
as nothing reads but their own decision, so all that the rest follows from (whose header it is, the character
set, the kind of object, private creators) is among the bytes that must be equal. A stencil decides nothing
that the long way would decide otherwise: what does not fit goes the long way, which may cut a better one.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final, NamedTuple

from collegium_deid.engine.decide import new_uid
from collegium_deid.engine.elements import SHORT, U16, U32, Element, parse_file, parse_meta
from collegium_deid.engine.person import EMPTY_ITEM_BYTES, NESTED
from collegium_deid.engine.recent import Recent
from collegium_deid.errors import NeedMoreBytes, Rejected

if TYPE_CHECKING:
    from collegium_deid.engine.clean import Cleaned
    from collegium_deid.engine.elements import FileHead
    from collegium_deid.engine.rewrite import Rewriter
    from collegium_deid.keys import SiteKey
    from collegium_deid.rules.recipe import Recipe

SOP_INSTANCE_UID: Final = 0x00080018
# Times, numbers in the series, positions, exposure and scaling. A test fails when anything of the engine that
# reads more than the one element that it decides reads one of these.
MAY_VARY: Final = frozenset(
    (
        0x00080012, 0x00080013, SOP_INSTANCE_UID, 0x00080022, 0x00080023, 0x0008002A, 0x00080032, 0x00080033,
        0x00180080, 0x00180081, 0x00180082, 0x00180086, 0x00181060, 0x00181063,
        0x00181120, 0x00181130, 0x00181150, 0x00181151, 0x00181152, 0x00181153, 0x00181242,
        0x00181314, 0x00181316, 0x00189087, 0x00189089, 0x00189313, 0x00189318,
        0x00189324, 0x00189327, 0x00189328, 0x00189330, 0x00189332, 0x00189345,
        0x00200012, 0x00200013, 0x00200032, 0x00200037, 0x00200100, 0x00201041, 0x00209057, 0x00209128,
        0x00280106, 0x00280107, 0x00281050, 0x00281051, 0x00281052, 0x00281053,
        0x00541300, 0x00541310, 0x00541311, 0x00541321, 0x00541330,
    )
)  # fmt: skip
_SYNTAX: Final = 0x00020010
_SERIES_UID: Final = b"\x20\0\x0e\0"
_SEARCHED_BYTES: Final = 16_384
_MOST_HEAD_BYTES: Final = 65_536
_MOST_DECIDED_BYTES: Final = 256
_SERIES: Final = 32
# A series whose headers differ in what may not vary is not worth a cut each time.
_CUTS: Final = 8
_PIXEL_HEAD_BYTES: Final = 12

Where = tuple[str, "SiteKey", bytes]


class Filled(NamedTuple):
    """What a header that fits becomes."""

    sop_instance_uid: str
    """The new one."""
    pieces: list[bytes]
    """Of the new data set."""
    codes: str
    """One letter per decided element, in no order."""
    pixel_start: int


class _Hole(NamedTuple):
    """An element that differs from header to header."""

    before: bytes
    """What repeats before it, up to its own tag and, where it is written, VR."""
    tag: int
    vr: bytes
    size_at: int
    """Where its length is, and its value, counted from the end of `before`."""
    value_at: int
    is_wide: bool
    """The length has four bytes."""
    most_bytes: int
    writes: bytes | None
    """What becomes of all before it; None where the element goes unread, and the next hole tells it."""


class Stencil(NamedTuple):
    """What repeats in a series, and what became of it under one recipe, key and subject code."""

    recipe: Recipe
    rewriter: Rewriter
    syntax: bytes
    lead: int
    """How many bytes a tag has, with its VR where it is written."""
    holes: tuple[_Hole, ...]
    rest: bytes
    """What repeats behind the last hole, up to the tag and VR of the pixel data."""
    writes: bytes
    """What becomes of it."""
    codes: str
    """Of all elements but the holes that are decided."""
    made: Cleaned
    """What the header it was cut from became."""

    def fill(self, buf: bytes) -> Filled | None:
        """The new data set; None when the header does not fit, or has something that is refused."""
        try:
            meta, pos = parse_meta(buf, complete=False)
            fits = buf[128:132] == b"DICM" and meta.get(_SYNTAX) == self.syntax
            return self._filled(buf, pos) if fits else None
        except (NeedMoreBytes, Rejected):
            return None

    def _filled(self, buf: bytes, pos: int) -> Filled | None:
        out: list[bytes] = []
        codes = [self.codes]
        fits, lead, limit = buf.startswith, self.lead, len(buf) - _PIXEL_HEAD_BYTES
        uid = b""
        for before, tag, vr, size_at, value_at, is_wide, most_bytes, writes in self.holes:
            if not fits(before, pos):
                return None
            pos += len(before)
            start, value = pos - lead, pos + value_at
            if start > limit:
                return None
            size = (U32 if is_wide else U16)(buf, pos + size_at)[0]
            if size > most_bytes:
                return None
            pos = value + size
            if writes is None:
                continue
            new, letter = self.rewriter.decided(buf, Element(tag, vr, start, value, pos, undefined=False))
            out += (writes, buf[start:pos] if new is None else new)
            codes.append(letter)
            if tag == SOP_INSTANCE_UID:
                uid = buf[value:pos]
        start = pos + len(self.rest) - lead
        if start > limit or not fits(self.rest, pos):
            return None
        out.append(self.writes)
        return Filled(new_uid(self.rewriter.case, SOP_INSTANCE_UID, uid), out, "".join(codes), start)


class LongWay(NamedTuple):
    """A header that was cleaned element by element, and how."""

    recipe: Recipe
    head: FileHead
    rewriter: Rewriter
    codes: str
    made: Cleaned


class _Series(NamedTuple):
    """What is remembered of a series."""

    head: bytes
    """Its last header that went the long way."""
    varied: frozenset[int]
    stencil: Stencil | None
    cuts_left: int


class Stencils:
    """The stencils of the last series: at most 32, of headers up to 64 KB."""

    def __init__(self) -> None:
        self._series: Recent[Where, _Series] = Recent(_SERIES)

    def find(self, where: Where, recipe: Recipe) -> Stencil | None:
        """What was cut there, if it was cut under this very recipe."""
        series = self._series.get(where)
        stencil = None if series is None else series.stencil
        return None if stencil is None or stencil.recipe is not recipe else stencil

    def learn(self, where: Where, done: LongWay) -> None:
        """Remember what went the long way: the first of a series, and any that did not fit and cuts anew."""
        pixel_start = done.head.pixel_start
        if not where[2] or pixel_start is None or pixel_start > _MOST_HEAD_BYTES:
            return
        kept = done.head.buf[: pixel_start + _PIXEL_HEAD_BYTES]
        last = self._series.get(where)
        if last is None:
            self._series.put(where, _Series(kept, frozenset((SOP_INSTANCE_UID,)), None, _CUTS))
        elif last.cuts_left:
            varied = last.varied | _differing(parse_file(last.head, complete=True), done.head)
            self._series.put(
                where, _Series(kept, varied, _cut(varied, done, pixel_start), last.cuts_left - 1)
            )


def where_kept(head: bytes, recipe: Recipe, key: SiteKey) -> Where:
    """Where a stencil is kept: by what most likely is the series UID. It need not be, for a stencil compares."""
    at = head.find(_SERIES_UID, 0, _SEARCHED_BYTES)
    if at < 0 or at + 8 > len(head):
        return recipe.digest, key, b""
    size = head[at + (6 if head[at + 4 : at + 6] == b"UI" else 4)]
    return recipe.digest, key, head[at : at + 8 + size]


def _differing(last: FileHead, head: FileHead) -> set[int]:
    before = {last.buf[each.start : each.end] for each in last.elements.values()}
    return {each.tag for each in head.elements.values() if head.buf[each.start : each.end] not in before}


def _cut(varied: frozenset[int], done: LongWay, pixel_start: int) -> Stencil | None:
    """A stencil with a hole for all that varied and may vary; None when the SOP instance UID may not."""
    head, rewriter, codes = done.head, done.rewriter, done.codes
    new = parse_file(done.made.head, complete=True)
    new_tags, new_places = list(new.elements), list(new.elements.values())
    unread = rewriter.unread(head.buf, head.elements.values())
    lead = 6 if head.explicit else 4
    pos, written = head.dataset_start, new.dataset_start
    holes: dict[int, _Hole] = {}
    for element in head.elements.values():
        tag, vr, start, value, end, _ = element
        if tag not in varied or not _may_vary(element, unread):
            continue
        before, writes = head.buf[pos : start + lead], None
        if tag in MAY_VARY:
            at = bisect_left(new_tags, tag)
            until = new_places[at].start if at < len(new_tags) else len(new.buf)
            writes, written = new.buf[written:until], until
            if tag in new.elements:
                written = new.elements[tag].end
            codes = codes.replace(rewriter.decided(head.buf, element)[1], "", 1)
        is_long = value - start == 12
        holes[tag] = _Hole(
            before, tag, vr, 2 if is_long else 0, value - start - lead, is_long or not head.explicit,
            _most_bytes(element), writes,
        )  # fmt: skip
        pos = end
    if SOP_INSTANCE_UID not in holes:
        return None
    return Stencil(
        done.recipe, rewriter, head.meta[_SYNTAX], lead, tuple(holes.values()), head.buf[pos : pixel_start + lead],
        new.buf[written:], codes, done.made,
    )  # fmt: skip


def _may_vary(element: Element, unread: frozenset[int]) -> bool:
    is_one = element.vr in SHORT if element.tag in MAY_VARY else element.tag in unread
    return is_one and not element.undefined and element.end - element.value <= _most_bytes(element)


def _most_bytes(element: Element) -> int:
    """How long an element in a hole may be."""
    if element.tag in MAY_VARY:
        return _MOST_DECIDED_BYTES
    # A longer one is searched for the names of persons, whatever becomes of it.
    return EMPTY_ITEM_BYTES if element.vr in NESTED else _MOST_HEAD_BYTES
