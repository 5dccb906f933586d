"""Judge the answers of a form: what is shown, what is required, what is wrong. Pure; the only judge there is."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from collegium.forms.answers import Answer, AnswerKind
from collegium.forms.definition import ItemKind, Severity, in_language
from collegium.kit.rules import Absent, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collegium.forms.definition import FormDefinition, Item
    from collegium.kit.rules import Known


class ProblemCode(enum.StrEnum):
    REQUIRED = "required"
    UNREADABLE = "unreadable"
    OUT_OF_RANGE = "out_of_range"
    DECIMALS = "decimals"
    ABSENCE = "absence"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class FormProblem:
    """Why an answer cannot stand, in words for the person who reads."""

    code: ProblemCode
    message: str
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class ItemState:
    """One item as judged. `unjudged` lists the checks whose verdict is unknown."""

    item: Item
    answer: Answer | None
    visible: bool
    required: bool
    problems: tuple[FormProblem, ...] = ()
    unjudged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FormState:
    """The whole form as judged, items in the form's order."""

    items: tuple[ItemState, ...]

    def __getitem__(self, name: str) -> ItemState:
        return next(state for state in self.items if state.item.name == name)

    @property
    def visible(self) -> tuple[ItemState, ...]:
        return tuple(state for state in self.items if state.visible)

    @property
    def errors(self) -> tuple[tuple[ItemState, FormProblem], ...]:
        """What stops a submission."""
        return tuple(
            (state, problem)
            for state in self.visible
            for problem in state.problems
            if problem.severity is Severity.ERROR
        )

    @property
    def is_complete(self) -> bool:
        return not self.errors

    def record(self) -> dict[str, object]:
        """The answers that count: those of visible items, as canonical JSON values."""
        return {state.item.name: state.answer.to_json() for state in self.visible if state.answer}


def judge(form: FormDefinition, answers: Mapping[str, Answer], language: str = "en") -> FormState:
    """Judge `answers`. A hidden item's answer counts as missing everywhere, so it cannot decide anything."""
    values: dict[str, Known | Absent] = {}
    visible: dict[str, bool] = {}
    for item in form.showing_order:
        # Unknown hides: an item is shown when its rule is known to be true.
        shown = not item.show_if or form.rules[item.show_if].judge(values) is Verdict.TRUE
        visible[item.name] = shown
        answer = answers.get(item.name)
        values[item.name] = answer.known(item) if shown and answer else Absent.MISSING
    return FormState(
        tuple(
            _judge_item(form, item, answers.get(item.name), values, language)
            if visible[item.name]
            else ItemState(item, answers.get(item.name), visible=False, required=False)
            for item in form.items
        )
    )


def _judge_item(
    form: FormDefinition,
    item: Item,
    answer: Answer | None,
    values: Mapping[str, Known | Absent],
    language: str,
) -> ItemState:
    required = item.required
    if item.required_if:
        # Unknown requires: it is safer to ask than to leave a blank.
        required = form.rules[item.required_if].judge(values) is not Verdict.FALSE
    problems = list(_own_problems(item, answer, required=required))
    unjudged = []
    for check in item.checks:
        verdict = form.rules[check.rule].judge(values)
        if verdict is Verdict.UNKNOWN:
            unjudged.append(check.rule)
        elif verdict is Verdict.FALSE:
            problems.append(
                FormProblem(ProblemCode.CHECK, in_language(check.message, language), check.severity)
            )
    return ItemState(item, answer, True, required, tuple(problems), tuple(unjudged))


def _own_problems(item: Item, answer: Answer | None, *, required: bool) -> list[FormProblem]:
    if answer is None:
        return [FormProblem(ProblemCode.REQUIRED, _missing(item))] if required else []
    if answer.kind is AnswerKind.UNREADABLE:
        return [FormProblem(ProblemCode.UNREADABLE, _unreadable(item, answer.value))]
    if answer.kind is not AnswerKind.VALUE:
        if answer.kind.value in item.absences:
            return []
        return [FormProblem(ProblemCode.ABSENCE, _("This item needs a value."))]
    if item.kind not in (ItemKind.NUMBER, ItemKind.LENGTH):
        return []
    value = Decimal(answer.value)
    problems = []
    if (item.lowest is not None and value < item.lowest) or (
        item.highest is not None and value > item.highest
    ):
        problems.append(FormProblem(ProblemCode.OUT_OF_RANGE, _range(item)))
    places = -int(value.normalize().as_tuple().exponent)  # int: a finite Decimal has no other exponent
    if item.kind is ItemKind.NUMBER and item.decimals is not None and places > item.decimals:
        problems.append(
            FormProblem(ProblemCode.DECIMALS, _("At most %(places)d decimals.") % {"places": item.decimals})
        )
    return problems


def _missing(item: Item) -> str:
    if item.kind.is_image_bound:
        return _("Measure this on the image, or say why it cannot be measured.")
    return _("Answer this, or say why there is no answer.") if item.absences else _("Answer this.")


def _unreadable(item: Item, text: str) -> str:
    if item.kind is ItemKind.NUMBER:
        return _("“%(text)s” is not a number.") % {"text": text[:40]}
    return _("“%(text)s” is not possible here.") % {"text": text[:40]}


def _range(item: Item) -> str:
    limits = {"lowest": item.lowest, "highest": item.highest, "unit": item.unit}
    if item.lowest is None:
        return _("At most %(highest)s %(unit)s is possible.") % limits
    if item.highest is None:
        return _("At least %(lowest)s %(unit)s is possible.") % limits
    return _("Between %(lowest)s and %(highest)s %(unit)s is possible.") % limits
