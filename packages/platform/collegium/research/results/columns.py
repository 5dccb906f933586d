"""The columns of a results table: one for each item, and for an item of a group one for each row number.

The newest form says the order. What only older forms had stands after it, so that no signed answer is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium.forms.definition import Item, ItemKind
from collegium.forms.rows import row_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collegium.forms.answers import Answer
    from collegium.forms.definition import FormDefinition, Group
    from collegium.research.results.rows import ResultRow


@dataclass(frozen=True, slots=True)
class Column:
    """An item; in a group, of the rows of one number. `items` are what it was in each form, the newest first."""

    items: tuple[Item, ...]
    group: str = ""
    row: str = ""
    """What the row is called: T1."""
    number: int = 0

    @property
    def item(self) -> Item:
        return self.items[0]

    @property
    def name(self) -> str:
        return f"{self.group}_{self.row}_{self.item.name}" if self.group else self.item.name

    @property
    def has_labels(self) -> bool:
        return any(item.codes for item in self.items)

    @property
    def has_unit(self) -> bool:
        return any(item.unit for item in self.items)

    @property
    def has_short(self) -> bool:
        return any(item.kind is ItemKind.BIDIRECTIONAL for item in self.items)

    @property
    def has_mark(self) -> bool:
        return any(item.kind.is_image_bound for item in self.items)

    def reads_differ(self, row: ResultRow) -> bool | None:
        """Whether the reads behind a final row differ here; None of a single read, and where none has this row."""
        has_row = not self.group or (self.group, self.number) in row.row_ids
        if row.differing is None or not has_row:
            return None
        return (self.group, self.number, self.item.name) in row.differing

    def of(self, row: ResultRow) -> tuple[Item, Answer | None]:
        """What a read says to it, and the item as the form of that read had it."""
        path = self.item.name
        if self.group:
            row_id = row.row_ids.get((self.group, self.number))
            if row_id is None:
                return self.item, None
            path = f"{row_path(self.group, row_id)}.{path}"
        return row.form.item_at(path) or self.item, row.answers.get(path)


def columns_of(newest: FormDefinition, rows: Sequence[ResultRow]) -> tuple[Column, ...]:
    """The columns that show every answer of these rows; `rows` are ordered, the newest last."""
    older = {row.form.digest: row.form for row in reversed(rows)}
    forms = tuple(({newest.digest: newest} | older).values())
    numbers = sorted({found for row in rows for found in row.row_ids})
    return tuple(
        column
        for name, group in _parts(forms)
        for column in (
            _of_group(group, forms, [number for of, number in numbers if of == group.name])
            if group
            else [Column(_variants(forms, "", name))]
        )
    )


def _parts(forms: Sequence[FormDefinition]) -> Iterator[tuple[str, Group | None]]:
    """Items and groups by name, each once."""
    seen: set[tuple[str, bool]] = set()
    for form in forms:
        for part in form.parts:
            key = (part.name, isinstance(part, Item))
            if key not in seen:
                seen.add(key)
                yield part.name, None if isinstance(part, Item) else part


def _of_group(group: Group, forms: Sequence[FormDefinition], numbers: Sequence[int]) -> Iterator[Column]:
    names = dict.fromkeys(
        item.name for form in forms if group.name in form.groups for item in form.groups[group.name].items
    )
    variants = [_variants(forms, group.name, name) for name in names]
    for number in numbers:
        for items in variants:
            yield Column(items, group.name, f"{group.prefix}{number}", number)


def _variants(forms: Sequence[FormDefinition], scope: str, name: str) -> tuple[Item, ...]:
    """An item as each form has it."""
    return tuple(item for form in forms for of, item in form.all_items() if (of, item.name) == (scope, name))
