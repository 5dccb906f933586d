"""What reads of one thing say alike, item by item, and what counts where they differ and nobody settled it. Pure.

Findings of different readers do not correspond: in groups, rows are compared by their number, and no mean is taken.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from collegium.forms.answers import Answer, AnswerKind
from collegium.forms.definition import ItemKind
from collegium.forms.rows import mentioned, row_answer, row_path
from collegium.kit.rules import ValueType
from collegium.research.projects.definition import Differing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collegium.forms.definition import Item
    from collegium.research.results.rows import Cell, ResultRow

_ORDINAL = (ItemKind.SCORE, ItemKind.CHOICE, ItemKind.CHOICES)
"""Kinds of item whose mean says nothing, though some are written as numbers."""


def differing(reads: Sequence[ResultRow]) -> frozenset[Cell]:
    """The cells that not all of these reads say alike: another value, another reason for none, a row one lacks."""
    said = [_cells(read) for read in reads]
    cells = {cell: item for each in said for cell, (item, _) in each.items()}
    return frozenset(
        cell
        for cell, item in cells.items()
        if any(
            not _alike(item, _answer(said[0], cell), _answer(each, cell))
            or (cell in each) != (cell in said[0])
            for each in said[1:]
        )
    )


def agreed(row: ResultRow, reads: Sequence[ResultRow], rule: Differing) -> ResultRow:
    """The final row of reads that agree by the discrepancy rule; single items may differ all the same.

    Args:
        row: the final row with the answers of the first read.
        reads: the compared reads, by slot.
        rule: what the project file says of items that differ.
    """
    found = differing(reads)
    if rule is Differing.FIRST:
        return replace(row, differing=found)
    answers, row_ids = dict(row.answers), dict(row.row_ids)
    said = [_cells(read) for read in reads]
    for cell in found:
        group, number, name = cell
        if group and (group, number) not in row_ids:
            row_id = next(read.row_ids[group, number] for read in reads if (group, number) in read.row_ids)
            row_ids[group, number] = row_id
            answers[row_path(group, row_id)] = row_answer(number=number)
        path = f"{row_path(group, row_ids[group, number])}.{name}" if group else name
        answers.pop(path, None)
        item = next(each[cell][0] for each in said if cell in each)
        middle = _mean(item, [_answer(each, cell) for each in said])
        if rule is Differing.MEAN and not group and middle:
            answers[path] = middle
    return replace(row, answers=answers, row_ids=row_ids, differing=found)


def _cells(read: ResultRow) -> dict[Cell, tuple[Item, Answer | None]]:
    """Every item that a read may answer, by where it stands in a table."""
    numbers = {row_path(group, row_id): (group, number) for (group, number), row_id in read.row_ids.items()}
    found: dict[Cell, tuple[Item, Answer | None]] = {}
    for path, item, _ in mentioned(read.form, read.answers):
        of_row, _, name = path.rpartition(".")
        group, number = numbers[of_row] if of_row else ("", 0)
        found[group, number, name] = (item, read.answers.get(path))
    return found


def _answer(said: Mapping[Cell, tuple[Item, Answer | None]], cell: Cell) -> Answer | None:
    return said[cell][1] if cell in said else None


def _alike(item: Item, first: Answer | None, second: Answer | None) -> bool:
    """Whether two answers say the same; where it was measured does not matter."""
    if first is None or second is None:
        return first is second
    return first.values(item) == second.values(item)


def _mean(item: Item, answers: Sequence[Answer | None]) -> Answer | None:
    """The mean of measured or counted values; None where one is no value, or a mean says nothing."""
    given = [one for one in answers if one and one.kind is AnswerKind.VALUE]
    if item.kind in _ORDINAL or item.value_type.type is not ValueType.NUMBER or len(given) < len(answers):
        return None
    shorts = [Decimal(one.short) for one in given if one.short]
    short = _text(shorts) if len(shorts) == len(given) else ""
    return Answer(AnswerKind.VALUE, _text([Decimal(one.value) for one in given]), short=short)


def _text(values: Sequence[Decimal]) -> str:
    mean = sum(values, Decimal(0)) / len(values)
    return format(mean.normalize(), "f")
