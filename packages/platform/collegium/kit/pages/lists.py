"""Lists: search, filters and order in the address, keyset paging, never an offset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlencode

from django.db.models import F, Q

from collegium.kit import ids
from collegium.kit.texts import storable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from uuid import UUID

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

PAGE_SIZE = 50
Item = TypeVar("Item")
Row = TypeVar("Row", bound="Model")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of a list asks for."""

    path: str
    text: str
    filters: Mapping[str, str]
    after: UUID | None
    sort: str = ""
    """The column to sort by, `-` before it for the other way round; empty: the list's own order."""
    chooses: str = ""
    """A filter that chooses which list is shown, and narrows nothing."""

    @classmethod
    def of(cls, request: HttpRequest, *filters: str, sorts: Iterable[str] = (), chooses: str = "") -> Asked:
        asked = {name: storable(request.GET.get(name, "")) for name in ("q", "sort", *filters)}
        given = {name: asked[name] for name in filters if asked[name]}
        sort = asked["sort"] if asked["sort"].removeprefix("-") in set(sorts) else ""
        after = ids.parse(request.GET.get("after", ""))
        return cls(request.path, asked["q"].strip(), given, after, sort, chooses)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.text or self.filters.keys() - {self.chooses})

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What a new search leaves as it is: the filters and the order."""
        return [*self.filters.items(), *([("sort", self.sort)] if self.sort else [])]

    @property
    def cleared(self) -> str:
        """The address without search and filters, in the same order."""
        gone = {name: "" for name in self.filters if name != self.chooses}
        return self.address(q="", **gone)

    def address(self, **changes: str) -> str:
        """The address with some filters changed; an empty value removes one. Paging starts over."""
        merged = {"q": self.text, **self.filters, "sort": self.sort, **changes}
        query = urlencode({key: value for key, value in merged.items() if value})
        return f"{self.path}?{query}" if query else self.path

    def sorted_by(self, column: str) -> str:
        """The address in the order of a column: up, then down, then the list's own order again."""
        following = {column: f"-{column}", f"-{column}": ""}
        return self.address(sort=following.get(self.sort, column))

    def arrange(self, items: Iterable[Item], columns: Mapping[str, Callable[[Item], object]]) -> list[Item]:
        """`items` that are all in hand, in the order asked for; nothing comes last, whichever way."""
        found = list(items)
        if self.sort:
            value = columns[self.sort.removeprefix("-")]
            full = [one for one in found if value(one) not in (None, "")]
            full.sort(key=lambda one: _fold(value(one)), reverse=self.sort.startswith("-"))  # type: ignore[arg-type,return-value]  # values of one column compare
            found = [*full, *(one for one in found if value(one) in (None, ""))]
        return found


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list and where the next begins."""

    items: Sequence[Item]
    next_address: str

    @classmethod
    def cut(cls, asked: Asked, rows: Iterable[Item], *, size: int = PAGE_SIZE, key: str = "id") -> Page[Item]:
        """`rows` fetched with a limit of `size + 1`, in the order of `key`."""
        fetched = list(rows)
        more, items = len(fetched) > size, fetched[:size]
        return cls(items, asked.address(after=str(getattr(items[-1], key))) if more else "")


def ordered(
    asked: Asked, rows: QuerySet[Row], fields: Mapping[str, str], *, key: str = "id"
) -> QuerySet[Row]:
    """`rows` in the order asked for, from below the row that the last page ended with.

    Args:
        asked: what the address asks for, read with `sorts=fields`.
        rows: scoped and narrowed.
        fields: by name of the column, what it is in the database.
        key: unique and growing: the list's own order is by it, newest first, and it decides between equals.
    """
    below = Q(**{f"{key}__lt": asked.after}) if asked.after else Q()
    if not asked.sort:
        return rows.filter(below).order_by(f"-{key}")
    field, is_down = fields[asked.sort.removeprefix("-")], asked.sort.startswith("-")
    order = F(field).desc(nulls_last=True) if is_down else F(field).asc(nulls_last=True)
    last = list(rows.filter(**{key: asked.after}).values_list(field, flat=True)) if asked.after else []
    if last:
        nothing = Q(**{f"{field}__isnull": True})
        if last[0] is None:
            rows = rows.filter(nothing & below)
        else:
            further = Q(**{f"{field}__{'lt' if is_down else 'gt'}": last[0]})
            rows = rows.filter(further | (Q(**{field: last[0]}) & below) | nothing)
    return rows.order_by(order, f"-{key}")


def _fold(value: object) -> object:
    return value.casefold() if isinstance(value, str) else value
