"""Private elements: whose they are, and which of their creators stay.

A private element means nothing without the creator that reserved its block (PS3.5 section 7.8.1), so a
creator stays when at least one element of its block does, and an element without one goes. Each data
set has its own blocks, and the same creator may have several, under any number.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, NamedTuple

from collegium_deid.rules.profile import REMOVE, Rule

if TYPE_CHECKING:
    from collegium_deid.rules.tree import Rules

PRIVATE: Final = 0x10000
"""The bit of a tag that makes its group odd."""

# Numbers that are moments in time (seconds since 1970 and the like): they cannot be moved as dates are.
_MOMENTS: Final = frozenset(
    {
        ("A.L.I. Technologies, Inc.", 0x37110004),
        ("GEMS_HELIOS_01", 0x00450019),
        ("GEMS_HELIOS_01", 0x0045001B),
        ("GEMS_HELIOS_01", 0x0045001D),
        ("GEMS_HELIOS_01", 0x0045001F),
        ("GEMS_IDEN_01", 0x00090027),
        ("GEMS_IDEN_01", 0x000900E9),
        ("GEMS_IQTB_IDEN_47", 0x00470002),
        ("PHILIPS MR/PART", 0x00210000),
        ("SIEMENS MED NM", 0x00550021),
        ("SIEMENS MED NM", 0x0055005C),
    }
)


class _Block(NamedTuple):
    creator: str
    slot: int
    """Where the creator's bytes belong among the pieces that are written."""
    raw: bytes


def is_creator(tag: int) -> bool:
    """(gggg,0010) to (gggg,00FF) of an odd group."""
    return 0x10 <= tag & 0xFFFF <= 0xFF


class Blocks:
    """The private blocks of one data set, while it is walked in the order of its tags."""

    __slots__ = ("_blocks", "_full_dates", "_rules", "_used", "gone")

    def __init__(self, rules: Rules, *, full_dates: bool) -> None:
        self._rules, self._full_dates = rules, full_dates
        self._blocks: dict[int, _Block] = {}
        self._used: set[int] = set()
        self.gone: set[int] = set()
        """Blocks of which nothing can stay, as the upper 24 bits of their tags."""

    def open(self, tag: int, creator: str, raw: bytes, slot: int) -> None:
        """A creator reserves its block; its bytes will stand at `slot` if the block is used."""
        block = tag >> 16 << 8 | tag & 0xFF
        self._blocks[block] = _Block(creator, slot, raw)
        if self._rules.unknown_private.how == "X" and creator not in _creators(self._rules):
            self.gone.add(block)
        else:
            self.gone.discard(block)

    def rule(self, tag: int) -> tuple[Rule, str]:
        """What happens to an element, and the VR by which it is judged."""
        block = self._blocks.get(tag >> 8)
        key = ("" if block is None else block.creator, tag & 0xFFFF00FF)
        rule = self._rules.private.get(key)
        if rule is None:
            return self._rules.unknown_private, "UN"
        if key in _MOMENTS and not self._full_dates:
            return REMOVE, "UN"
        return rule, self._rules.private_vr.get(key, "UN")

    def use(self, tag: int, out: list[bytes]) -> None:
        """An element of this block stays, so its creator does."""
        if tag >> 8 not in self._used:
            self._used.add(tag >> 8)
            block = self._blocks[tag >> 8]
            out[block.slot] = block.raw

    @property
    def letters(self) -> str:
        """One action code per creator."""
        return "K" * len(self._used) + "X" * (len(self._blocks) - len(self._used))


@functools.lru_cache(maxsize=256)
def _creators(rules: Rules) -> frozenset[str]:
    """Those of whose elements the rules say anything."""
    return frozenset(creator for creator, _ in rules.private)
