"""Put a task's queries beside the items they are about: `{% for query in queries|about:item.name %}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collegium.research.data_queries.view import PageQueries, QueryView

register = template.Library()


@register.filter
def about(queries: PageQueries | None, path: str) -> Sequence[QueryView]:
    """The live queries about the answer at this path; none when the page has no queries at all."""
    return queries.by_path.get(path, ()) if queries else ()
