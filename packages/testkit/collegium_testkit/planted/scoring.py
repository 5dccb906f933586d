"""Judge what came out: nine of the ten actions of the MIDI validation script, exact intervals, references, tokens.

Independent of the product: reads the output with a reader of its own and knows the truth from the
generator. A missing file counts as right for all that had to go and wrong for all that had to stay.
"""

import functools
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, TypeVar

from pydicom.charset import decode_bytes

from collegium_testkit.planted.build import Fact, Planted, Truth
from collegium_testkit.planted.reading import Found, Key, Output, Unreadable, read
from collegium_testkit.planted.values import TEXT, TIMES

Name = TypeVar("Name")
Value = TypeVar("Value")


class Action(StrEnum):
    """What is judged: nine of the MIDI script (`burned` judges hidden pixels), then what it overlooks."""

    TAG_RETAINED = "tag retained"
    TEXT_NOT_NULL = "text not null"
    TEXT_RETAINED = "text retained"
    TEXT_REMOVED = "text removed"
    DATE_SHIFTED = "date shifted"
    UID_CHANGED = "UID changed"
    UID_CONSISTENT = "UID consistent"
    PATIENT_ID_CONSISTENT = "patient ID consistent"
    PIXELS_RETAINED = "pixels retained"
    INTERVAL_EXACT = "interval exact"


