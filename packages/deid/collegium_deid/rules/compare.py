"""Is one recipe looser than another? In words, for the person who has to agree before it applies.

Errs on one side: what is not plainly as strict or stricter counts as looser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydicom.datadict import keyword_for_tag

from collegium_deid.dictionary import show
from collegium_deid.rules import options as of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collegium_deid.rules.profile import Rule
    from collegium_deid.rules.recipe import Recipe
    from collegium_deid.rules.tree import Rules

# What the engine does with an attribute (`profile.Rule.how`), by what it may become without losing strictness.
_STRICTER: Final = {
    "F": "SMWTVDZXQN",
    "S": "DZXQ",
    "M": "DZXQ",
    "O": "DZXQ",
    "I": "UDZXQ",
    "U": "DZXQ",
    "K": "ATWDZXQN",
    "A": "DZXQ",
    "V": "TWDZXQ",
    "T": "WDZXQ",
    "W": "DZXQ",
    "R": "NZXQ",
    "N": "ZXQ",
    "D": "ZXQ",
    "Z": "XQ",
    "X": "Q",
    "Q": "",
    "P": "",
}
_FALLBACKS: Final = "DZX"
_SCALES: Final = {
    "policy": ("phi_only", "whitelist", "all_text"),
    "look": ("doubtful", "all"),
    "release": ("automatic", "person"),
    "on_uncertain": ("quarantine",),
    "document": ("C", "X", "reject"),
    "preamble": ("zero",),
    "un": ("read", "X"),
}
_PROTECTS: Final = frozenset({of.PIXELS, of.FACES})
_MOST_NAMED: Final = 5


def looser_than(before: Recipe, after: Recipe) -> tuple[str, ...]:
    """Where `after` lets more pass than `before`, a sentence each; empty if nowhere."""
    if before.text == after.text:
        return ()
    return tuple(
        dict.fromkeys((*_options(before, after), *_whole(before, after), *_attributes(before, after)))
    )


def _options(before: Recipe, after: Recipe) -> Iterator[str]:
    for name in after.options:
        if name not in before.options and name not in _PROTECTS:
            yield f"It adds the option {name}: {of.OPTIONS[name].plain}."
    for name in before.options:
        if name not in after.options and name in _PROTECTS:
            yield f"It drops the option {name}: {of.OPTIONS[name].plain}."
    added = len(after.objects - before.objects)
    if added:
        yield f"It lets {added} more kinds of objects pass."


def _whole(before: Recipe, after: Recipe) -> Iterator[str]:
    if before.shift_days != after.shift_days:
        yield "It moves dates by another range of days."
    if before.age_cap_years is not None and (
        after.age_cap_years is None or after.age_cap_years > before.age_cap_years
    ):
        yield "It lets higher ages pass."
    if not _at_least("un", before.un, after.un):
        yield "It reads attributes of unknown type that were removed before."
    for part, was in vars(before.documents).items():
        scale = "preamble" if part == "preamble" else "document"
        if not _at_least(scale, was, getattr(after.documents, part)):
            yield f"It lets more of this part of objects pass: {part}."
    yield from _pixels(before, after)


def _pixels(before: Recipe, after: Recipe) -> Iterator[str]:
    was, now = before.pixels, after.pixels
    if now is None:
        return  # nothing whose pixels would have to be looked at may pass
    if was is None:
        yield "It lets pictures pass whose pixels have to be looked at."
        return
    words = {
        "policy": "It leaves more text in pictures.",
        "look": "It looks at fewer pictures.",
        "release": "Pictures of screens and cameras no longer wait for a person.",
        "on_uncertain": "It treats pictures that cannot be judged in another way.",
    }
    for part, sentence in words.items():
        if not _at_least(part, getattr(was, part), getattr(now, part)):
            yield sentence
    hidden = {one.device: set(one.boxes) for one in now.devices}
    if any(set(one.boxes) - hidden.get(one.device, set()) for one in was.devices):
        yield "It hides fewer places of devices."
    if set(now.allow) - set(was.allow):
        yield "It lets more words of this site stay in pictures."


def _attributes(before: Recipe, after: Recipe) -> Iterator[str]:
    """Attributes that are treated less strictly at some place of some kind of object."""
    looser: dict[str, None] = {}
    seen: set[tuple[int, int]] = set()
    for uid in sorted(before.objects & after.objects):
        pairs = [(before.rules_for(uid), after.rules_for(uid))]
        while pairs:
            was, now = pairs.pop()
            if (id(was), id(now)) in seen:
                continue
            seen.add((id(was), id(now)))
            looser.update(dict.fromkeys(_at_place(was, now)))
            pairs.append((was.inner, now.inner))
            pairs += [
                (was.below.get(tag, was.inner), now.below.get(tag, now.inner))
                for tag in {**was.below, **now.below}
            ]
    names = list(looser)
    if names:
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        yield f"It treats attributes less strictly: {', '.join(names[:_MOST_NAMED])}{more}."


def _at_place(was: Rules, now: Rules) -> Iterator[str]:
    if not _is_as_strict(was.unknown_standard, now.unknown_standard):
        yield "unknown attributes"
    if not _is_as_strict(was.unknown_private, now.unknown_private):
        yield "unknown private attributes"
    for tag, rule in now.standard.items():
        before = was.standard.get(tag, was.unknown_standard)
        if before is not rule and not _is_as_strict(before, rule):
            yield _name_of(tag)
    for tag in was.standard.keys() - now.standard.keys():
        if not _is_as_strict(was.standard[tag], now.unknown_standard):
            yield _name_of(tag)
    for key in was.private.keys() | now.private.keys():
        before = was.private.get(key, was.unknown_private)
        after = now.private.get(key, now.unknown_private)
        is_other_vr = was.private_vr.get(key) != now.private_vr.get(key) and after.how not in "XQ"
        if not _is_as_strict(before, after) or is_other_vr:
            yield f"private {key[0]}"


def _name_of(tag: int) -> str:
    return keyword_for_tag(tag) or show(tag)


def _is_as_strict(was: Rule, now: Rule) -> bool:
    if was == now or now.how in _STRICTER[was.how]:
        return True
    return was.how == now.how and _FALLBACKS.find(now.fallback) >= _FALLBACKS.find(was.fallback)


def _at_least(scale: str, was: str, now: str) -> bool:
    """Whether `now` stands as high as `was`; a word the scale does not know only equals itself."""
    known = _SCALES[scale]
    return was == now or (was in known and now in known and known.index(now) >= known.index(was))
