"""Judge the answers of a form: what is shown, what is required, what is computed, what is wrong.

Pure; the only judge there is: page, API and import ask it.
"""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from collegium.forms import problems
from collegium.forms.answers import Answer, AnswerKind, missing_values
from collegium.forms.definition import Item, Severity, in_language
from collegium.forms.problems import FormProblem, ProblemCode
from collegium.forms.rows import rows_of
from collegium.kit.rules import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from collegium.forms.definition import Check, FormDefinition, Group
    from collegium.forms.rows import Row
    from collegium.kit import rules

WHOLE_FORM = ""
"""The path of what is said of the form as a whole."""


@dataclass(frozen=True, slots=True)
class ItemState:
    """One item as judged, at its path. `unjudged` lists the checks whose verdict is unknown.

    A locked item cannot be answered: it is computed, given, or identifies a finding of an earlier timepoint.
    """

    path: str
    item: Item
    answer: Answer | None
    visible: bool
    required: bool
    problems: tuple[FormProblem, ...] = ()
    unjudged: tuple[str, ...] = ()
    is_locked: bool = False


@dataclass(frozen=True, slots=True)
class RowState:
    """One row of a group; of a struck one nothing is shown and nothing counts."""

    path: str
    row: Row
    answer: Answer
    items: tuple[ItemState, ...]


@dataclass(frozen=True, slots=True)
class GroupState:
    """A group as judged; of a closed one the rows were chosen at an earlier timepoint."""

    group: Group
    visible: bool
    rows: tuple[RowState, ...]
    problems: tuple[FormProblem, ...] = ()
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class FormState:
    """The whole form as judged from `answers`, parts in the form's order."""

    form: FormDefinition
    answers: Mapping[str, Answer]
    parts: tuple[ItemState | GroupState, ...]
    problems: tuple[FormProblem, ...] = ()
    unjudged: tuple[str, ...] = ()

    @property
    def items(self) -> tuple[ItemState, ...]:
        """Every item, those of rows too."""
        found: list[ItemState] = []
        for part in self.parts:
            found += (
                [part] if isinstance(part, ItemState) else [one for row in part.rows for one in row.items]
            )
        return tuple(found)

    @property
    def groups(self) -> tuple[GroupState, ...]:
        return tuple(part for part in self.parts if isinstance(part, GroupState))

    @property
    def by_path(self) -> dict[str, ItemState | RowState | GroupState]:
        found: dict[str, ItemState | RowState | GroupState] = {one.path: one for one in self.items}
        for group in self.groups:
            found[group.group.name] = group
            found |= {row.path: row for row in group.rows}
        return found

    def __getitem__(self, path: str) -> ItemState:
        return next(state for state in self.items if state.path == path)

    @property
    def visible(self) -> tuple[ItemState, ...]:
        return tuple(state for state in self.items if state.visible)

    @property
    def errors(self) -> tuple[tuple[str, FormProblem], ...]:
        """What stops a submission, each with its path."""
        found = [(state.path, problem) for state in self.visible for problem in state.problems]
        found += [(state.group.name, problem) for state in self.groups for problem in state.problems]
        found += [(WHOLE_FORM, problem) for problem in self.problems]
        return tuple((path, problem) for path, problem in found if problem.severity is Severity.ERROR)

    @property
    def is_complete(self) -> bool:
        return not self.errors

    @property
    def counted(self) -> dict[str, Answer]:
        """The answers that count: those of visible items, and the rows of visible groups, struck ones too."""
        found = {state.path: state.answer for state in self.visible if state.answer}
        for group in self.groups:
            if group.visible:
                found |= {row.path: row.answer for row in group.rows}
        return found

    @property
    def computed(self) -> dict[str, Answer]:
        """The values of computed items that are shown and known."""
        return {state.path: state.answer for state in self.visible if state.item.compute and state.answer}

    def record(self) -> dict[str, object]:
        """The answers that count, as canonical JSON values."""
        return {path: answer.to_json() for path, answer in self.counted.items()}


def judge(
    form: FormDefinition, answers: Mapping[str, Answer], language: str = "en", *, is_frozen: bool = False
) -> FormState:
    """Judge `answers`. A hidden item's answer counts as missing everywhere, so it cannot decide anything.

    Args:
        form: the published form.
        answers: by path.
        language: of the messages.
        is_frozen: computed values were stored with the answers; they are taken as they stand.
    """
    return _Judge(form, answers, language, is_frozen=is_frozen).state()


@dataclass(slots=True)
class _Scope:
    """The form itself, or one row of it: which values its rules see."""

    group: str
    prefix: str
    values: MutableMapping[str, rules.Answer]
    row: Row | None = None
    visible: dict[str, bool] = field(default_factory=dict)
    answers: dict[str, Answer | None] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        return self.row is None or not self.row.is_struck


