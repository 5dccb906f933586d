"""Changes of answers: from what a client sends to answers that fit the form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collegium.forms.answers import Answer, AnswerKind, read_typed
from collegium.forms.definition import ABSENCES, ItemKind
from collegium.forms.errors import (
    AnswerLocked,
    AnswerRefused,
    ChangeUnreadable,
    ItemUnknown,
    RowCarried,
    RowsClosed,
    TooManyRows,
)
from collegium.forms.rows import PRESENT, STRUCK, group_at, row_answer, rows_of
from collegium.kit import ids

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from collegium.forms.definition import FormDefinition, Item

MOST_EVER = 200
"""Rows of a group in one entry, struck ones too."""


def read_changes(
    form: FormDefinition,
    changes: Mapping[str, Mapping[str, Any] | None],  # Any: JSON from the client
    *,
    measured: Callable[[UUID], Answer],
) -> dict[str, Answer | None]:
    """What a client sent, as answers by path.

    Args:
        form: the entry's form.
        changes: by path; of an item `{"text": …}`, `{"absent": code}`, `{"mark_id": …}` or None to empty it, of a row
            `{"row": "present"}` to add it or take a strike back, `{"row": "struck"}` to strike it out.
        measured: the answer that takes a mark over, as the mark is now.

    Raises:
        ItemUnknown, AnswerRefused, ChangeUnreadable: nothing can be saved.
    """
    return {path: _answer(form, path, change, measured) for path, change in changes.items()}


def _answer(
    form: FormDefinition,
    path: str,
    change: Mapping[str, Any] | None,  # Any: JSON
    measured: Callable[[UUID], Answer],
) -> Answer | None:
    if group_at(form, path):
        match dict(change or {}):
            case {"row": str(word), **rest} if not rest and word in (PRESENT, STRUCK):
                return Answer(AnswerKind.VALUE, word)
        raise ChangeUnreadable
    item = form.item_at(path)
    if item is None:
        raise ItemUnknown
    if change is None:
        return None
    match dict(change):
        case {"text": str(text), **rest} if not rest:
            if item.kind.is_image_bound and text.strip():
                raise AnswerRefused
            return read_typed(item, text)
        case {"absent": str(code), **rest} if not rest and code in ABSENCES:
            return Answer(AnswerKind(code))
        case {"mark_id": str(text), **rest} if not rest and item.kind.is_image_bound:
            return _measured(item, text, measured)
    raise ChangeUnreadable


def _measured(item: Item, text: str, measured: Callable[[UUID], Answer]) -> Answer:
    """The mark taken over, if it is of the item's kind."""
    mark_id = ids.parse(text)
    if mark_id is None:
        raise ChangeUnreadable
    answer = measured(mark_id)
    if bool(answer.short) != (item.kind is ItemKind.BIDIRECTIONAL):
        raise AnswerRefused
    return answer


def placed(
    form: FormDefinition, answers: Mapping[str, Answer], changes: Mapping[str, Answer | None]
) -> dict[str, Answer | None]:
    """The changes as they can be stored beside the answers there are; new rows get their numbers.

    Raises:
        ItemUnknown: no such item, or its row was never added.
        AnswerLocked: nobody answers this item: it is computed, given, or identifies a carried finding.
        AnswerRefused: a measured value without its mark, or a mark where none belongs.
        RowCarried: a finding of an earlier timepoint cannot be struck out here.
        RowsClosed, TooManyRows: a group takes no further row.
    """
    after = dict(answers)
    found: dict[str, Answer | None] = {}
    for path, answer in changes.items():
        new = _row(form, after, path, answer) if group_at(form, path) else _fitting(form, after, path, answer)
        found[path] = new
        if new is None:
            after.pop(path, None)
        else:
            after[path] = new
    return found


def _row(form: FormDefinition, answers: Mapping[str, Answer], path: str, wanted: Answer | None) -> Answer:
    group = group_at(form, path)
    if group is None or wanted is None or wanted.value not in (PRESENT, STRUCK):
        raise ItemUnknown
    is_struck = wanted.value == STRUCK
    before = answers.get(path)
    if before and before.row:
        if before.row.carried and before.value != wanted.value:
            raise RowCarried
        return row_answer(number=before.row.number, carried=before.row.carried, is_struck=is_struck)
    if group.name in answers:
        raise RowsClosed
    rows = rows_of(group, answers)
    if len(rows) >= MOST_EVER:
        raise TooManyRows
    return row_answer(number=max((row.number for row in rows), default=0) + 1, is_struck=is_struck)


def _fitting(
    form: FormDefinition, answers: Mapping[str, Answer], path: str, answer: Answer | None
) -> Answer | None:
    item = form.item_at(path)
    if item is None:
        raise ItemUnknown
    row = _row_of(answers, path)
    if "." in path and row is None:
        raise ItemUnknown
    if item.is_derived:
        raise AnswerLocked
    if row and row.row and row.row.carried and item.name in form.groups[path.split(".", maxsplit=1)[0]].fixed:
        raise AnswerLocked
    if answer is None:
        return None
    has_value = bool(answer.value)
    if has_value and item.kind.is_image_bound != bool(answer.mark):
        raise AnswerRefused
    # A line is no answer to two diameters, nor two diameters to a line.
    if has_value and (item.kind is ItemKind.BIDIRECTIONAL) != bool(answer.short):
        raise AnswerRefused
    if answer.row:
        raise AnswerRefused
    return answer


def _row_of(answers: Mapping[str, Answer], path: str) -> Answer | None:
    """The answer of the row that an item's path lies in."""
    return answers.get(path.rpartition(".")[0])
