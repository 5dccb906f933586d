"""Lists: search and filters in the address, keyset paging, never an offset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlencode

from collegium.kit import ids
from collegium.kit.texts import storable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from django.http import HttpRequest

PAGE_SIZE = 50
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of a list asks for."""

    path: str
    text: str
    filters: Mapping[str, str]
    after: UUID | None

    @classmethod
    def of(cls, request: HttpRequest, *filters: str) -> Asked:
        asked = {name: storable(request.GET.get(name, "")) for name in ("q", *filters)}
        given = {name: asked[name] for name in filters if asked[name]}
        return cls(request.path, asked["q"].strip(), given, ids.parse(request.GET.get("after", "")))

    @property
    def is_narrowed(self) -> bool:
        return bool(self.text or self.filters)

    def address(self, **changes: str) -> str:
        """The address with some filters changed; an empty value removes one. Paging starts over."""
        merged = {"q": self.text, **self.filters, **changes}
        query = urlencode({key: value for key, value in merged.items() if value})
        return f"{self.path}?{query}" if query else self.path


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
