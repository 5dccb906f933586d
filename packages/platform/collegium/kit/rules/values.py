"""What a rule works on: typed values, the ways a value can be absent, and the three verdicts."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from collegium.kit.rules.dates import PartialDate


class ValueType(enum.Enum):
    """The type of a value; its `value` is the word used in messages."""

    NUMBER = "a number"
    TEXT = "text"
    CODE = "a code"
    BOOLEAN = "true or false"
    DATE = "a date"


class Absent(enum.Enum):
    """Why there is no value. All four are answers to record; none can be compared."""

    MISSING = "missing"
    NOT_DONE = "not_done"
    NOT_EVALUABLE = "not_evaluable"
    UNKNOWN = "unknown"


class Verdict(enum.Enum):
    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


Known: TypeAlias = Decimal | str | bool | date | PartialDate
Answer: TypeAlias = Known | Absent | Sequence[Known | Absent]


@dataclass(frozen=True, slots=True)
class ItemType:
    """What a rule may know of an item before any answer is given.

    `codes` are the values a CODE item can take; `repeated` items hold a list, which only `sum`, `min`, `max`,
    `avg`, `count`, `contains`, `in` and the questions for presence take.
    """

    type: ValueType
    codes: frozenset[str] = frozenset()
    repeated: bool = False
