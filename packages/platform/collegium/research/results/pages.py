"""Results of a project: the table of each step, and the same as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from collegium.forms.answers import AnswerKind
from collegium.forms.definition import ItemKind, in_language
from collegium.kit.errors import NotFound
from collegium.kit.pages.lists import Asked
from collegium.kit.texts import storable
from collegium.research.projects import queries as projects
from collegium.research.reads.form_view import told
from collegium.research.results import queries, services
from collegium.research.results.csv_file import Shape
from collegium.trust.access.pages import member
from collegium.trust.access.policies import Permission, require
from collegium.trust.access.queries import may

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from collegium.kit.pages.http import PageRequest
    from collegium.research.projects.definition import Step
    from collegium.research.results.columns import Column
    from collegium.research.results.rows import ResultRow

_SORTS: dict[str, Callable[[ResultRow], object]] = {
    "subject": lambda row: row.subject,
    "visit": lambda row: row.visit,
    "person": lambda row: row.reader,
    "signed": lambda row: row.signed_at,
}
SHOWN = 500
"""Rows on the page; the file has all."""


@require_GET
def results(request: PageRequest, space_id: UUID) -> HttpResponse:
    """The signed reads of one step, each signature checked as the page is made; or the final results alone."""
    actor = member(request, space_id)
    if not queries.may_see_final(actor):
        require(actor, Permission.RESULTS_VIEW)
    sees_all = may(actor, Permission.RESULTS_VIEW)
    language = request.LANGUAGE_CODE
    tables = _tables(queries.steps(actor), language, with_reads=sees_all)
    if not tables:
        return render(request, "research_results/results.html", {"steps": [], "sees_all": sees_all})
    asked = Asked.of(request, "step", sorts=_SORTS, chooses="step")
    wanted = asked.filters.get("step") or tables[0][0]
    table = services.view_results(actor=actor, step=wanted)
    visits = projects.visit_names(actor, language)
    context = {
        "asked": asked,
        "steps": [(label, asked.address(step=name), name == wanted) for name, label in tables],
        "step": wanted,
        "table": table,
        "sees_all": sees_all,
        "may_export": sees_all and may(actor, Permission.RESULTS_EXPORT),
        "heads": [_head(column, language) for column in table.columns],
        "lines": [
            (row, visits.get(row.visit, row.visit), _cells(table.columns, row, language))
            for row in asked.arrange(_found(table.rows, asked.text), _SORTS)[:SHOWN]
        ],
        "has_struck": any(row.struck_rows for row in table.rows),
        "hidden": max(0, len(_found(table.rows, asked.text)) - SHOWN),
    }
    return render(request, "research_results/results.html", context)


@require_POST
def results_csv(request: PageRequest, space_id: UUID) -> HttpResponse:
    """The table of a step as a file; a POST, because taking results out is recorded."""
    actor = member(request, space_id, Permission.RESULTS_EXPORT)
    step = storable(request.POST.get("step", ""))
    shape = request.POST.get("shape", Shape.WIDE)
    if shape not in list(Shape):
        raise NotFound
    file = services.export_csv(actor=actor, step=step, language=request.LANGUAGE_CODE, shape=Shape(shape))
    response = HttpResponse(file.body, content_type="text/csv; charset=utf-8; header=present")
    response.headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    response.headers["X-Content-SHA256"] = file.sha256
    response.headers["Cache-Control"] = "no-store"
    return response


def _found(rows: Sequence[ResultRow], text: str) -> list[ResultRow]:
    """The rows of subjects whose code contains `text`, newest first."""
    return [row for row in reversed(rows) if text.casefold() in row.subject.casefold()]


def _tables(steps: Sequence[Step], language: str, *, with_reads: bool) -> list[tuple[str, str]]:
    """Name and label of every table: each step, and the final values of those that are adjudicated."""
    found = [(step.name, in_language(step.label, language)) for step in steps] if with_reads else []
    found += [(f"{queries.FINAL}{step.name}", _("Final results")) for step in steps if step.adjudication]
    return found


def _head(column: Column, language: str) -> tuple[str, str]:
    """What a column is called, T1 Organ, and its unit."""
    return f"{column.row} {in_language(column.item.label, language)}".strip(), column.item.unit


def _cells(columns: Sequence[Column], row: ResultRow, language: str) -> list[tuple[str, bool]]:
    """Text of each column and whether it stands at the right, as numbers do."""
    return [(_told(column, row, language), bool(column.item.unit)) for column in columns]


def _told(column: Column, row: ResultRow, language: str) -> str:
    """An answer in words; of a final row, that its reads differ about it."""
    text = _text(column, row, language)
    if not column.reads_differ(row):
        return text
    return _("%(answer)s (reads differ)") % {"answer": text} if text else _("reads differ")


def _text(column: Column, row: ResultRow, language: str) -> str:
    """An answer in words, the labels of codes; without the unit that stands in the head."""
    item, answer = column.of(row)
    if answer is None:
        return ""
    if answer.kind is AnswerKind.VALUE and item.codes and item.kind is not ItemKind.SCORE:
        labels = [(code, item.label_of(code)) for code in answer.value.split()]
        return ", ".join(in_language(label, language) if label else code for code, label in labels)
    words = told(item, answer, language)
    return words.removesuffix(f" {column.item.unit}") if column.item.unit else words
