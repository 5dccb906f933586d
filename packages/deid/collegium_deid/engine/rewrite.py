"""Rewrite a data set: header bytes in, header bytes out, one decision per element.

Elements that stay are never copied one by one: a run of them is one slice of the input. What was
decided for the exact bytes of an element is remembered for the place it was decided at, because in a
series nine of ten elements are the same from slice to slice. The memory is bounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from collegium_deid.dictionary import VRS, show, vr_of
from collegium_deid.engine import charset, documents, values
from collegium_deid.engine.decide import Case, capped_years, is_public_scheme, new_value, refusal
from collegium_deid.engine.elements import (
    ITEM,
    ITEM_END_TAG,
    ITEM_HEAD,
    MAX_DEPTH,
    SEQUENCE_END,
    UNDEFINED,
    Element,
    element_at,
    overrun,
    skip_undefined,
)
from collegium_deid.engine.private import PRIVATE, Blocks, is_creator
from collegium_deid.errors import NeedMoreBytes, Rejected
from collegium_deid.rules.profile import DUMMY, REMOVE, STRUCTURE, SUBJECT, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collegium_deid.rules.tree import Rules

# What an element becomes: bytes to write, or None when it stays; and one action code per element.
Decided = tuple[bytes | None, str]
Memo = dict[bytes, Decided]

_MEMO_ENTRIES: Final = 4_096
_MEMO_ELEMENT_BYTES: Final = 4096
_MEMO_LEAF_BYTES: Final = 256
_MEMOS: Final = 64
_CHARACTER_SET: Final = 0x00080005
_PADDING: Final = 0xFFFCFFFC
_SCHEME: Final = 0x00080102
_MEANING: Final = 0x00080104
_TEXT_OR_BULK: Final = frozenset(
    {"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT", "OB", "OD", "OF", "OL", "OV", "OW", "UN"}
)
_KEEP_MEANING: Final = Rule("K", "T", "D")
_BEHIND_ALL: Final = (1 << 32, b"")
_NO_VALUE: Final = frozenset("RNQ")


class _Place(NamedTuple):
    """Where in the tree a data set lies."""

    case: Case
    rules: Rules
    explicit: bool
    dummy: bool
    """Inside a sequence that must become a dummy."""
    concept: str
    """What the content item around it is about, as `documents.concept` says."""
    depth: int
    memo: Memo
    """What was decided at such places."""


class Rewriter:
    """Rewrites data sets of one case and one kind of object; remembers decisions by the bytes of an element."""

    def __init__(self, case: Case, rules: Rules, *, explicit: bool) -> None:
        self.case = case
        self.top = _Place(case, rules, explicit, dummy=False, concept="", depth=0, memo={})
        self.memos: dict[tuple[Rules, bool, bool], Memo] = {}

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
        keep, code, known = out.append, codes.append, self.top.memo.get
        blocks = self._blocks(self.top)
        waiting = iter([*inserts, _BEHIND_ALL])
        next_tag, next_bytes = next(waiting)
        run = end = last = 0
        for element in elements:
            tag, _, start, _, after, _ = element
            if not end:
                run = start
            end = after
            if tag >= next_tag:
                keep(buf[run:start])
                run = start
                while tag >= next_tag:
                    keep(next_bytes)
                    last, (next_tag, next_bytes) = next_tag, next(waiting)
                if tag == last:
                    code("D")
                    run = end
                    continue
            if tag & PRIVATE:
                if run < start:
                    keep(buf[run:start])
                run = end
                if tag >> 8 in blocks.gone:
                    code("X")
                    continue
                new, letters, _ = self._private(self.top, blocks, buf, element, out)
                keep(new)
                code(letters)
                continue
            decided = known(buf[start:end] if end - start <= _MEMO_ELEMENT_BYTES else b"")
            if decided is None:
                decided = self.decided(buf, element)
            code(decided[1])
            if decided[0] is not None:
                if run < start:
                    keep(buf[run:start])
                keep(decided[0])
                run = end
        keep(buf[run:end])
        while next_bytes:
            keep(next_bytes)
            next_tag, next_bytes = next(waiting)
        code(blocks.letters)
        return out, "".join(codes)

    def decided(self, buf: bytes, element: Element) -> Decided:
        """One element of the top level that is not private: as it was decided before, or now."""
        raw = buf[element.start : element.end] if element.end - element.start <= _MEMO_ELEMENT_BYTES else b""
        decided = self.top.memo.get(raw)
        if decided is None:
            decided = self._standard(self.top, buf, element)
            _remember(self.top.memo, raw, decided)
        return decided

    def unread(self, buf: bytes, elements: Iterable[Element]) -> frozenset[int]:
        """The private elements of the top level that go whatever they say."""
        blocks = self._blocks(self.top)
        found: set[int] = set()
        for element in elements:
            if not element.tag & PRIVATE:
                continue
            if is_creator(element.tag) and not element.undefined:
                blocks.open(element.tag, _creator(self.top, buf, element), b"", 0)
            elif blocks.rule(element.tag)[0].how == "X":
                found.add(element.tag)
        return frozenset(found)

    def _blocks(self, place: _Place) -> Blocks:
        return Blocks(place.rules, full_dates=self.case.recipe.full_dates)

    def _rule(self, place: _Place, element: Element) -> Rule:
        rule = place.rules.standard.get(element.tag)
        if rule is None:
            # Group lengths and padding say nothing, so not even a recipe that refuses what is unknown minds them.
            empty = not element.tag & 0xFFFF or element.tag == _PADDING
            return REMOVE if empty else place.rules.unknown_standard
        if element.vr == b"UN" and self.case.recipe.un == "X" and element.tag not in STRUCTURE | SUBJECT:
            return rule if rule.how == "Q" else REMOVE
        return rule

    def _standard(self, place: _Place, buf: bytes, element: Element) -> Decided:
        """Decide one element of the top level that is not private."""
        rule = self._rule(place, element)
        if _is_sequence(element, VRS.get(element.tag)):
            return self._inner_sequence(place, rule, buf, element)[:2]
        return self._leaf(place, rule, buf, element, _name(element.tag, element.vr))

    def _private(
        self, place: _Place, blocks: Blocks, buf: bytes, element: Element, out: list[bytes]
    ) -> tuple[bytes, str, int]:
        """Decide one private element; its creator is written once it is needed. Also the offset behind it."""
        tag, vr, start, _, end, undefined = element
        if is_creator(tag) and not undefined:
            blocks.open(tag, _creator(place, buf, element), buf[start:end], len(out))
            return b"", "", end
        rule, judged_by = (REMOVE, "UN") if place.dummy else blocks.rule(tag)
        if rule.how == "Q":
            raise refusal(tag)
        new: bytes | None
        if vr == b"SQ" or undefined or (vr == b"UN" and judged_by == "SQ"):
            rule = rule if judged_by == "SQ" else REMOVE
            new, letters, end = self._inner_sequence(place, rule, buf, element)
        elif vr in (b"UN", judged_by.encode()):
            new, letters = self._leaf(place, rule, buf, element, judged_by)
            new = buf[start:end] if new is None else new
        else:
            return b"", "X", end  # not what the creator says it is
        if letters[0] != "X":
            blocks.use(tag, out)
        return new, letters, end

    def _leaf(self, place: _Place, rule: Rule, buf: bytes, element: Element, vr: str) -> Decided:
        """Decide one value that is no sequence; `vr` is the one to judge it by."""
        if rule.how in _NO_VALUE:
            if rule.how == "Q":
                raise refusal(element.tag)
            return b"", "X"  # a value where the dictionary knows a sequence
        old = buf[element.value : element.end]
        new = new_value(place.case, element.tag, rule, vr, old)
        if new is None:
            return b"", "X"
        if new is old and not len(old) & 1:
            return None, rule.action
        return values.element(element.tag, element.vr, new, explicit=place.explicit), rule.action

    def _inner_sequence(
        self, place: _Place, rule: Rule, buf: bytes, element: Element
    ) -> tuple[bytes, str, int]:
        """Decide one sequence with all it holds; returns the offset behind it."""
        tag, vr, _, value, end, undefined = element
        if rule.how == "Q":
            raise refusal(tag)
        # UN holds implicit VR whatever surrounds it (PS3.5 section 6.2.2).
        explicit = place.explicit and vr == b"SQ"
        if rule.how in "RN":
            rules, dummy = place.rules.below.get(tag, place.rules.inner), place.dummy or rule.how == "N"
            concept = place.concept if tag == documents.MEASURED_VALUE else ""
            memo = self._memo(place.case, rules, explicit=explicit, dummy=dummy)
            inside = _Place(place.case, rules, explicit, dummy, concept, place.depth + 1, memo)
            content, letters, after = self._sequence(inside, buf, value, end, undefined)
            return values.element(tag, vr, content, explicit=place.explicit), rule.action + letters, after
        after = _behind(buf, element, explicit=explicit) if undefined and place.depth else end
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
                raise overrun()
            mark, length = ITEM_HEAD(buf, pos)
            pos += 8
            if mark == SEQUENCE_END:
                # Some writers close sequences of defined length too; then nothing may follow.
                if not undefined and pos != end:
                    raise overrun()
                return b"".join(out), "".join(codes), pos
            if mark != ITEM:
                raise Rejected("deid.malformed", "A sequence holds something that is not an item.")
            stop = end if length == UNDEFINED else pos + length
            if stop > end:
                raise overrun()
            content, letters, pos = self._item(place, buf, pos, stop, length == UNDEFINED)
            out.append(values.item(content))
            codes.append(letters)
        if undefined:
            raise overrun()
        return b"".join(out), "".join(codes), pos

    def _item(  # noqa: C901, PLR0912, PLR0915 - one walk, warm too; what it decides is in methods of their own
        self, place: _Place, buf: bytes, pos: int, end: int, undefined: bool
    ) -> tuple[bytes, str, int]:
        """The elements of one item; returns the offset behind it."""
        out: list[bytes] = []
        codes: list[str] = []
        blocks: Blocks | None = None
        run, last, public, unit = pos, -1, False, ""
        while pos < end:
            element = element_at(buf, pos, end, explicit=place.explicit)
            tag, after = element.tag, element.end
            if tag == ITEM_END_TAG:
                if not undefined and element.value != end:
                    raise overrun()
                end, undefined = pos, False
                pos = element.value
                break
            if tag <= last:
                raise Rejected("deid.malformed", f"{show(tag)} is out of order inside a sequence.")
            last = tag
            new: bytes | None
            if tag & PRIVATE:
                out.append(buf[run:pos])
                run = pos
                blocks = blocks or self._blocks(place)
                new, letters, after = self._private(place, blocks, buf, element, out)
            elif _is_sequence(element, VRS.get(tag)):
                rule = self._rule(place, element)
                new, letters, after = self._inner_sequence(place, rule, buf, element)
                if tag in (documents.CONCEPT_NAME, documents.UNITS):
                    content, form = buf[element.value : after], place.explicit and element.vr == b"SQ"
                    if tag == documents.UNITS:
                        unit = documents.code_value(content, explicit=form)
                    else:
                        place = place._replace(concept=documents.concept(content, explicit=form))
            else:
                if tag == _CHARACTER_SET:
                    case = place.case.with_codecs(buf[element.value : after])
                    place = place._replace(case=case, memo={})
                elif tag == _SCHEME:
                    public = is_public_scheme(buf[element.value : after])
                if place.concept and tag in documents.VALUES:
                    new, letters = self._told_value(place, buf, element, unit)
                else:
                    new, letters = self._inner_leaf(place, buf, element, public=public)
            codes.append(letters)
            if new is not None:
                out.extend((buf[run:pos], new))
                run = after
            pos = after
        else:
            end = pos
        if undefined:
            raise overrun()
        out.append(buf[run:end])
        if blocks is not None:
            codes.append(blocks.letters)
        return b"".join(out), "".join(codes), pos

    def _memo(self, case: Case, rules: Rules, *, explicit: bool, dummy: bool) -> Memo:
        """What was decided at such places; nothing is remembered in a character set of an item's own."""
        if case is not self.case:
            return {}
        key = (rules, explicit, dummy)
        found = self.memos.get(key)
        if found is None:
            if len(self.memos) >= _MEMOS:
                self.memos.clear()
            found = self.memos[key] = {}
        return found

    def _told_value(self, place: _Place, buf: bytes, element: Element, unit: str) -> Decided:
        """The value of a content item whose concept name says that it identifies somebody, or is an age."""
        rule = self._rule(place, element)
        if rule.how in "XZ":
            return self._leaf(place, rule, buf, element, _name(element.tag, element.vr))
        if place.concept == documents.IDENTITY:
            return self._leaf(place, DUMMY, buf, element, _name(element.tag, element.vr))
        if element.tag == documents.NUMERIC_VALUE:
            old = buf[element.value : element.end]
            new = capped_years(place.case, old, unit)
            if new is not old:
                return values.element(element.tag, element.vr, new or b"", explicit=place.explicit), "C"
        return self._leaf(place, rule, buf, element, _name(element.tag, element.vr))

    def _inner_leaf(self, place: _Place, buf: bytes, element: Element, *, public: bool) -> Decided:
        """As `_leaf`, inside an item."""
        tag = element.tag
        if element.undefined:
            raise Rejected("deid.malformed", f"{show(tag)} inside a sequence has no length.")
        meaning = public and tag == _MEANING
        raw = buf[element.start : element.end] if element.end - element.start <= _MEMO_LEAF_BYTES else b""
        # One byte more than any element: the same bytes behind a public code scheme are another case.
        key = raw + b"P" if meaning and raw else raw
        decided = place.memo.get(key)
        if decided is None:
            rule = self._rule(place, element)
            if place.dummy:
                rule = _strict(rule, element)
            elif meaning and rule.how == "W":
                rule = _KEEP_MEANING
            decided = self._leaf(place, rule, buf, element, _name(tag, element.vr))
            _remember(place.memo, key, decided)
        return decided


