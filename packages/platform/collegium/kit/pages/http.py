"""What a page gets: the request of a signed-in person, and how errors are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest, JsonResponse
from django.shortcuts import render

from collegium.kit import ids
from collegium.kit.errors import CollegiumError, status_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from django.http import HttpResponse

    from collegium.kit.principals import Actor, Principal

    View = TypeVar("View", bound=Callable[..., HttpResponse])


class PageRequest(HttpRequest):
    """A request inside `acting_as` of the person who is signed in."""

    principal: Principal
    person_name: str
    actor: Actor | None


def open_to_all(view: View) -> View:
    """Mark a view that needs nobody signed in and touches no content (health, sign-in)."""
    view.open_to_all = True  # type: ignore[attr-defined]  # a mark on a function
    return view


def problem(request: HttpRequest, error: CollegiumError) -> HttpResponse:
    """The answer for an error: a page, a toast for htmx, JSON for the API; with a reference to quote."""
    status, reference = status_of(error), ids.uuid7().hex[-8:]
    if request.path.startswith("/api/"):
        body = {"code": error.code, "message": error.text, "reference": reference, **details(error)}
        response: HttpResponse = JsonResponse(body, status=status)
    else:
        context = {"error": error, "status": status, "reference": reference}
        response = render(request, "pages/problem.html", context, status=status)
    response.headers["X-Message"] = error.text.encode("ascii", "replace").decode()
    response.headers["X-Reference"] = reference
    return response


def details(error: CollegiumError) -> dict[str, object]:
    """What an error adds to its JSON: its `details`, if it has any."""
    found = getattr(error, "details", {})
    return dict(found) if isinstance(found, dict) else {}
