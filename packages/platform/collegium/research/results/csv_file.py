"""A result table as CSV (RFC 4180, UTF-8, CRLF): codes with their labels beside them, one row a signed read."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from collegium.forms.answers import AnswerKind
from collegium.forms.definition import ItemKind, in_language

if TYPE_CHECKING:
    from collegium.forms.answers import Answer
    from collegium.forms.definition import Item
    from collegium.research.results.queries import ResultTable
    from collegium.research.results.rows import ResultRow

_FACTS = (
    "subject", "site", "visit", "study_uids", "step", "reader", "version", "meaning", "signed_at_utc", "signature",
    "record_sha256", "in_correction", "late_images",
)  # fmt: skip
_FINAL_FACTS = ("final_by", "from_reads")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(table: ResultTable, language: str = "en") -> bytes:
    """The file. The same table gives the same bytes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    facts = (*_FACTS, *_FINAL_FACTS) if table.is_final else _FACTS
    writer.writerow([*facts, *(column for item in table.items for column in _columns(item))])
    for row in table.rows:
        cells = (cell for item in table.items for cell in _cells(item, row.answers.get(item.name), language))
        writer.writerow([*_facts(table, row), *cells])
    return out.getvalue().encode()


def _facts(table: ResultTable, row: ResultRow) -> list[str]:
    return [
        row.subject,
        row.site,
        row.visit,
        " ".join(row.study_uids),
        table.name,
        _plain(row.reader),
        str(row.version),
        _plain(row.meaning),
        row.signed_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        row.validity.value,
        row.digest,
        str(row.in_correction).lower(),
        str(row.has_late_images).lower(),
        *((row.source, " ".join(row.from_reads)) if table.is_final else ()),
    ]


def _columns(item: Item) -> list[str]:
    names = [item.name]
    if item.kind is ItemKind.CHOICE:
        names.append(f"{item.name}_label")
    if item.unit:
        names.append(f"{item.name}_unit")
    if item.kind.is_image_bound:
        names.append(f"{item.name}_mark")
    return [*names, f"{item.name}_absent"]


def _cells(item: Item, answer: Answer | None, language: str) -> list[str]:
    has_value = answer is not None and answer.kind is AnswerKind.VALUE
    value = answer.value if answer and has_value else ""
    cells = [_plain(value) if item.kind is ItemKind.TEXT else value]
    if item.kind is ItemKind.CHOICE:
        label = item.label_of(value)
        cells.append(_plain(in_language(label, language)) if label else "")
    if item.unit:
        cells.append(item.unit if has_value else "")
    if item.kind.is_image_bound:
        cells.append(f"{answer.mark.mark_id}:{answer.mark.revision}" if answer and answer.mark else "")
    return [*cells, answer.kind.value if answer and not has_value else ""]


def _plain(text: str) -> str:
    """Words a spreadsheet would run as a formula get an apostrophe before them; codes and numbers never need it."""
    return f"'{text}" if text.startswith(_FORMULA) else text
