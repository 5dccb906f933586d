"""Rewrite a data set: header bytes in, header bytes out, one decision per element.

Elements that stay are never copied one by one: a run of them is one slice of the input. What was
decided for the exact bytes of an element is remembered for the case it was decided in, because in a
series nine of ten elements are the same from slice to slice. The memory is bounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collegium_deid import values
from collegium_deid.decide import is_public_scheme, new_value
from collegium_deid.dictionary import STRINGS, VRS, show
from collegium_deid.elements import (
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
)
from collegium_deid.errors import NeedMoreBytes, Rejected
from collegium_deid.profile import REMOVE, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collegium_deid.decide import Case

_MEMO_ENTRIES: Final = 20_000
_MEMO_ELEMENT_BYTES: Final = 4096
_MEMO_LEAF_BYTES: Final = 256
_CHARACTER_SET: Final = 0x00080005
_SCHEME: Final = 0x00080102
_MEANING: Final = 0x00080104
_TEXT_VRS: Final = frozenset({"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
_DUMMY: Final = Rule("D", "D", "D")
_KEEP_MEANING: Final = Rule("K", "T", "D")


class Rewriter:
    """Rewrites data sets of one case; remembers decisions by the bytes of an element."""

    def __init__(self, case: Case, *, explicit: bool) -> None:
        self.case = case
        self.explicit = explicit
        self.rules = case.recipe.rules
        # Bytes of an element -> (bytes to write or None when it stays, its action codes). One memory for
        # each way of reading: explicit, inside a dummy, behind a public code scheme.
        self.memos: list[dict[bytes, tuple[bytes | None, str]]] = [{} for _ in range(8)]

    def top_level(
        self, buf: bytes, elements: Iterable[Element], inserts: list[tuple[int, bytes]]
    ) -> tuple[list[bytes], str]:
        """Rewrite the walked top level.

        Args:
            inserts: elements of our own, ascending; they replace an element of the same tag.

        Returns:
            The pieces of the new data set, and one letter per decided element.
        """
        out: list[bytes] = []
        codes: list[str] = []
        keep, code, known = out.append, codes.append, self.memos[self.explicit << 2].get
        waiting = iter([*inserts, (0x1_0000_0000, b"")])
        next_tag, next_bytes = next(waiting)
        run = end = 0
        for tag, vr, start, value, end, _undefined in elements:
            if not run:
                run = start
            replaced = False
            while tag >= next_tag:
                keep(buf[run:start])
                keep(next_bytes)
                run = start
                replaced = tag == next_tag
                next_tag, next_bytes = next(waiting)
            if replaced:
                run = end
                code("D")
                continue
            raw = buf[start:end] if end - start <= _MEMO_ELEMENT_BYTES else b""
            found = known(raw)
            if found is None:
                found = self.element(buf, tag, vr, start, value, end, raw)
            new, letters = found
            code(letters)
            if new is not None:
                if run < start:
                    keep(buf[run:start])
                keep(new)
                run = end
        keep(buf[run:end])
        while next_bytes:
            keep(next_bytes)
            next_tag, next_bytes = next(waiting)
        return out, "".join(codes)

    def element(
        self, buf: bytes, tag: int, vr: bytes, start: int, value: int, end: int, raw: bytes
    ) -> tuple[bytes | None, str]:
        """Decide one top-level element and remember it when it is short enough."""
        decided = self._decide(buf, tag, vr, start, value, end, explicit=self.explicit)
        if raw:
            self._remember(self.memos[self.explicit << 2], raw, decided)
        return decided

    def _remember(
        self, memo: dict[bytes, tuple[bytes | None, str]], raw: bytes, decided: tuple[bytes | None, str]
    ) -> None:
        if len(memo) > _MEMO_ENTRIES:
            memo.clear()
        memo[raw] = decided

    def _decide(
        self, buf: bytes, tag: int, vr: bytes, start: int, value: int, end: int, *, explicit: bool
    ) -> tuple[bytes | None, str]:
        rule = self.rules.get(tag, REMOVE)
        if rule.how in "XZ":
            return self._leaf(self.case, rule, buf, tag, vr, start, value, end, explicit=explicit)
        if vr == b"SQ" or (vr == b"UN" and VRS.get(tag) == "SQ"):
            if rule.how not in "RN":  # a sequence where the dictionary knows none
                return b"", "X"
            inner = explicit and vr == b"SQ"
            undefined = U32(buf, value - 4)[0] == UNDEFINED
            pieces, codes, _ = self._sequence(
                self.case, buf, value, None if undefined else end, inner, 1, dummy=rule.how == "N"
            )
            return self._header(tag, vr, pieces, explicit=explicit), rule.action + codes
        return self._leaf(self.case, rule, buf, tag, vr, start, value, end, explicit=explicit)

    def _header(self, tag: int, vr: bytes, content: bytes, *, explicit: bool) -> bytes:
        return values.element(tag, vr, content, explicit=explicit)

    def _leaf(
        self,
        case: Case,
        rule: Rule,
        buf: bytes,
        tag: int,
        vr: bytes,
        start: int,
        value: int,
        end: int,
        *,
        explicit: bool,
    ) -> tuple[bytes | None, str]:
        if rule.how in "RN":
            return b"", "X"  # a value where the dictionary knows a sequence
        name = vr.decode("ascii")
        if name == "UN":
            name = VRS.get(tag, "UN")
        old = buf[value:end]
        new = new_value(case, tag, rule, name, old)
        if new is None:
            return b"", "X"
        if new is old:
            return None, rule.action
        return values.element(tag, vr, new, explicit=explicit), rule.action

    def _sequence(
        self, case: Case, buf: bytes, pos: int, end: int | None, explicit: bool, depth: int, *, dummy: bool
    ) -> tuple[bytes, str, int]:
        """All items of one sequence, rewritten with defined lengths; returns the offset behind it."""
        if depth > MAX_DEPTH:
            raise Rejected("deid.too_deep", f"Sequences are nested deeper than {MAX_DEPTH}.")
        limit = len(buf) if end is None else end
        out: list[bytes] = []
        codes: list[str] = []
        while end is None or pos < end:
            if pos + 8 > limit:
                raise _overrun()
            mark, length = ITEM_HEAD(buf, pos)
            pos += 8
            if mark == SEQUENCE_END:
                # Some writers close sequences of defined length too; then nothing may follow.
                if end is not None and pos != end:
                    raise _overrun()
                break
            if mark != ITEM:
                raise Rejected("deid.malformed", "A sequence holds something that is not an item.")
            stop = None if length == UNDEFINED else pos + length
            if stop is not None and stop > limit:
                raise _overrun()
            content, letters, pos = self._item(case, buf, pos, stop, limit, explicit, depth, dummy=dummy)
            out.append(values.item(content))
            codes.append(letters)
        return b"".join(out), "".join(codes), pos

    def _item(  # noqa: C901, PLR0912, PLR0915 - one loop over bytes; split, it would pass ten values around
        self,
        case: Case,
        buf: bytes,
        pos: int,
        stop: int | None,
        limit: int,
        explicit: bool,
        depth: int,
        *,
        dummy: bool,
    ) -> tuple[bytes, str, int]:
        out: list[bytes] = []
        codes: list[str] = []
        limit = limit if stop is None else stop
        run = pos
        last = -1
        public = False
        while stop is None or pos < stop:
            if pos + 8 > limit:
                raise _overrun()
            group, number, length = IMPLICIT_HEAD(buf, pos)
            tag = group << 16 | number
            value = pos + 8
            if tag == 0xFFFEE00D:  # item delimiter
                if run < pos:
                    out.append(buf[run:pos])
                if stop is not None and value != stop:
                    raise _overrun()
                return b"".join(out), "".join(codes), value
            if tag <= last:
                raise Rejected("deid.malformed", f"{show(tag)} is out of order inside a sequence.")
            last = tag
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
            rule = self.rules.get(tag, REMOVE)
            is_sequence = vr == b"SQ" or (vr == b"UN" and (length == UNDEFINED or VRS.get(tag) == "SQ"))
            if is_sequence:
                end = None if length == UNDEFINED else value + length
                if end is not None and end > limit:
                    raise _overrun()
                new, letters, after = self._inner_sequence(
                    case, rule, buf, tag, vr, value, end, explicit, depth, dummy=dummy
                )
            else:
                if length == UNDEFINED:
                    raise Rejected("deid.malformed", f"{show(tag)} inside a sequence has no length.")
                after = value + length
                if after > limit:
                    raise _overrun()
                if tag == _CHARACTER_SET:
                    case = case.with_codecs(buf[value:after])
                elif tag == _SCHEME:
                    public = is_public_scheme(buf[value:after])
                raw = buf[pos:after] if after - pos <= _MEMO_LEAF_BYTES and case is self.case else b""
                memo = self.memos[explicit << 2 | dummy << 1 | public]
                found = memo.get(raw)
                if found is None:
                    if dummy:
                        rule = _strict(rule, tag, vr)
                    elif tag == _MEANING and public and rule.how == "W":
                        rule = _KEEP_MEANING
                    found = self._leaf(case, rule, buf, tag, vr, pos, value, after, explicit=explicit)
                    if raw:
                        self._remember(memo, raw, found)
                new, letters = found
            codes.append(letters)
            if new is not None:
                if run < pos:
                    out.append(buf[run:pos])
                out.append(new)
                run = after
            pos = after
        if run < pos:
            out.append(buf[run:pos])
        return b"".join(out), "".join(codes), pos

    def _inner_sequence(
        self,
        case: Case,
        rule: Rule,
        buf: bytes,
        tag: int,
        vr: bytes,
        value: int,
        end: int | None,
        explicit: bool,
        depth: int,
        *,
        dummy: bool,
    ) -> tuple[bytes | None, str, int]:
        inner = explicit and vr == b"SQ"
        if rule.how not in "RN" and end is not None:
            empty = rule.how == "Z"
            return (self._header(tag, vr, b"", explicit=explicit) if empty else b""), rule.action, end
        content, letters, after = self._sequence(
            case, buf, value, end, inner, depth + 1, dummy=dummy or rule.how == "N"
        )
        if rule.how == "Z":
            return self._header(tag, vr, b"", explicit=explicit), "Z", after
        if rule.how not in "RN":
            return b"", "X", after
        return self._header(tag, vr, content, explicit=explicit), rule.action + letters, after


def _strict(rule: Rule, tag: int, vr: bytes) -> Rule:
    """Inside a sequence that must become a dummy: no text stays, not even a coded meaning."""
    name = vr.decode("ascii")
    if name == "UN":
        name = VRS.get(tag, "UN")
    if rule.how == "X" or name == "UI":
        return rule
    if (
        name in _TEXT_VRS
        or VRS.get(tag) in _TEXT_VRS
        or (name not in STRINGS and name[0] in "OU" and name != "UL" and name != "US")
    ):
        return _DUMMY
    return rule


def _overrun() -> NeedMoreBytes | Rejected:
    """The walk over the top level has seen the whole sequence, so a lack of bytes is a wrong length."""
    return Rejected("deid.malformed", "A length inside a sequence leaves the sequence.")
