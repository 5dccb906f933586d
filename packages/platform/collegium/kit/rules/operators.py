"""The operators and functions of rules as small steps over answers. None means unknown, everywhere.

Three-valued tables: FHIRPath 2, section 6.5 (Boolean logic). A function of an unknown value is unknown,
except where the other side alone decides (`false and x`, `true or x`, `false implies x`).
"""

import decimal
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias, cast

from collegium.kit.rules.dates import PartialDate
from collegium.kit.rules.values import Absent, Answer, Known

Answers: TypeAlias = Mapping[str, Answer]
Step: TypeAlias = Callable[[Answers], Known | None]
ManyStep: TypeAlias = Callable[[Answers], list[Known] | None]
# The compiler has checked the types of every operand; Any here saves a cast in each operator.
Operator: TypeAlias = Callable[..., Any]


def single(name: str) -> Step:
    """The value of an item, None when there is none."""

    def step(answers: Answers) -> Known | None:
        value = answers.get(name)
        return None if isinstance(value, Absent) else cast("Known | None", value)

    return step


def repeated(name: str) -> ManyStep:
    """All values of a repeated item; None when there is no row or one of them has no value."""

    def step(answers: Answers) -> list[Known] | None:
        values = _members(answers, name)
        if not values:
            return None
        known = [v for v in values if not isinstance(v, Absent)]
        return known if len(known) == len(values) else None

    return step


def _members(answers: Answers, name: str) -> Sequence[Known | Absent] | None:
    """The members of a list, None when there is no list."""
    values = answers.get(name)
    return values if isinstance(values, Sequence) and not isinstance(values, str) else None


def counted(name: str) -> Step:
    """How many members of a list have a value; unknown when the list itself is."""

    def step(answers: Answers) -> Known | None:
        values = _members(answers, name)
        return None if values is None else Decimal(sum(not isinstance(v, Absent) for v in values))

    return step


def held(name: str, wanted: Step) -> Step:
    """Whether a list holds a value: true when it does, unknown when only a member without value could be it."""

    def step(answers: Answers) -> Known | None:
        values, value = _members(answers, name), wanted(answers)
        if values is None or value is None:
            return None
        if value in values:
            return True
        return None if any(isinstance(v, Absent) for v in values) else False

    return step


def as_list(step: Step) -> ManyStep:
    def many(answers: Answers) -> list[Known] | None:
        value = step(answers)
        return None if value is None else [value]

    return many


def applied(operator: Operator, *steps: Step) -> Step:
    """`operator` over the values of `steps`; unknown as soon as one of them is."""
    if len(steps) == 1:
        (only,) = steps

        def unary(answers: Answers) -> Known | None:
            value = only(answers)
            return None if value is None else cast("Known | None", operator(value))

        return unary
    left, right = steps

    def binary(answers: Answers) -> Known | None:
        a, b = left(answers), right(answers)
        return None if a is None or b is None else cast("Known | None", operator(a, b))

    return binary


def _and(left: Step, right: Step) -> Step:
    def step(answers: Answers) -> Known | None:
        a = left(answers)
        if a is False:
            return False
        b = right(answers)
        if b is False:
            return False
        return None if a is None or b is None else True

    return step


def _or(left: Step, right: Step) -> Step:
    def step(answers: Answers) -> Known | None:
        a = left(answers)
        if a is True:
            return True
        b = right(answers)
        if b is True:
            return True
        return None if a is None or b is None else False

    return step


def _xor(left: Step, right: Step) -> Step:
    return applied(lambda a, b: a is not b, left, right)


def _implies(left: Step, right: Step) -> Step:
    return _or(applied(lambda a: not a, left), right)


def either(condition: Step, yes: Step, no: Step) -> Step:
    """`iif`; unknown when the condition is (the standard would take the second branch: that is guessing)."""

    def step(answers: Answers) -> Known | None:
        verdict = condition(answers)
        if verdict is None:
            return None
        return yes(answers) if verdict else no(answers)

    return step


def aggregated(function: Callable[[list[Decimal]], Decimal], parts: Sequence[ManyStep]) -> Step:
    """`function` over all parts together; unknown when one of them is: a partial sum is no sum."""

    def step(answers: Answers) -> Known | None:
        values: list[Known] = []
        for part in parts:
            more = part(answers)
            if more is None:
                return None
            values += more
        return function(cast("list[Decimal]", values))

    return step


def _divide(a: Decimal, b: Decimal) -> Decimal | None:
    return None if b == 0 else a / b


def _whole(a: Decimal, b: Decimal) -> Decimal | None:
    return None if b == 0 else a // b


def _rest(a: Decimal, b: Decimal) -> Decimal | None:
    return None if b == 0 else a % b


def negative(a: Decimal) -> Decimal:
    return -a


def absolute(a: Decimal) -> Decimal:
    return abs(a)


def negation(a: bool) -> bool:
    return not a


def days_between(first: date | PartialDate, last: date | PartialDate) -> Decimal | None:
    """Unknown when one of them is no full date."""
    if isinstance(first, PartialDate) or isinstance(last, PartialDate):
        return None
    return Decimal((last - first).days)


def rounding(places: int) -> Operator:
    """Half away from zero, as people round and as FHIRPath says ("a traditional round")."""
    step = Decimal(1).scaleb(-places)

    def function(a: Decimal) -> Decimal:
        return a.quantize(step, rounding=decimal.ROUND_HALF_UP)

    return function


def _has_value(answers: Answers, name: str) -> bool:
    """Whether an item has a value; of a list, whether a member has one."""
    members = _members(answers, name)
    found: Sequence[object] = [answers.get(name)] if members is None else members
    return any(value is not None and not isinstance(value, Absent) for value in found)


def _exists(name: str) -> Step:
    return lambda answers: _has_value(answers, name)


def _empty(name: str) -> Step:
    return lambda answers: not _has_value(answers, name)


def _answered(name: str) -> Step:
    """A value or a reason why there is none: what a required item asks for. Of a list, in every member."""

    def step(answers: Answers) -> Known | None:
        members = _members(answers, name)
        found: Sequence[object] = (
            [answers.get(name, Absent.MISSING)] if members is None else members or [Absent.MISSING]
        )
        return all(value is not Absent.MISSING for value in found)

    return step


ARITHMETIC: dict[str, Operator] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divide,
    "div": _whole,
    "mod": _rest,
}
COMPARISONS: dict[str, Operator] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
LOGIC: dict[str, Callable[[Step, Step], Step]] = {"and": _and, "or": _or, "xor": _xor, "implies": _implies}
AGGREGATES: dict[str, Callable[[list[Decimal]], Decimal]] = {
    "sum": lambda values: sum(values, Decimal(0)),
    "min": min,
    "max": max,
    "avg": lambda values: sum(values, Decimal(0)) / len(values),
}
PRESENCE: dict[str, Callable[[str], Step]] = {"exists": _exists, "empty": _empty, "answered": _answered}
FUNCTIONS = (*PRESENCE, "not", "abs", "round", *AGGREGATES, "count", "iif", "daysBetween")
