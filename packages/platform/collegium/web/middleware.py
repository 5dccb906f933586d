"""Wraps every page in `acting_as` of the signed-in person; nothing else opens content to pages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect

from collegium.kit.database import ALL_SPACES, acting_as
from collegium.kit.errors import CollegiumError, SignInNeeded
from collegium.kit.pages.http import problem
from collegium.trust.identity.queries import account_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from collegium.kit.pages.http import PageRequest

SEEN_EVERY_S = 60


class ActingAs:
    """The transaction is the view's: it rolls back when an error leaves the view, never for a status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(
        self,
        request: PageRequest,
        view: Callable[..., HttpResponse],
        args: tuple[Any, ...],  # Any: Django's own form
        kwargs: dict[str, Any],  # Any: Django's own form
    ) -> HttpResponse | None:
        if getattr(view, "open_to_all", False) or view.__module__.startswith("allauth."):
            return None
        account = account_of(request.session)
        if account is None:
            return _sign_in(request)
        if "X-Live" not in request.headers:  # what an open page loads by itself is nobody's presence
            _keep_awake(request)
        request.principal, request.person_name = account.principal, account.full_name
        try:
            with acting_as(account.principal, [kwargs["space_id"]] if "space_id" in kwargs else ALL_SPACES):
                response = view(request, *args, **kwargs)
        except CollegiumError as error:
            request.actor = None  # the space's frame cannot be drawn outside its transaction
            response = problem(request, error)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


def _sign_in(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        return problem(request, SignInNeeded())
    address = f"{settings.LOGIN_URL}?{urlencode({'next': request.get_full_path()})}"
    if request.headers.get("HX-Request"):
        return HttpResponse(status=401, headers={"HX-Redirect": address, "X-Message": SignInNeeded.message})
    return HttpResponseRedirect(address)


def _keep_awake(request: HttpRequest) -> None:
    """Extend the session at most once a minute: a click must not cost a write."""
    now = int(time.time())
    if now - int(request.session.get("seen", 0)) > SEEN_EVERY_S:
        request.session["seen"] = now
