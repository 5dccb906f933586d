"""Every route the application knows, and how the leak check asks it.

A route is planned by the parts of its address: a part that stands in `PARTS` gets its values from what the person
can learn, from what somebody else has, and from thin air. A route with another part stops the check with words that
say what to add, so that no new page escapes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import URLPattern, URLResolver

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.routing import BaseRoute

PARTS = {
    "space_id": "the project",
    "door_id": "below grants/ a grant of the person's tasks, below spaces/ the project",
    "task_id": "the person's tasks; somebody else's",
    "grant_id": "the grants that opening the tasks gives",
    "study": "answers of DICOMweb",
    "series": "answers of DICOMweb",
    "instance": "answers of DICOMweb",
    "frame": "1",
    "mark_id": "answers of the marks",
    "exam_id": "the project's exams, which no blinded person may open",
    "query_id": "links to the person's own data queries; one of somebody else",
    "membership_id": "another member's",
    "discrepancy_id": "one of the project",
    "gateway_id": "the project's gateways, which no blinded person may open",
    "channel_id": "the channels of those gateways",
    "delivery_id": "from thin air",
    "rest": "from thin air",
}
"""Parts of addresses, and where their values come from. Links found in answers are followed for all of them."""

_DJANGO = re.compile(r"<(?:([a-z]+):)?(\w+)>")
_STARLETTE = re.compile(r"{(\w+)(?::(\w+))?}")
_REGULAR = "(?P<"
_VALUES = {"uuid": "[0-9a-f-]{36}", "int": "[0-9]+", "path": ".+", "slug": r"[\w-]+", "str": "[^/]+"}


@dataclass(frozen=True, slots=True)
class Route:
    """A route by its address, parts in braces: `projects/{space_id}/exams/`."""

    address: str
    kinds: tuple[tuple[str, str], ...]
    """Each part and its converter."""

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(name for name, _kind in self.kinds)

    @property
    def pattern(self) -> re.Pattern[str]:
        """What a path of this route looks like; its groups are the parts."""
        found = re.escape("/" + self.address)
        for name, kind in self.kinds:
            found = found.replace(re.escape("{" + name + "}"), f"(?P<{name}>{_VALUES.get(kind, '[^/]+')})", 1)
        return re.compile(found)

    def path(self, values: dict[str, str]) -> str:
        return "/" + self.address.format(**values)


def routes_of(pages: Iterable[Any], byte_paths: Iterable[BaseRoute]) -> list[Route]:
    """Every route of Django's patterns and of Starlette's.

    Args:
        pages: `urlpatterns`. Any: Django's patterns and resolvers.
        byte_paths: what stands in front of the pages.
    """
    found = dict.fromkeys(_django("", pages))
    found |= dict.fromkeys(_starlette(getattr(one, "path", str(one))) for one in byte_paths)
    return sorted(found, key=lambda route: route.address)


def unplanned(routes: Iterable[Route]) -> tuple[str, ...]:
    """Routes that the check cannot ask, each with what to do about it."""
    return tuple(
        f"/{route.address} has the part {{{part}}}, for which the leak check has no plan. Say in PARTS of "
        "collegium/research/oversight/leaks/plan.py where a blinded person learns its values."
        for route in routes
        for part in route.parts
        if part not in PARTS
    )


def planned(routes: Iterable[Route]) -> list[Route]:
    """Routes that the check can ask."""
    return [route for route in routes if PARTS.keys() >= set(route.parts)]


def _django(before: str, patterns: Iterable[Any]) -> Iterable[Route]:  # Any: Django's patterns and resolvers
    for one in patterns:
        written = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _django(written, one.url_patterns)
        elif isinstance(one, URLPattern) and _REGULAR in written:
            yield Route(written, (("regular expression", ""),))
        elif isinstance(one, URLPattern):
            kinds = tuple((name, kind or "str") for kind, name in _DJANGO.findall(written))
            yield Route(_DJANGO.sub(r"{\2}", written).strip("^$"), kinds)


def _starlette(path: str) -> Route:
    kinds = tuple((name, kind or "str") for name, kind in _STARLETTE.findall(path))
    return Route(_STARLETTE.sub(r"{\1}", path).lstrip("/"), kinds)
