"""Which attributes a rule of a recipe speaks about: tags, repeating groups, paths, VRs, private elements."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from collegium_deid.dictionary import KEYWORDS, STRINGS, VRS, show
from collegium_deid.table import annex_e, safe_private

if TYPE_CHECKING:
    from collections.abc import Iterable

ANY_DEPTH: Final = frozenset[int]()
"""The step ** of a path: no, one or more sequences, whichever."""

_DIGITS: Final = re.compile(r"\(([0-9A-Fa-fx]{4}),([0-9A-Fa-fx]{4})\)|([0-9A-Fa-fx]{4})([0-9A-Fa-fx]{4})")
_NEWER: Final = {row.keyword: tag for tag, row in annex_e().items()}
_VR_NAMES: Final = frozenset(VRS.values()) | STRINGS


class NoSuchAttribute(ValueError):
    """A selector that names nothing; the message says what it should look like."""


@dataclass(frozen=True)
class Selector:
    """A set of attributes at a set of places."""

    text: str
    """As people write it."""
    steps: tuple[frozenset[int], ...]
    """The sequences that lead there from the top, each a choice of tags, or `ANY_DEPTH`."""
    tags: frozenset[int]
    is_exact: bool
    """One attribute is named, not a kind of them: then a rule that keeps too much is a mistake."""
    private: tuple[str, int] | None = None
    """Creator and tag with the block byte cleared."""


def by_path(text: str, known: Iterable[int]) -> Selector:
    """`Tag` (any depth), `/Tag` (top level only), `Sequence/Tag`, `Sequence/**/Tag`.

    Raises:
        NoSuchAttribute: a part is no keyword, tag or repeating group of a known attribute.
    """
    *before, last = text.split("/")
    tags = _tags(last, known)
    if not before:
        return Selector(text, (ANY_DEPTH,), tags, len(tags) == 1)
    if not before[0]:
        before = before[1:]
    steps = tuple(ANY_DEPTH if part == "**" else _sequences(part, known) for part in before)
    return Selector(text, steps, tags, len(tags) == 1)


def by_vr(vr: str, known: Iterable[int]) -> Selector:
    """Every attribute to which the dictionary gives this VR, at any depth.

    Raises:
        NoSuchAttribute: there is no such VR.
    """
    if vr not in _VR_NAMES:
        raise NoSuchAttribute("No such VR.")
    return Selector(f"VR {vr}", (ANY_DEPTH,), frozenset(t for t in known if VRS.get(t) == vr), is_exact=False)


def by_creator(creator: str, text: str) -> Selector:
    """A private element, (0019,xx0C) of a creator, in whichever block it lies.

    Raises:
        NoSuchAttribute: the tag is not private, or the x do not stand for the block.
    """
    found = _DIGITS.fullmatch(text)
    digits = "".join(part for part in found.groups() if part) if found else ""
    if (
        len(digits) != 8
        or digits[4:6] != "xx"
        or "x" in digits[:4] + digits[6:]
        or not int(digits[3], 16) & 1
    ):
        raise NoSuchAttribute("A private element is written (gggg,xxee) with an odd group.")
    tag = int(digits.replace("xx", "00"), 16)
    return Selector(
        f"{creator} ({digits[:4].upper()},xx{digits[6:].upper()})",
        (ANY_DEPTH,),
        frozenset(),
        is_exact=True,
        private=(creator, tag),
    )


def private_vr(key: tuple[str, int]) -> str | None:
    """The VR of a private element, from the list of safe ones or pydicom's dictionary."""
    row = safe_private().get(key)
    if row is not None:
        return row.vr
    from pydicom._private_dict import private_dictionaries  # noqa: PLC0415 - large, and hardly ever needed

    creator, tag = key
    found = private_dictionaries.get(creator, {}).get(f"{tag >> 16:04X}xx{tag & 0xFF:02X}")
    return found[0] if found else None


def tag_of(text: str) -> int:
    """One keyword, or (gggg,eeee), also without its brackets.

    Raises:
        NoSuchAttribute: it is neither.
    """
    if text in KEYWORDS or text in _NEWER:
        return KEYWORDS.get(text) or _NEWER[text]
    found = _DIGITS.fullmatch(text) or _DIGITS.fullmatch(f"({text})")
    digits = "".join(part for part in found.groups() if part) if found else "x"
    if "x" in digits:
        raise NoSuchAttribute(f"Write a keyword or (gggg,eeee).{_near(text)}")
    return int(digits, 16)


def _tags(text: str, known: Iterable[int]) -> frozenset[int]:
    found = _DIGITS.fullmatch(text)
    if found is None:
        tags = frozenset({tag_of(text)} if text in KEYWORDS or text in _NEWER else ())
    else:
        pattern = re.compile("".join(part for part in found.groups() if part).upper().replace("X", "."))
        if int((found[1] or found[3])[3].replace("x", "0"), 16) & 1:
            raise NoSuchAttribute("This is a private group; name its creator too.")
        tags = frozenset(tag for tag in known if pattern.fullmatch(f"{tag:08X}"))
    if not tags & frozenset(known):
        raise NoSuchAttribute(
            "No such attribute; write a keyword, (gggg,eeee), a group such as (60xx,3000), or a path of them."
            + _near(text)
        )
    return tags


def _near(text: str) -> str:
    """The keyword that was meant, perhaps."""
    lower = {keyword.lower(): keyword for keyword in (*KEYWORDS, *_NEWER)}
    found = get_close_matches(text.lower(), lower, 1, 0.8)
    return f" Did you mean {lower[found[0]]}?" if found else ""


def _sequences(text: str, known: Iterable[int]) -> frozenset[int]:
    tags = _tags(text, known)
    if any(VRS.get(tag) != "SQ" for tag in tags):
        raise NoSuchAttribute(f"{show(min(tags))} is no sequence, so nothing lies inside it.")
    return tags