@dataclass
class Score:
    """Counts of one or many objects. `right` may be a fraction where words of a text are counted."""

    required: Counter[Action] = field(default_factory=Counter)
    right: dict[Action, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    """What is wrong, by file and element. Planted values are invented, so they may be shown."""
    files: int = 0
    missing: int = 0
    files_with_tokens: int = 0
    uids: dict[str, set[str]] = field(default_factory=dict)
    offsets: dict[int, set[int]] = field(default_factory=dict)
    codes: dict[int, set[str]] = field(default_factory=dict)

    def tell(self, action: Action, right: float, problem: str = "") -> None:
        """Count one judgement."""
        self.required[action] += 1
        self.right[action] = self.right.get(action, 0.0) + right
        if right < 1:
            self.problems.append(f"{action}: {problem}")

    @property
    def share(self) -> float:
        """Right actions of required ones; 1.0 is perfect."""
        return sum(self.right.values()) / max(1, self.required.total())

    def by_action(self) -> dict[str, tuple[float, int]]:
        """For each action what was right and what was required."""
        return {str(action): (self.right.get(action, 0.0), count) for action, count in self.required.items()}


def score(planted: Planted, output: bytes | None) -> Score:
    """Judge one output; None when there is none. Consistency between files is judged by `total`."""
    result = Score(files=1, missing=int(output is None))
    if output is None:
        for fact in planted.truth.facts:
            _missing(result, fact)
        return result
    try:
        found = read(output)
    except Unreadable as error:
        result.tell(Action.TAG_RETAINED, 0, f"{planted.file_name} cannot be read: {error}")
        return result
    judge = _Judge(planted, found, result)
    for fact in planted.truth.facts:
        judge.fact(fact)
    judge.whole()
    return result


def total(scores: Iterable[Score]) -> Score:
    """All scores as one, and what only shows between files: UIDs, patient codes and date offsets agree."""
    whole = Score()
    for one in scores:
        whole.required.update(one.required)
        for action, right in one.right.items():
            whole.right[action] = whole.right.get(action, 0.0) + right
        whole.problems += one.problems
        whole.files, whole.missing = whole.files + one.files, whole.missing + one.missing
        whole.files_with_tokens += one.files_with_tokens
        _merge(whole.uids, one.uids)
        _merge(whole.offsets, one.offsets)
        _merge(whole.codes, one.codes)
    taken = Counter(new for news in whole.uids.values() for new in news)
    for old, news in whole.uids.items():
        one_to_one = len(news) == 1 and taken[next(iter(news))] == 1
        whole.tell(Action.UID_CONSISTENT, one_to_one, f"{old} became {sorted(news)}")
    spread = Counter(code for codes in whole.codes.values() for code in codes)
    for person, codes in whole.codes.items():
        alone = len(codes) == 1 and spread[next(iter(codes))] == 1
        whole.tell(Action.PATIENT_ID_CONSISTENT, alone, f"person {person} became {sorted(codes)}")
    for person, offsets in whole.offsets.items():
        whole.tell(
            Action.INTERVAL_EXACT, len(offsets) == 1, f"person {person} was moved by {sorted(offsets)}"
        )
    return whole


def _merge(into: dict[Name, set[Value]], more: dict[Name, set[Value]]) -> None:
    for name, values in more.items():
        into.setdefault(name, set()).update(values)


def _missing(result: Score, fact: Fact) -> None:
    """Nothing came out: what had to go is gone, what had to stay is not there."""
    stays = fact.actions & set("KCU") or fact.actions == {"D"}
    action = {"U": Action.UID_CHANGED, "K": Action.TAG_RETAINED}.get(min(fact.actions), Action.TEXT_RETAINED)
    if fact.actions == {"C"} and fact.vr in TIMES:
        action = Action.DATE_SHIFTED
    result.tell(action if stays else Action.TEXT_REMOVED, 0 if stays else 1, "no file")


class _Judge:
    def __init__(self, planted: Planted, output: Output, result: Score) -> None:
        self.planted, self.output, self.result = planted, output, result
        self.truth: Truth = planted.truth

    def find(self, path: tuple[tuple[Key, int], ...]) -> Found | None:
        item = self.output.top
        for key, number in path[:-1]:
            found = item.get(key)
            if found is None or not found.items or number >= len(found.items):
                return None
            item = found.items[number]
        return item.get(path[-1][0])

    def tell(self, action: Action, right: float, fact: Fact, problem: str) -> None:
        where = "/".join(_show(key) for key, _ in fact.path)
        text = f"{self.planted.file_name} {where} {fact.keyword} {fact.vr} {'/'.join(sorted(fact.actions))}: {problem}"
        self.result.tell(action, right, text)

    def fact(self, fact: Fact) -> None:
        found = self.find(fact.path)
        if found is None:
            gone = "X" in fact.actions
            self.tell(Action.TEXT_REMOVED if gone else Action.TAG_RETAINED, gone, fact, "gone")
            return
        if fact.vr == "SQ" or found.items is not None:
            self.sequence(fact, found)
        elif fact.actions == {"X"}:
            self.tell(Action.TEXT_REMOVED, 0, fact, "still there")
        elif "U" in fact.actions:
            self.uid(fact, found)
        elif "K" in fact.actions:
            self.kept(fact, found)
        elif fact.actions == {"C"}:
            self.cleaned(fact, found)
        else:
            self.replaced(fact, found)

    def sequence(self, fact: Fact, found: Found) -> None:
        if fact.actions == {"X"}:
            self.tell(Action.TEXT_REMOVED, 0, fact, "still there")
        elif fact.actions & set("KC"):
            self.tell(Action.TAG_RETAINED, bool(found.items), fact, "empty")
        else:
            left = _left(found.everything(), _needles(frozenset(self.truth.secrets), fact.codecs))
            self.tell(Action.TEXT_REMOVED, not left, fact, f"holds {left}")

    def uid(self, fact: Fact, found: Found) -> None:
        old, new = _plain(fact.old), _plain(found.value)
        right = new != old and (_UID.fullmatch(new) is not None)
        if right:
            self.result.uids.setdefault(old, set()).add(new)
        self.tell(Action.UID_CHANGED, right or (not new and "Z" in fact.actions), fact, new)

    def kept(self, fact: Fact, found: Found) -> None:
        self.tell(Action.TAG_RETAINED, 1, fact, "")
        same = found.value.rstrip(b"\0 ") == fact.old.rstrip(b"\0 ")
        self.tell(Action.TEXT_RETAINED, same, fact, f"{fact.old!r} became {found.value!r}")

    def cleaned(self, fact: Fact, found: Found) -> None:
        if fact.vr in TIMES:
            self.moved(fact, found)
        elif fact.vr in TEXT and fact.keep:
            text = _text(found.value, fact.codecs)
            words = set(re.split(r"[^\w]+", text.casefold()))
            kept = [word for word in fact.keep if set(re.split(r"[^\w]+", word.casefold())) <= words]
            self.tell(Action.TEXT_NOT_NULL, bool(text.strip()), fact, "empty")
            self.tell(Action.TEXT_RETAINED, len(kept) / len(fact.keep), fact, f"{fact.keep} became {text!r}")
            self.removed(fact, found)
        else:
            self.removed(fact, found)

    def moved(self, fact: Fact, found: Found) -> None:
        old, new = _plain(fact.old), _plain(found.value)
        if fact.vr == "TM":
            self.tell(Action.TEXT_RETAINED, old == new, fact, f"{old} became {new}")
            return
        days = _days(old, new)
        self.tell(Action.DATE_SHIFTED, bool(days) and old[8:] == new[8:], fact, f"{old} became {new}")
        if days:
            self.result.offsets.setdefault(self.truth.person.number, set()).add(days)

    def replaced(self, fact: Fact, found: Found) -> None:
        """Emptied, or a value that stands for nothing."""
        new, old = found.value.strip(b"\0 "), fact.old.strip(b"\0 ")
        if not new and "D" in fact.actions and not fact.actions & set("XZ") and fact.vr not in _BINARY:
            self.tell(Action.TEXT_NOT_NULL, 0, fact, "no dummy")
        elif new and new == old and not ("C" in fact.actions and not any(map(_is_telling, fact.secrets))):
            self.tell(Action.TEXT_REMOVED, 0, fact, f"still {found.value!r}")
        else:
            self.removed(fact, found)
        if fact.path == ((0x00100020, 0),):
            self.result.codes.setdefault(self.truth.person.number, set()).add(_plain(new))

    def removed(self, fact: Fact, found: Found) -> None:
        left = _left(found.value, _needles(frozenset(fact.secrets), fact.codecs))
        self.tell(Action.TEXT_REMOVED, not left, fact, f"holds {left} in {found.value!r}")

    def whole(self) -> None:
        """The object as such: pixels untouched, nothing behind them, no token in any byte."""
        if self.truth.pixels:
            same = self.output.pixels == self.truth.pixels
            self.result.tell(Action.PIXELS_RETAINED, same, f"{self.planted.file_name}: other pixels")
        secrets = {*self.truth.secrets, *(_plain(f.old) for f in self.truth.facts if "U" in f.actions)}
        left = _left(self.output.head, _needles(frozenset(secrets), self.truth.person.codecs))
        if left:
            self.result.files_with_tokens += 1
            self.result.problems.append(f"token: {self.planted.file_name} holds {left}")


_UID: Final = re.compile(r"(?=.{1,64}$)(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))+")
_DELIMITERS: Final = {0x09, 0x0A, 0x0C, 0x0D}  # where ISO 2022 goes back to its first set, as bytes
_BINARY: Final = frozenset({"OB", "OW", "UN", "US", "UL", "FD", "FL"})


def _show(key: Key) -> str:
    return f"{key:08X}" if isinstance(key, int) else f"{key[0]}:{key[1]:08X}"


def _plain(value: bytes) -> str:
    return value.decode("latin-1").strip("\0 ")


def _text(value: bytes, codecs: tuple[str, ...]) -> str:
    return decode_bytes(value.rstrip(b"\0 "), list(codecs), _DELIMITERS)


def _days(old: str, new: str) -> int:
    """By how many days a date was moved; 0 when it was not, or is none."""
    try:
        return (_day(new) - _day(old)).days
    except ValueError:
        return 0


def _day(text: str) -> date:
    return datetime.strptime(text[:8], "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone


@functools.lru_cache(maxsize=64)
def _needles(secrets: frozenset[str], codecs: tuple[str, ...]) -> tuple[tuple[str, re.Pattern[bytes]], ...]:
    """Each secret as patterns of bytes: in the object's character sets, UTF-8 and UTF-16; any case."""
    return tuple((secret, _pattern(secret, codecs)) for secret in sorted(secrets) if _is_telling(secret))


def _is_telling(secret: str) -> bool:
    """Long enough that finding it means something: `Head` and `1` are everywhere."""
    bare = "".join(filter(str.isalnum, secret))
    return len(bare) >= (5 if bare.isascii() else 2)


@functools.lru_cache(maxsize=4096)
def _pattern(secret: str, codecs: tuple[str, ...]) -> re.Pattern[bytes]:
    forms = set()
    for spelling in {secret, secret.upper(), secret.lower()}:
        for codec in (*codecs, "utf-8", "utf-16-le"):
            raw = spelling.encode(codec, "ignore")
            forms.add(re.sub(rb"\x1b[$().-]{1,2}[0-9A-Z]", b"", raw))
    telling = sorted(form for form in forms if len(form) >= 4)
    if not telling:
        return re.compile(rb"(?!)")
    body = b"|".join(map(re.escape, telling))
    if re.fullmatch(r"[\d.]+", secret):
        # A number within a longer one is another number; a day may be followed by its time.
        behind = b"" if len(secret) == 8 and "." not in secret else rb"(?![\d.]*\d)"
        return re.compile(rb"(?<![\d.])(?:" + body + rb")" + behind)
    return re.compile(body, re.IGNORECASE)


def _left(data: bytes, needles: tuple[tuple[str, re.Pattern[bytes]], ...]) -> list[str]:
    return [secret for secret, pattern in needles if pattern.search(data)]
