"""Rows of a repeating group: their paths among the answers, their numbers, and the findings that are carried over.

The answers of an entry are one flat mapping. A row is an answer of its own at `group.row`, an item of it stands at
`group.row.item`. The row id is chosen where the row is added and never used again; the number is given by the server.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium.forms.answers import Answer, AnswerKind, RowFacts
from collegium.forms.definition import Item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collegium.forms.definition import FormDefinition, Group, Labels

ROW_ID = re.compile(r"[0-9a-f]{8}")
PRESENT, STRUCK = "present", "struck"
CLOSED = "closed"
"""The answer at a group's own path where no row is added: its rows were chosen at the first timepoint."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row as the answers hold it."""

    row_id: str
    facts: RowFacts
    is_struck: bool

    @property
    def number(self) -> int:
        return self.facts.number


@dataclass(frozen=True, slots=True)
class CarriedRow:
    """A finding of an earlier timepoint. Of `answers` (by item name) those that identify it are taken over."""

    row_id: str
    number: int
    answers: Mapping[str, Answer]
    is_struck: bool = False
    """It was struck out then; it stays so, and its number stays taken."""


def group_at(form: FormDefinition, path: str) -> Group | None:
    """The group whose row this is the path of; None where it is no row."""
    name, _, row_id = path.partition(".")
    return form.groups.get(name) if ROW_ID.fullmatch(row_id) else None


def row_path(group: str, row_id: str) -> str:
    return f"{group}.{row_id}"


def rows_of(group: Group, answers: Mapping[str, Answer]) -> list[Row]:
    """The rows of a group in the order of their numbers, struck ones among them."""
    found = []
    for path, answer in answers.items():
        name, _, row_id = path.partition(".")
        if name == group.name and answer.row:
            found.append(Row(row_id, answer.row, answer.value == STRUCK))
    return sorted(found, key=lambda row: (row.number, row.row_id))


def mentioned(form: FormDefinition, *answers: Mapping[str, Answer]) -> list[tuple[str, Item, Labels]]:
    """Every item that may have an answer, with its path and label: those of rows once for each row of any of them."""
    found: list[tuple[str, Item, Labels]] = []
    for part in form.parts:
        if isinstance(part, Item):
            found.append((part.name, part, part.label))
            continue
        rows = {row.row_id: row for each in answers for row in rows_of(part, each) if not row.is_struck}
        for row in sorted(rows.values(), key=lambda row: row.number):
            name = f"{part.prefix}{row.number}"
            for item in part.items:
                label = {language: f"{name} {text}" for language, text in item.label.items()}
                found.append((f"{row_path(part.name, row.row_id)}.{item.name}", item, label))
    return found


def row_answer(*, number: int, carried: bool = False, is_struck: bool = False) -> Answer:
    return Answer(AnswerKind.VALUE, STRUCK if is_struck else PRESENT, row=RowFacts(number, carried))


def carried_answers(group: Group, rows: tuple[CarriedRow, ...]) -> dict[str, Answer]:
    """What an entry starts with: the findings, each with its number and what identifies it, nothing more."""
    answers = {group.name: Answer(AnswerKind.VALUE, CLOSED)} if group.first_only else {}
    for row in rows:
        path = row_path(group.name, row.row_id)
        answers[path] = row_answer(number=row.number, carried=True, is_struck=row.is_struck)
        answers |= {f"{path}.{name}": row.answers[name] for name in group.fixed if name in row.answers}
    return answers


def carried_rows(form: FormDefinition, answers: Mapping[str, Answer]) -> dict[str, tuple[CarriedRow, ...]]:
    """The findings of an entry, by group, as the next timepoint's entry takes them over."""
    return {
        group.name: tuple(_carried(group, row, answers) for row in rows_of(group, answers))
        for group in form.groups.values()
        if group.carry
    }


def _carried(group: Group, row: Row, answers: Mapping[str, Answer]) -> CarriedRow:
    path = row_path(group.name, row.row_id)
    own = {
        item.name: answers[f"{path}.{item.name}"] for item in group.items if f"{path}.{item.name}" in answers
    }
    return CarriedRow(row.row_id, row.number, own, row.is_struck)
