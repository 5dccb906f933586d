"""A result table as CSV (RFC 4180, UTF-8, CRLF): codes with their labels beside them.

Wide: a line for each signed read and a set of columns for each item, those of a group once for each row number
(`targets_T1_organ`). Long: a line for each item of each read. The same table gives the same bytes.
"""

from __future__ import annotations

import csv
import enum
import io
from typing import TYPE_CHECKING

from collegium.forms.answers import AnswerKind
from collegium.forms.definition import ItemKind, in_language
from collegium.forms.rows import mentioned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from collegium.forms.answers import Answer
    from collegium.forms.definition import Item
    from collegium.research.results.columns import Column
    from collegium.research.results.queries import ResultTable
    from collegium.research.results.rows import ResultRow


class Shape(enum.StrEnum):
    """How a table is laid out in a file."""

    WIDE = "wide"
    LONG = "long"


_FACTS = (
    "subject", "site", "visit", "study_uids", "step", "reader", "version", "meaning", "signed_at_utc", "signature",
    "record_sha256", "in_correction", "late_images", "unblinded", "unblinded_at_utc",
    "out_of_sequence",
)  # fmt: skip
_STRUCK = "struck_rows"
_FINAL_FACTS = ("final_by", "from_reads")
_READS = "reads"
"""Of a final table, for each item: whether the compared reads agree or differ about it."""
_LONG = (
    "subject", "site", "visit", "step", "reader", "version", "signed_at_utc", "group", "row", "item", "value",
    "value_label", "unit", "short_value", "mark", "absent", "signature", "in_correction", _STRUCK,
    "unblinded", "out_of_sequence",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(table: ResultTable, language: str = "en", shape: Shape = Shape.WIDE) -> bytes:
    """The file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows(_wide(table, language) if shape is Shape.WIDE else _long(table, language))
    return out.getvalue().encode()


def _wide(table: ResultTable, language: str) -> Iterator[Iterable[str]]:
    facts = [*_FACTS, *((_STRUCK,) if table.has_groups else ()), *(_FINAL_FACTS if table.is_final else ())]
    names = (name for column in table.columns for name in _names(column, is_final=table.is_final))
    yield _unlike([*facts, *names])
    for row in table.rows:
        cells = (
            cell
            for column in table.columns
            for cell in _cells(column, row, language, is_final=table.is_final)
        )
        yield [
            row.subject,
            row.site,
            row.visit,
            " ".join(row.study_uids),
            table.name,
            _plain(row.reader),
            str(row.version),
            _plain(row.meaning),
            _moment(row.signed_at),
            row.validity.value,
            row.digest,
            str(row.in_correction).lower(),
            str(row.has_late_images).lower(),
            _unblinded(row),
            _moment(row.unblinded_at),
            str(row.is_out_of_sequence).lower(),
            *((str(row.struck_rows),) if table.has_groups else ()),
            *(_final(row) if table.is_final else ()),
            *cells,
        ]


def _long(table: ResultTable, language: str) -> Iterator[Iterable[str]]:
    yield [*_LONG, *((*_FINAL_FACTS, _READS) if table.is_final else ())]
    for row in table.rows:
        read = (
            row.subject,
            row.site,
            row.visit,
            table.name,
            _plain(row.reader),
            str(row.version),
            _moment(row.signed_at),
        )
        more = (
            row.validity.value,
            str(row.in_correction).lower(),
            str(row.struck_rows),
            _unblinded(row),
            str(row.is_out_of_sequence).lower(),
        )
        for path, item, _label in mentioned(row.form, row.answers):
            answer = row.answers.get(path)
            yield [
                *read,
                *_place(row, path),
                item.name,
                _value(item, answer),
                _label_of(item, answer, language),
                _unit(item, answer),
                answer.short if answer else "",
                _mark(answer),
                _absent(answer),
                *more,
                *((*_final(row), _reads_of(row, path)) if table.is_final else ()),
            ]


def _place(row: ResultRow, path: str) -> tuple[str, str]:
    """Group and row of an item's path, empty outside of groups."""
    match path.split("."):
        case [group, row_id, _]:
            number = next(number for (of, number), one in row.row_ids.items() if (of, one) == (group, row_id))
            return group, _plain(f"{row.form.groups[group].prefix}{number}")
    return "", ""


def _reads_of(row: ResultRow, path: str) -> str:
    """Whether the reads behind a final row agree about the item at a path."""
    of_row, _, name = path.rpartition(".")
    group, _, row_id = of_row.partition(".")
    numbers = {(of, one): number for (of, number), one in row.row_ids.items()}
    cell = (group, numbers[group, row_id] if group else 0, name)
    return _agreement(None if row.differing is None else cell in row.differing)


def _agreement(reads_differ: bool | None) -> str:
    if reads_differ is None:
        return ""
    return "differ" if reads_differ else "agree"


def _names(column: Column, *, is_final: bool) -> Iterator[str]:
    yield column.name
    if column.has_labels:
        yield f"{column.name}_label"
    if column.has_unit:
        yield f"{column.name}_unit"
    if column.has_short:
        yield f"{column.name}_short"
    if column.has_mark:
        yield f"{column.name}_mark"
    yield f"{column.name}_absent"
    if is_final:
        yield f"{column.name}_{_READS}"


def _cells(column: Column, row: ResultRow, language: str, *, is_final: bool) -> Iterator[str]:
    item, answer = column.of(row)
    yield _value(item, answer)
    if column.has_labels:
        yield _label_of(item, answer, language)
    if column.has_unit:
        yield _unit(item, answer)
    if column.has_short:
        yield answer.short if answer else ""
    if column.has_mark:
        yield _mark(answer)
    yield _absent(answer)
    if is_final:
        yield _agreement(column.reads_differ(row))


def _unlike(names: list[str]) -> list[str]:
    """Every column by a name of its own: an item may be called as another item's label column would be."""
    found: list[str] = []
    taken: set[str] = set()
    for name in names:
        own = name
        while own in taken:
            own += "_"
        taken.add(own)
        found.append(own)
    return found


def _value(item: Item, answer: Answer | None) -> str:
    if answer is None or answer.kind is not AnswerKind.VALUE:
        return ""
    return _plain(answer.value) if item.kind is ItemKind.TEXT else answer.value


def _label_of(item: Item, answer: Answer | None, language: str) -> str:
    """The label of a code, and of several with semicolons between."""
    if answer is None or answer.kind is not AnswerKind.VALUE or not item.codes:
        return ""
    labels = [item.label_of(code) for code in answer.value.split()]
    return _plain("; ".join(in_language(label, language) for label in labels if label))


def _unit(item: Item, answer: Answer | None) -> str:
    return _plain(item.unit) if answer and answer.kind is AnswerKind.VALUE else ""


def _mark(answer: Answer | None) -> str:
    return f"{answer.mark.mark_id}:{answer.mark.revision}" if answer and answer.mark else ""


def _absent(answer: Answer | None) -> str:
    return answer.kind.value if answer and answer.kind is not AnswerKind.VALUE else ""


def _final(row: ResultRow) -> tuple[str, str]:
    return row.source, " ".join(row.from_reads)


def _unblinded(row: ResultRow) -> str:
    """Whether the reader's task was unblinded, and whether they could know the subject when they signed."""
    if row.unblinded_at is None:
        return "no"
    return "before_signature" if row.was_signed_unblinded else "after_signature"


def _moment(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""


def _plain(text: str) -> str:
    """Words a spreadsheet would run as a formula get an apostrophe before them; codes and numbers never need it."""
    return f"'{text}" if text.startswith(_FORMULA) else text
