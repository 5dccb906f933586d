"""A form as the reading page shows it, whole or one part after another after a change."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from collegium.forms.answers import AnswerKind
from collegium.forms.definition import ItemKind, in_language
from collegium.forms.judge import WHOLE_FORM, GroupState, ItemState, RowState, judge
from collegium.forms.rows import row_answer, row_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collegium.forms.answers import Answer
    from collegium.forms.definition import Item
    from collegium.forms.judge import FormState
    from collegium.forms.problems import FormProblem

NEW_ROW = "ROW"
"""Stands for the row id where the page keeps what a new row looks like."""
_MOST_BUTTONS = 6
_MOST_BUTTONS_IN_ROW = 3
_TOLD = "research_reads/told.html"


@dataclass(frozen=True, slots=True)
class ItemView:
    """One item in one language. `text` is what its field shows, `shown` in words, `absent` why there is none."""

    template: ClassVar[str] = "research_reads/item_field.html"

    path: str
    kind: str
    control: str
    label: str
    mark_label: str
    help: str
    unit: str
    is_visible: bool
    is_required: bool
    text: str
    shown: str
    absent: str
    mark_id: str
    choices: tuple[tuple[str, str, bool], ...]
    absences: tuple[tuple[str, str], ...]
    problems: tuple[FormProblem, ...]
    unjudged: int
    lines: int
    is_partial: bool
    origin: str
    is_in_row: bool

    @property
    def absent_word(self) -> str:
        return absence_word(self.absent) if self.absent else ""

    @property
    def field_template(self) -> str:
        return f"research_reads/item_{self.control}.html"


@dataclass(frozen=True, slots=True)
class RowView:
    path: str
    number: int
    label: str
    is_struck: bool
    is_carried: bool
    items: tuple[ItemView, ...]


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group with its rows; `blank` is what a new row looks like."""

    template: ClassVar[str] = "research_reads/group.html"

    name: str
    label: str
    help: str
    prefix: str
    add_word: str
    is_visible: bool
    rows: tuple[RowView, ...]
    blank: RowView
    last_number: int
    count: int
    most: int
    is_closed: bool
    problems: tuple[FormProblem, ...]
    unjudged: int = 0

    @property
    def standing(self) -> list[RowView]:
        return [row for row in self.rows if not row.is_struck]

    @property
    def struck(self) -> list[RowView]:
        return [row for row in self.rows if row.is_struck]


@dataclass(frozen=True, slots=True)
class ChecksView:
    """What is said of the form as a whole."""

    template: ClassVar[str] = "research_reads/checks.html"

    problems: tuple[FormProblem, ...]
    unjudged: int


PartView: TypeAlias = ItemView | GroupView | ChecksView


def views(state: FormState, language: str) -> list[PartView]:
    """All parts in the form's order, and last what is said of the whole."""
    # What a new row of each group would look like: judged as if it were there.
    blanks = {row_path(name, NEW_ROW): row_answer(number=0) for name in state.form.groups}
    ready = judge(state.form, {**state.answers, **blanks}, language).by_path if blanks else {}
    parts: list[PartView] = []
    for part in state.parts:
        if isinstance(part, ItemState):
            parts.append(view(part, language))
            continue
        blank = ready[row_path(part.group.name, NEW_ROW)]
        assert isinstance(blank, RowState)  # its path is a row's
        parts.append(_group(part, blank, language))
    return [*parts, ChecksView(state.problems, len(state.unjudged))]


def view(state: ItemState, language: str, row_label: str = "") -> ItemView:
    """One item; `row_label` is its row's, T1."""
    item, answer = state.item, state.answer
    has_text = answer is not None and answer.kind in (AnswerKind.VALUE, AnswerKind.UNREADABLE)
    text = answer.value if answer and has_text else ""
    label = in_language(item.label, language)
    return ItemView(
        path=state.path,
        kind=item.kind.value,
        control=_control(state, in_row=bool(row_label)),
        label=label,
        mark_label=row_label or label,
        help=in_language(item.help, language) if item.help else "",
        unit=item.unit,
        is_visible=state.visible,
        is_required=state.required,
        text=text,
        shown=told(item, answer, language) if answer and has_text else "",
        absent=answer.kind.value if answer and not has_text else "",
        mark_id=answer.mark.mark_id if answer and answer.mark else "",
        choices=_choices(item, text, language),
        absences=() if state.is_locked else tuple((code, absence_word(code)) for code in item.absences),
        problems=state.problems,
        unjudged=len(state.unjudged),
        lines=item.lines,
        is_partial=item.partial,
        origin=_origin(item),
        is_in_row=bool(row_label),
    )


def told(item: Item, answer: Answer, language: str) -> str:
    """An answer in words, as a table shows it."""
    if answer.kind is AnswerKind.UNREADABLE:
        return answer.value
    if answer.kind is not AnswerKind.VALUE:
        return absence_word(answer.kind.value)
    return f"{_value(item, answer, language)} {item.unit}".strip()


