"""Rewrite a data set: header bytes in, header bytes out, one decision per element.

Elements that stay are never copied one by one: a run of them is one slice of the input. What was
decided for the exact bytes of an element is remembered for the case it was decided in, because in a
series nine of ten elements are the same from slice to slice. The memory is bounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from collegium_deid.dictionary import VRS, show
from collegium_deid.engine import values
from collegium_deid.engine.decide import Case, is_public_scheme, new_value
from collegium_deid.engine.elements import (
    HEAD,
    IMPLICIT_HEAD,
    ITEM,
    ITEM_HEAD,
    LONG,
    MAX_DEPTH,
    SEQUENCE_END,
    SHORT,
    U32,
    UNDEFINED,
    Element,
    implicit_vr,
    skip_undefined,
)
from collegium_deid.errors import NeedMoreBytes, Rejected
from collegium_deid.rules.profile import REMOVE, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

# What an element becomes: bytes to write, or None when it stays; and one action code per element.
Decided = tuple[bytes | None, str]

_MEMO_ENTRIES: Final = 20_000
_MEMO_ELEMENT_BYTES: Final = 4096
_MEMO_LEAF_BYTES: Final = 256
_ITEM_END_TAG: Final = 0xFFFEE00D
_CHARACTER_SET: Final = 0x00080005
_SCHEME: Final = 0x00080102
_MEANING: Final = 0x00080104
_TEXT_OR_BULK: Final = frozenset(
    {"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT", "OB", "OD", "OF", "OL", "OV", "OW", "UN"}
)
_DUMMY: Final = Rule("D", "D", "D")
_KEEP_MEANING: Final = Rule("K", "T", "D")
_BEHIND_ALL: Final = (1 << 32, b"")


class _Place(NamedTuple):
    """Where in the tree an item lies."""

    case: Case
    explicit: bool
    dummy: bool
    """Inside a sequence that must become a dummy."""
    depth: int


class Rewriter:
    """Rewrites data sets of one case; remembers decisions by the bytes of an element."""

    def __init__(self, case: Case, *, explicit: bool) -> None:
        self.case = case
        self.rules = case.recipe.rules
        self.top = _Place(case, explicit, dummy=False, depth=0)
        # One memory for each way of reading: explicit, inside a dummy, behind a public code scheme.
        self.memos: list[dict[bytes, Decided]] = [{} for _ in range(8)]

    def top_level(  # noqa: C901 - the hot loop; a call per element would double its time
        self, buf: bytes, elements: Iterable[Element], inserts: list[tuple[int, bytes]]
    ) -> tuple[list[bytes], str]:
        """Rewrite the walked top level.

        Args:
            buf: the file, as far as it was read.
            elements: in the order of the file.
            inserts: elements of our own, ascending; they replace an element of the same tag.

        Returns:
            The pieces of the new data set, and one letter per decided element.
        """
        out: list[bytes] = []
        codes: list[str] = []
        memo = self.memos[self.top.explicit << 2]
        keep, code, known = out.append, codes.append, memo.get
        waiting = iter([*inserts, _BEHIND_ALL])
        next_tag, next_bytes = next(waiting)
        run = end = 0
        for element in elements:
            tag, _, start, _, end, _ = element
            if not run:
                run = start
            raw = buf[start:end] if end - start <= _MEMO_ELEMENT_BYTES else b""
            new: bytes | None
            if tag < next_tag:
                decided = known(raw)
                if decided is None:
                    decided = self._decide(buf, element)
                    _remember(memo, raw, decided)
                new, letters = decided
                code(letters)
                if new is None:
                    continue
            else:
                new = b""
                while tag >= next_tag:
                    new += next_bytes
                    last, (next_tag, next_bytes) = next_tag, next(waiting)
                if tag != last:
                    decided = known(raw)
                    if decided is None:
                        decided = self._decide(buf, element)
                        _remember(memo, raw, decided)
                    new += raw or buf[start:end] if decided[0] is None else decided[0]
                    code(decided[1])
                else:
                    code("D")
            if run < start:
                keep(buf[run:start])
            keep(new)
            run = end
        keep(buf[run:end])
        while next_bytes:
            keep(next_bytes)
            next_tag, next_bytes = next(waiting)
        return out, "".join(codes)

    def _decide(self, buf: bytes, element: Element) -> Decided:
        """Decide one element of the top level."""
        rule = self.rules.get(element.tag, REMOVE)
        if _is_sequence(element):
            return self._inner_sequence(self.top, rule, buf, element)[:2]
        return self._leaf(self.top, rule, buf, element)

    def _leaf(self, place: _Place, rule: Rule, buf: bytes, element: Element) -> Decided:
        """Decide one value that is no sequence."""
        tag, vr = element.tag, element.vr
        if rule.how in "RN":
            return b"", "X"  # a value where the dictionary knows a sequence
        old = buf[element.value : element.end]
        new = new_value(place.case, tag, rule, _name(tag, vr), old)
        if new is None:
            return b"", "X"
        if new is old:
            return None, rule.action
        return values.element(tag, vr, new, explicit=place.explicit), rule.action

    def _inner_sequence(
        self, place: _Place, rule: Rule, buf: bytes, element: Element
    ) -> tuple[bytes, str, int]:
        """Decide one sequence with all it holds; returns the offset behind it."""
        tag, vr, _, value, end, undefined = element
        # UN holds implicit VR whatever surrounds it (PS3.5 section 6.2.2).
        inside = _Place(
            place.case, place.explicit and vr == b"SQ", place.dummy or rule.how == "N", place.depth + 1
        )
        if rule.how in "RN":
            content, letters, after = self._sequence(inside, buf, value, end, undefined)
            return values.element(tag, vr, content, explicit=place.explicit), rule.action + letters, after
        after = _behind(buf, element, explicit=inside.explicit) if undefined and place.depth else end
        if rule.how == "Z":
            return values.element(tag, vr, b"", explicit=place.explicit), "Z", after
        return b"", "X", after

    def _sequence(
        self, place: _Place, buf: bytes, pos: int, end: int, undefined: bool
    ) -> tuple[bytes, str, int]:
        """All items of one sequence, rewritten with defined lengths; returns the offset behind it."""
        if place.depth > MAX_DEPTH:
            raise Rejected("deid.too_deep", f"Sequences are nested deeper than {MAX_DEPTH}.")
        out: list[bytes] = []
        codes: list[str] = []
        while pos < end:
            if pos + 8 > end:
                raise _overrun()
            mark, length = ITEM_HEAD(buf, pos)
            pos += 8
            if mark == SEQUENCE_END:
                # Some writers close sequences of defined length too; then nothing may follow.
                if not undefined and pos != end:
                    raise _overrun()
                return b"".join(out), "".join(codes), pos
            if mark != ITEM:
                raise Rejected("deid.malformed", "A sequence holds something that is not an item.")
            stop = end if length == UNDEFINED else pos + length
            if stop > end:
                raise _overrun()
            content, letters, pos = self._item(place, buf, pos, stop, length == UNDEFINED)
            out.append(values.item(content))
            codes.append(letters)
        if undefined:
            raise _overrun()
        return b"".join(out), "".join(codes), pos

    def _item(self, place: _Place, buf: bytes, pos: int, end: int, undefined: bool) -> tuple[bytes, str, int]:
        """The elements of one item; returns the offset behind it."""
        out: list[bytes] = []
        codes: list[str] = []
        run = pos
        last = -1
        public = False
        while pos < end:
            element = _element(buf, pos, end, explicit=place.explicit)
            tag = element.tag
            if tag == _ITEM_END_TAG:
                if not undefined and element.value != end:
                    raise _overrun()
                out.append(buf[run:pos])
                return b"".join(out), "".join(codes), element.value
            if tag <= last:
                raise Rejected("deid.malformed", f"{show(tag)} is out of order inside a sequence.")
            last = tag
            new: bytes | None
            if _is_sequence(element):
                rule = self.rules.get(tag, REMOVE)
                new, letters, after = self._inner_sequence(place, rule, buf, element)
            else:
                after = element.end
                if tag == _CHARACTER_SET:
                    place = place._replace(case=place.case.with_codecs(buf[element.value : after]))
                elif tag == _SCHEME:
                    public = is_public_scheme(buf[element.value : after])
                new, letters = self._inner_leaf(place, buf, element, public=public)
            codes.append(letters)
            if new is not None:
                out.extend((buf[run:pos], new))
                run = after
            pos = after
        if undefined:
            raise _overrun()
        out.append(buf[run:pos])
        return b"".join(out), "".join(codes), pos

    def _inner_leaf(self, place: _Place, buf: bytes, element: Element, *, public: bool) -> Decided:
        """As `_leaf`, inside an item; remembered while the item speaks the character set of the file."""
        if element.undefined:
            raise Rejected("deid.malformed", f"{show(element.tag)} inside a sequence has no length.")
        memo = self.memos[place.explicit << 2 | place.dummy << 1 | public]
        short = element.end - element.start <= _MEMO_LEAF_BYTES and place.case is self.case
        raw = buf[element.start : element.end] if short else b""
        decided = memo.get(raw)
        if decided is None:
            rule = self.rules.get(element.tag, REMOVE)
            if place.dummy:
                rule = _strict(rule, element)
            elif element.tag == _MEANING and public and rule.how == "W":
                rule = _KEEP_MEANING
            decided = self._leaf(place, rule, buf, element)
            _remember(memo, raw, decided)
        return decided


def _remember(memo: dict[bytes, Decided], raw: bytes, decided: Decided) -> None:
    if raw:
        if len(memo) > _MEMO_ENTRIES:
            memo.clear()
        memo[raw] = decided


def _element(buf: bytes, pos: int, limit: int, *, explicit: bool) -> Element:
    """One element inside an item; `end` is the limit when its length is undefined."""
    if pos + 8 > limit:
        raise _overrun()
    group, number, length = IMPLICIT_HEAD(buf, pos)
    tag = group << 16 | number
    value = pos + 8
    if tag == _ITEM_END_TAG:
        return Element(tag, b"", pos, value, value, undefined=False)
    if explicit:
        _, _, vr, length = HEAD(buf, pos)
        if vr in LONG:
            if pos + 12 > limit:
                raise _overrun()
            length, value = U32(buf, pos + 8)[0], pos + 12
        elif vr not in SHORT:
            raise Rejected("deid.malformed", f"{show(tag)} inside a sequence has no known VR.")
    else:
        vr = implicit_vr(tag)
    undefined = length == UNDEFINED and vr not in SHORT
    end = limit if undefined else value + length
    if end > limit:
        raise _overrun()
    return Element(tag, vr, pos, value, end, undefined)


def _behind(buf: bytes, element: Element, *, explicit: bool) -> int:
    """The offset behind a sequence of undefined length that nobody needs to read."""
    try:
        after = skip_undefined(buf, element.value, fragments=False, explicit=explicit)
    except NeedMoreBytes:
        raise _overrun() from None
    if after > element.end:
        raise _overrun()
    return after


def _is_sequence(element: Element) -> bool:
    vr = element.vr
    return vr == b"SQ" or (vr == b"UN" and (element.undefined or VRS.get(element.tag) == "SQ"))


def _name(tag: int, vr: bytes) -> str:
    """The VR to judge by: the file's, or the dictionary's where the file says UN."""
    return VRS.get(tag, "UN") if vr == b"UN" else vr.decode("ascii")


def _strict(rule: Rule, element: Element) -> Rule:
    """Inside a sequence that must become a dummy: no text stays, not even a coded meaning."""
    if rule.how != "X" and (
        _name(element.tag, element.vr) in _TEXT_OR_BULK or VRS.get(element.tag) in _TEXT_OR_BULK
    ):
        return _DUMMY
    return rule


def _overrun() -> Rejected:
    """The walk over the top level has seen the whole sequence, so a lack of bytes is a wrong length."""
    return Rejected("deid.malformed", "A length inside a sequence leaves the sequence.")
