"""A form's items as the reading page shows them, whole or one by one after a change."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from collegium.forms.answers import AnswerKind
from collegium.forms.definition import ItemKind, Severity, in_language

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collegium.forms.judge import FormProblem, FormState, ItemState


@dataclass(frozen=True, slots=True)
class ItemView:
    """One item in one language. `text` is what its field shows; `absent` the reason there is no value."""

    name: str
    kind: str
    label: str
    help: str
    unit: str
    is_visible: bool
    is_required: bool
    text: str
    absent: str
    mark_id: str
    length: str
    choices: tuple[tuple[str, str], ...]
    absences: tuple[tuple[str, str], ...]
    problems: tuple[FormProblem, ...]
    unjudged: int
    lowest: str
    highest: str

    @property
    def absent_word(self) -> str:
        return dict(self.absences).get(self.absent, self.absent)


def views(state: FormState, language: str) -> list[ItemView]:
    """All items in the form's order."""
    return [view(item, language) for item in state.items]


def view(state: ItemState, language: str) -> ItemView:
    item, answer = state.item, state.answer
    has_text = answer is not None and answer.kind in (AnswerKind.VALUE, AnswerKind.UNREADABLE)
    text = answer.value if answer and has_text else ""
    return ItemView(
        name=item.name,
        kind=item.kind.value,
        label=in_language(item.label, language),
        help=in_language(item.help, language) if item.help else "",
        unit=item.unit,
        is_visible=state.visible,
        is_required=state.required,
        text=text,
        absent=answer.kind.value if answer and not has_text else "",
        mark_id=answer.mark.mark_id if answer and answer.mark else "",
        length=shown_length(text) if item.kind is ItemKind.LENGTH and text else "",
        choices=tuple((code, in_language(label, language)) for code, label in item.codes),
        absences=tuple((code, absence_word(code)) for code in item.absences),
        problems=state.problems,
        unjudged=len(state.unjudged),
        lowest="" if item.lowest is None else str(item.lowest),
        highest="" if item.highest is None else str(item.highest),
    )


def absence_word(code: str) -> str:
    """What a reason for no value is called on screen."""
    return {"not_done": _("Not done"), "not_evaluable": _("Not evaluable"), "unknown": _("Unknown")}[code]


def changed_items(state: FormState, names: Iterable[str], language: str) -> dict[str, dict[str, object]]:
    """What the page needs of items that look different now; the page never replaces a field."""
    return {name: _changed(view(state[name], language)) for name in names}


def open_problems(state: FormState) -> int:
    """How many items still stop a submission."""
    return len({item.item.name for item, problem in state.errors if problem.severity is Severity.ERROR})


def _changed(item: ItemView) -> dict[str, object]:
    return {
        "absent": item.absent,
        "length": item.length,
        "mark_id": item.mark_id,
        "required": item.is_required,
        "text": item.text,
        "told": render_to_string("research_reads/told.html", {"item": item}),
        "visible": item.is_visible,
    }


def shown_length(text: str) -> str:
    """A measured length as the viewer writes it: two decimals; the record keeps all of them."""
    return str(Decimal(text).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP))