def _value(item: Item, answer: Answer, language: str) -> str:
    if item.kind.is_image_bound:
        return " \u00d7 ".join(shown_length(text) for text in (answer.value, answer.short) if text)
    if item.kind is ItemKind.SCORE:
        label = item.label_of(answer.value)
        return f"{answer.value}, {in_language(label, language)}" if label else answer.value
    if item.codes:
        labels = [(code, item.label_of(code)) for code in answer.value.split()]
        return ", ".join(in_language(label, language) if label else code for code, label in labels)
    return _short_decimal(answer.value, item.decimals) if item.kind is ItemKind.COMPUTED else answer.value


def absence_word(code: str) -> str:
    """What a reason for no value is called on screen."""
    return {"not_done": _("Not done"), "not_evaluable": _("Not evaluable"), "unknown": _("Unknown")}[code]


def changed_items(state: FormState, paths: Iterable[str], language: str) -> dict[str, dict[str, object]]:
    """What the page needs of parts that look different now; the page never replaces a field."""
    found = state.by_path
    looks: dict[str, dict[str, object]] = {}
    for path in paths:
        part = found.get(path)
        if isinstance(part, ItemState):
            looks[path] = _item_look(view(part, language))
        elif isinstance(part, RowState):
            looks[path] = {"struck": part.row.is_struck, "number": part.row.number}
        elif isinstance(part, GroupState):
            group = {"problems": part.problems, "unjudged": 0}
            looks[path] = {"told": render_to_string(_TOLD, {"item": group}), "visible": part.visible}
        elif path == WHOLE_FORM:
            checks = ChecksView(state.problems, len(state.unjudged))
            looks[path] = {"told": render_to_string(_TOLD, {"item": checks}), "visible": True}
    return looks


def open_problems(state: FormState) -> int:
    """How many parts still stop a submission."""
    return len({path for path, _problem in state.errors})


def shown_length(text: str) -> str:
    """A measured length as the viewer writes it: two decimals; the record keeps all of them."""
    return str(Decimal(text).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP))


def _short_decimal(text: str, decimals: int | None) -> str:
    """A computed number: as its item rounds it, else to four decimals; the record keeps all of them."""
    if decimals is not None or "." not in text or len(text.partition(".")[2]) <= 4:
        return text
    return format(Decimal(text).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP).normalize(), "f")


def _group(state: GroupState, blank: RowState, language: str) -> GroupView:
    group = state.group
    rows = tuple(
        _row(row, f"{group.prefix}{row.row.number}", language)
        for row in state.rows
        if not (row.row.is_struck and row.row.facts.carried)
    )
    add = (
        _("Add %(thing)s") % {"thing": in_language(group.row_label, language)}
        if group.row_label
        else _("Add a row")
    )
    return GroupView(
        name=group.name,
        label=in_language(group.label, language),
        help=in_language(group.help, language) if group.help else "",
        prefix=group.prefix,
        add_word=add,
        is_visible=state.visible,
        rows=rows,
        blank=_row(blank, f"{group.prefix}0", language),
        last_number=max((row.row.number for row in state.rows), default=0),
        count=sum(not row.is_struck for row in rows),
        most=group.most,
        is_closed=state.is_closed,
        problems=state.problems,
    )


def _row(state: RowState, label: str, language: str) -> RowView:
    items = tuple(view(item, language, label) for item in state.items)
    return RowView(state.path, state.row.number, label, state.row.is_struck, state.row.facts.carried, items)


def _control(state: ItemState, *, in_row: bool) -> str:
    """Which control asks for an item."""
    item = state.item
    if state.is_locked:
        return "derived"
    if item.kind.is_image_bound:
        return "mark"
    most = _MOST_BUTTONS_IN_ROW if in_row else _MOST_BUTTONS
    if item.kind is ItemKind.CHOICE and len(item.codes) > most:
        return "select"
    return item.kind.value


def _choices(item: Item, text: str, language: str) -> tuple[tuple[str, str, bool], ...]:
    """Code, label, and whether it is chosen; of a score every step, named or not."""
    chosen = text.split()
    if item.kind is not ItemKind.SCORE:
        return tuple((code, in_language(label, language), code in chosen) for code, label in item.codes)
    assert item.lowest is not None  # a score has both
    assert item.highest is not None
    names = {code: in_language(label, language) for code, label in item.codes}
    steps = [str(step) for step in range(int(item.lowest), int(item.highest) + 1)]
    return tuple((step, names.get(step, ""), step in chosen) for step in steps)


def _origin(item: Item) -> str:
    """Where a derived value comes from."""
    if item.compute:
        return _("Computed")
    words = {
        "first": _("From the first timepoint"),
        "previous": _("From the timepoint before"),
        "lowest": _("The lowest of earlier timepoints"),
    }
    return words.get(item.given.partition(".")[0], "")


def _item_look(item: ItemView) -> dict[str, object]:
    return {
        "absent": item.absent,
        "mark_id": item.mark_id,
        "required": item.is_required,
        "shown": item.shown,
        "text": item.text,
        "told": render_to_string(_TOLD, {"item": item}),
        "visible": item.is_visible,
    }
