"""The distinct values of a header by attribute, path and channel; what differs in every file, as its kind.

Keyed UIDs, valid dates and times, numbers and bytes count as one kind each: it is text and codes that
surprise. Reads with the verifier's eyes, which share nothing with the engine.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from collegium_deid.dictionary import BULK, NUMBERS, WELL_KNOWN_UIDS, show
from collegium_deid.verify.needles import decoded
from collegium_deid.verify.scan import scan

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUBJECT: Final = frozenset({0x00100010, 0x00100020, 0x00120040})
_METHOD: Final = 0x00120063
_REMOVED: Final = 0x00120062
_OURS: Final = re.compile(r"Collegium recipe (.+)")
_KINDS: Final = {
    "UI": (re.compile(r"2\.25\.\d{1,39}"), "<keyed UID>"),
    "DA": (re.compile(r"[12]\d{3}[01]\d[0-3]\d"), "<date>"),
    "TM": (re.compile(r"[0-2]\d([0-5]\d([0-6]\d(\.\d{1,6})?)?)?"), "<time>"),
    "DT": (re.compile(r"[12]\d{3}([01]\d([0-3]\d(\d{2,6}(\.\d{1,6})?)?)?)?([+-]\d{4})?"), "<date and time>"),
    "DS": (re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"), "<number>"),
    "IS": (re.compile(r"[+-]?\d+"), "<number>"),
}


class Found(NamedTuple):
    """One distinct value."""

    channel: str
    """The recipe that made the file, or the name the operator gave."""
    path: str
    """Tags from the top level down."""
    vr: str
    value: str

    @property
    def tag(self) -> str:
        return self.path.rpartition("/")[2]


def is_marked(head: bytes) -> bool:
    """True when (0012,0062) says that the patient's identity was removed."""
    return any(found.path == (_REMOVED,) and found.raw.strip(b"\0 ") == b"YES" for found in scan(head))


def values_of(head: bytes, channel: str) -> Counter[Found]:
    """Every value of the data set with how often it is there; `channel` empty: what the file says."""
    values = [value for value in scan(head) if value.path[0] >> 16 != 2]
    texts = {
        value.path[0]: decoded(value.raw, value.character_set).strip("\0 ")
        for value in values
        if len(value.path) == 1 and value.path[0] in {_METHOD, *_SUBJECT}
    }
    ours = _OURS.fullmatch(texts.get(_METHOD, ""))
    channel = channel or (ours[1] if ours else "other")
    counts: Counter[Found] = Counter()
    for value in values:
        path = "/".join(map(show, value.path))
        if value.vr == "SQ":
            continue
        if value.path[-1] in _SUBJECT and decoded(value.raw, value.character_set).strip("\0 ") == texts.get(
            0x00100020
        ):
            counts[Found(channel, path, value.vr, "<subject>")] += 1
            continue
        for shown in _shown(value.vr, value.raw, value.character_set):
            counts[Found(channel, path, value.vr, shown)] += 1
    return counts


def _shown(vr: str, raw: bytes, character_set: bytes) -> Iterator[str]:
    if vr in BULK | NUMBERS:
        kind = "<number>" if vr in NUMBERS else "<bytes>"
        yield kind if raw else "<empty>"
    elif not raw.strip(b"\0 "):
        yield "<empty>"
    elif vr in _KINDS:
        pattern, kind = _KINDS[vr]
        parts = (part.strip("\0 ") for part in raw.decode("latin-1").split("\\"))
        yield from {
            kind if part and part not in WELL_KNOWN_UIDS and pattern.fullmatch(part) else part or "<empty>"
            for part in parts
        }
    else:
        yield decoded(raw, character_set).strip("\0 ")