def _creator(place: _Place, buf: bytes, element: Element) -> str:
    return (charset.decode(buf[element.value : element.end], place.case.codecs) or "").strip()


def _remember(memo: dict[bytes, Decided], raw: bytes, decided: Decided) -> None:
    if raw:
        if len(memo) > _MEMO_ENTRIES:
            memo.clear()
        memo[raw] = decided


def _behind(buf: bytes, element: Element, *, explicit: bool) -> int:
    """The offset behind a sequence of undefined length that nobody needs to read."""
    try:
        after = skip_undefined(buf, element.value, fragments=False, explicit=explicit)
    except NeedMoreBytes:
        raise overrun() from None
    if after > element.end:
        raise overrun()
    return after


def _is_sequence(element: Element, known: str | None) -> bool:
    vr = element.vr
    return vr == b"SQ" or (vr == b"UN" and (element.undefined or known == "SQ"))


def _name(tag: int, vr: bytes) -> str:
    """The VR to judge by: the file's, or the dictionary's where the file says UN."""
    return (VRS.get(tag) or vr_of(tag) or "UN") if vr == b"UN" else vr.decode("ascii")


def _strict(rule: Rule, element: Element) -> Rule:
    """Inside a sequence that must become a dummy: no text stays, not even a coded meaning; the subject code may."""
    if rule.how not in "XP" and (
        _name(element.tag, element.vr) in _TEXT_OR_BULK or VRS.get(element.tag) in _TEXT_OR_BULK
    ):
        return DUMMY
    return rule
