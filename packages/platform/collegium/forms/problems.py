"""What is wrong with one answer by itself, in words for the person who reads."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from collegium.forms import dates, patterns
from collegium.forms.answers import AnswerKind
from collegium.forms.definition import NOT_FUTURE, ItemKind, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collegium.forms.answers import Answer
    from collegium.forms.definition import Group, Item


class ProblemCode(enum.StrEnum):
    REQUIRED = "required"
    UNREADABLE = "unreadable"
    OUT_OF_RANGE = "out_of_range"
    DECIMALS = "decimals"
    ABSENCE = "absence"
    CHECK = "check"
    PATTERN = "pattern"
    TOO_LONG = "too_long"
    PARTIAL = "partial"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class FormProblem:
    """Why an answer cannot stand, in words for the person who reads."""

    code: ProblemCode
    message: str
    severity: Severity = Severity.ERROR


def of_answer(item: Item, answer: Answer | None, *, required: bool) -> Iterator[FormProblem]:
    """The problems an answer has whatever the other answers are. A derived one has none: nobody can mend it."""
    if item.is_derived:
        return
    if answer is None:
        if required:
            yield FormProblem(ProblemCode.REQUIRED, _missing(item))
    elif answer.kind is AnswerKind.UNREADABLE:
        yield FormProblem(ProblemCode.UNREADABLE, _unreadable(item, answer.value))
    elif answer.kind is AnswerKind.VALUE:
        yield from _of_value(item, answer.value)
    elif answer.kind.value not in item.absences:
        yield FormProblem(ProblemCode.ABSENCE, _("This item needs a value."))


def of_rows(group: Group, count: int) -> Iterator[FormProblem]:
    """Too few or too many rows."""
    if count < group.fewest:
        text = ngettext("At least %(n)d is needed.", "At least %(n)d are needed.", group.fewest)
        yield FormProblem(ProblemCode.REQUIRED, text % {"n": group.fewest})
    if count > group.most:
        text = ngettext("At most %(n)d is possible.", "At most %(n)d are possible.", group.most)
        yield FormProblem(ProblemCode.ROWS, text % {"n": group.most})


def _of_value(item: Item, text: str) -> Iterator[FormProblem]:
    match item.kind:
        case ItemKind.NUMBER | ItemKind.SCORE | ItemKind.LENGTH | ItemKind.BIDIRECTIONAL:
            yield from _of_number(item, Decimal(text))
        case ItemKind.DATE:
            yield from _of_date(item, text)
        case ItemKind.TEXT:
            longest = item.longest
            if longest is not None and len(text) > longest:
                message = _("At most %(n)d letters are possible; these are %(found)d.")
                yield FormProblem(ProblemCode.TOO_LONG, message % {"n": longest, "found": len(text)})
            elif item.pattern and not patterns.matches(item.pattern, text):
                yield FormProblem(ProblemCode.PATTERN, _("This is not written as it is asked for here."))


def _of_number(item: Item, value: Decimal) -> Iterator[FormProblem]:
    if (item.lowest is not None and value < item.lowest) or (
        item.highest is not None and value > item.highest
    ):
        yield FormProblem(ProblemCode.OUT_OF_RANGE, _range(item))
    places = -int(value.normalize().as_tuple().exponent)  # int: a finite Decimal has no other exponent
    allowed = 0 if item.kind is ItemKind.SCORE else item.decimals
    if not item.kind.is_image_bound and allowed is not None and places > allowed:
        message = ngettext("At most %(n)d decimal.", "At most %(n)d decimals.", allowed) % {"n": allowed}
        yield FormProblem(ProblemCode.DECIMALS, message if allowed else _("A whole number is needed."))


def _of_date(item: Item, text: str) -> Iterator[FormProblem]:
    if dates.is_partial(text) and not item.partial:
        yield FormProblem(ProblemCode.PARTIAL, _("The full date is needed: year-month-day."))
    elif not dates.is_within(text, item.earliest, item.latest):
        yield FormProblem(ProblemCode.OUT_OF_RANGE, _date_range(item))


def _missing(item: Item) -> str:
    if item.kind.is_image_bound:
        return _("Measure this on the image, or say why it cannot be measured.")
    return _("Answer this, or say why there is no answer.") if item.absences else _("Answer this.")


def _unreadable(item: Item, text: str) -> str:
    shown = {"text": text[:40]}
    if item.kind in (ItemKind.NUMBER, ItemKind.SCORE):
        return _("“%(text)s” is not a number.") % shown
    if item.kind is ItemKind.DATE and item.partial:
        return _("“%(text)s” is not a date. Write 2024, 2024-02 or 2024-02-29.") % shown
    if item.kind is ItemKind.DATE:
        return _("“%(text)s” is not a date. Write it as 2024-02-29.") % shown
    return _("“%(text)s” is not possible here.") % shown


def _range(item: Item) -> str:
    limits = {"lowest": item.lowest, "highest": item.highest, "unit": item.unit}
    if item.lowest is None:
        return _("At most %(highest)s %(unit)s is possible.") % limits
    if item.highest is None:
        return _("At least %(lowest)s %(unit)s is possible.") % limits
    return _("Between %(lowest)s and %(highest)s %(unit)s is possible.") % limits


def _date_range(item: Item) -> str:
    limits = {"earliest": item.earliest, "latest": item.latest}
    if item.latest == NOT_FUTURE:
        if not item.earliest:
            return _("This date lies in the future.")
        return _("Between %(earliest)s and today is possible.") % limits
    if not item.earliest:
        return _("Nothing after %(latest)s is possible.") % limits
    if not item.latest:
        return _("Nothing before %(earliest)s is possible.") % limits
    return _("Between %(earliest)s and %(latest)s is possible.") % limits