class _Judge:
    def __init__(
        self, form: FormDefinition, answers: Mapping[str, Answer], language: str, *, is_frozen: bool
    ) -> None:
        self.form, self.given, self.language, self.is_frozen = form, answers, language, is_frozen
        self.values: dict[str, rules.Answer] = {}
        self.whole = _Scope("", "", self.values)
        self.shown_groups: dict[str, bool] = {}
        self.rows = {
            group.name: [
                _Scope(group.name, f"{group.name}.{row.row_id}.", ChainMap({}, self.values), row)
                for row in rows_of(group, answers)
            ]
            for group in form.groups.values()
        }
        for node in form.judging_order:
            self._enter(node)

    def state(self) -> FormState:
        parts = tuple(
            self._item(part, self.whole) if isinstance(part, Item) else self._group(part)
            for part in self.form.parts
        )
        found, unjudged = self._checks("", self.form.checks, self.values)
        return FormState(self.form, self.given, parts, found, unjudged)

    # ---- first pass: what is shown, and the value of each item, in the order of what depends on what

    def _enter(self, node: str) -> None:
        group, _, name = node.partition(".")
        if name:
            item = self.form.groups[group].item(name)
            assert item  # nodes come from the form
            for scope in self.rows[group]:
                self._answer(item, scope, is_open=self.shown_groups[group] and scope.counts)
            self._list(group, item)
        elif node in self.form.groups:
            self._rows(self.form.groups[node])
        else:
            self._answer(self.form.by_name[node], self.whole, is_open=True)

    def _answer(self, item: Item, scope: _Scope, *, is_open: bool) -> None:
        # Unknown hides: an item is shown when its rule is known to be true.
        shown = is_open and self._holds(scope.group, item.show_if, scope.values)
        answer = self.given.get(scope.prefix + item.name)
        if item.given and answer is None:
            shown = False  # at the first timepoint there is nothing to show
        if item.compute and not self.is_frozen:
            answer = self._computed(item, scope) if shown else None
        scope.visible[item.name], scope.answers[item.name] = shown, answer
        scope.values.update(answer.values(item) if shown and answer else missing_values(item))

    def _rows(self, group: Group) -> None:
        shown = self._holds("", group.show_if, self.values)
        self.shown_groups[group.name] = shown
        self.values[group.name] = (True,) * sum(shown and scope.counts for scope in self.rows[group.name])

    def _list(self, group: str, item: Item) -> None:
        """An item of a group as the list that rules outside of the row see."""
        for name, kind in item.value_types.items():
            if not kind.repeated:
                found = (scope.values[name] for scope in self.rows[group] if scope.counts)
                self.values[f"{group}.{name}"] = tuple(found) if self.shown_groups[group] else ()  # type: ignore[arg-type]  # no item of a list is a list itself

    def _computed(self, item: Item, scope: _Scope) -> Answer | None:
        value = self.form.computations[scope.group, item.name].value(scope.values)
        if value is None:
            return None
        if not isinstance(value, Decimal):
            return Answer(AnswerKind.VALUE, str(value))
        try:
            step = None if item.decimals is None else Decimal(1).scaleb(-item.decimals)
            rounded = value if step is None else value.quantize(step, rounding=ROUND_HALF_UP)
        except ArithmeticError:  # more digits than any measurement has
            return None
        return Answer(AnswerKind.VALUE, format(rounded, "f"))

    def _holds(self, scope: str, rule: str, values: Mapping[str, rules.Answer]) -> bool:
        return not rule or self.form.rules[scope, rule].judge(values) is Verdict.TRUE

    # ---- second pass: what is required and what is wrong

    def _group(self, group: Group) -> GroupState:
        shown = self.shown_groups[group.name]
        rows = []
        for scope in self.rows[group.name]:
            assert scope.row
            path = scope.prefix[:-1]
            items = tuple(self._item(item, scope) for item in group.items)
            rows.append(RowState(path, scope.row, self.given[path], items))
        count = sum(not row.row.is_struck for row in rows)
        found = tuple(problems.of_rows(group, count)) if shown else ()
        return GroupState(group, shown, tuple(rows), found, is_closed=group.name in self.given)

    def _item(self, item: Item, scope: _Scope) -> ItemState:
        path, answer = scope.prefix + item.name, scope.answers[item.name]
        is_locked = item.is_derived or (
            scope.row is not None
            and scope.row.facts.carried
            and item.name in self.form.groups[scope.group].fixed
        )
        if not scope.visible[item.name]:
            return ItemState(path, item, answer, visible=False, required=False, is_locked=is_locked)
        required = item.required and not is_locked
        if item.required_if and not is_locked:
            # Unknown requires: it is safer to ask than to leave a blank.
            rule = self.form.rules[scope.group, item.required_if]
            required = rule.judge(scope.values) is not Verdict.FALSE
        failed, unjudged = self._checks(scope.group, item.checks, scope.values)
        found = (*problems.of_answer(item, answer, required=required), *failed)
        return ItemState(path, item, answer, True, required, found, unjudged, is_locked)

    def _checks(
        self, scope: str, checks: tuple[Check, ...], values: Mapping[str, rules.Answer]
    ) -> tuple[tuple[FormProblem, ...], tuple[str, ...]]:
        """The checks that do not hold, and those nobody can judge yet."""
        verdicts = [(check, self.form.rules[scope, check.rule].judge(values)) for check in checks]
        failed = tuple(
            FormProblem(ProblemCode.CHECK, in_language(check.message, self.language), check.severity)
            for check, verdict in verdicts
            if verdict is Verdict.FALSE
        )
        return failed, tuple(check.rule for check, verdict in verdicts if verdict is Verdict.UNKNOWN)
