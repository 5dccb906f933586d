"""What a rule of a recipe may do: more than the profile and its options ask, never less.

Their codes go into every object, so an object must never hold more than they promise.
"""

from __future__ import annotations

from collegium_deid.rules.profile import DUMMY, EMPTY, REMOVE, STRUCTURE, SUBJECT, Rule

ACTIONS = ("D", "Z", "X", "K", "C", "U")


def is_fixed(tag: int) -> bool:
    """True for the attributes no rule may touch: without them nothing is an object of a subject."""
    return tag in STRUCTURE or tag in SUBJECT


def stricter(now: Rule, action: str, *, is_sequence: bool) -> Rule | None:
    """What `action` makes of an attribute; None when that would be less strict than `now`.

    X is always allowed; Z and D where the attribute may stay at all; C where words can be cleaned or what is
    done already is cleaning; K and U only where that is what the profile and its options say.
    """
    if action == "X":
        return REMOVE
    if now.action == "X":
        return None
    if action in "ZD" and now.how not in "UIP":
        dummy = Rule("D", "N", "D") if is_sequence else DUMMY
        return EMPTY if action == "Z" else dummy
    if action == "C" and now.how in "TWV":
        return Rule("C", "W", now.fallback)
    if action == "U" and now.how in "UI":
        return Rule("U", "U", now.fallback)
    return now if action == now.action else None
