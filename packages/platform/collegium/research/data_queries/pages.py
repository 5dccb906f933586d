"""The queries of a project: the list, one with its dialogue, a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from collegium.kit import ids
from collegium.kit.errors import CollegiumError, NotFound
from collegium.kit.pages.lists import PAGE_SIZE, Asked, Page, ordered
from collegium.kit.texts import storable
from collegium.research.data_queries import asking, policies, queries, services
from collegium.research.data_queries.models import AskedOf, QueryKind, QueryState
from collegium.research.data_queries.view import all_shown, shown
from collegium.trust.access.pages import member
from collegium.trust.access.policies import Permission, require
from collegium.trust.access.queries import may

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from collegium.kit.pages.http import PageRequest
    from collegium.kit.principals import Actor
    from collegium.research.data_queries.models import DataQuery

ACTS = {
    "answer": (services.answer_query, gettext_lazy("Your answer was sent.")),
    "close": (services.close_query, gettext_lazy("The query is closed.")),
    "reopen": (services.reopen_query, gettext_lazy("The query is open again.")),
}


_BLIND_SORTS = ("state", "opened")
"""An order by subject would tell who is hidden behind which label."""
_SORTS = {"subject": "subject__code", "state": "state", "opened": "listing"}


@require_GET
def listing(request: PageRequest, space_id: UUID) -> HttpResponse:
    """The queries the person may see, newest first, by state, kind and whose they are."""
    actor = _participant(request, space_id)
    asked = Asked.of(
        request, "state", "kind", "mine", sorts=_SORTS if policies.manages_all(actor) else _BLIND_SORTS
    )
    rows = queries.visible(actor)
    if asked.filters.get("state") in list(QueryState):
        rows = rows.filter(state=asked.filters["state"])
    if asked.filters.get("kind") in list(QueryKind):
        rows = rows.filter(kind=asked.filters["kind"])
    if asked.filters.get("mine"):
        rows = rows.filter(opened_by=actor.principal.text)
    if asked.text:
        rows = queries.found(actor, rows, asked.text)
    rows = ordered(asked, rows, _SORTS, key="listing").prefetch_related("messages")
    page = Page.cut(asked, rows[: PAGE_SIZE + 1], key="listing")
    counts = queries.state_counts(actor)
    context = {
        "asked": asked,
        "page": page,
        "lines": all_shown(actor, page.items, request.LANGUAGE_CODE),
        "states": [
            (state, counts.get(state, 0), asked.address(state=state), asked.filters.get("state") == state)
            for state in QueryState
            if counts.get(state) or asked.filters.get("state") == state
        ],
        "kinds": [
            (kind.label, asked.address(kind="" if asked.filters.get("kind") == kind else kind),
             asked.filters.get("kind") == kind)
            for kind in QueryKind
        ],
        "all_address": asked.address(state=""),
        "mine_address": asked.address(mine="" if asked.filters.get("mine") else "1"),
        "may_ask": may(actor, Permission.QUERY_MANAGE),
        "sees_all": policies.manages_all(actor),
    }  # fmt: skip
    return render(request, "research_data_queries/queries.html", context)


@require_http_methods(["GET", "POST"])
def query(request: PageRequest, space_id: UUID, query_id: UUID) -> HttpResponse:
    """One query with its dialogue; posting answers it, closes it or asks again."""
    actor = _participant(request, space_id)
    row = queries.query(actor, query_id)
    said, refused = "", ""
    if request.method == "POST":
        said = storable(request.POST.get("query-text", ""))
        act, told = ACTS.get(request.POST.get("query-act", ""), (None, ""))
        if act is None:
            raise NotFound
        try:
            act(actor=actor, query_id=query_id, text=said)
        except NotFound:
            raise
        except CollegiumError as error:
            refused = error.text
        else:
            if request.headers.get("HX-Request"):
                return _on_page(request, actor, queries.query(actor, query_id))
            messages.success(request, told)
            return redirect("query", space_id, query_id)
        if request.headers.get("HX-Request"):
            return _on_page(request, actor, row, refused=refused, said=said)
    context = {"query": shown(actor, row, request.LANGUAGE_CODE), "refused": refused, "said": said}
    return render(request, "research_data_queries/query.html", context, status=422 if refused else 200)


@require_http_methods(["GET", "POST"])
def new(request: PageRequest, space_id: UUID) -> HttpResponse:
    """Ask about a task, or a site about its subject: first choose which, then write."""
    actor = member(request, space_id, Permission.QUERY_MANAGE)
    chosen = request.POST if request.method == "POST" else request.GET
    task_id, subject_id = ids.parse(chosen.get("task", "")), ids.parse(chosen.get("subject", ""))
    if task_id:
        about = asking.about_task(actor, task_id, request.LANGUAGE_CODE)
    elif subject_id:
        about = asking.about_subject(actor, subject_id, request.LANGUAGE_CODE)
    else:
        return _choose(request, actor)
    refused = ""
    if request.method == "POST":
        try:
            made = _ask(request, actor, task_id, subject_id)
        except NotFound:
            raise
        except CollegiumError as error:
            refused = error.text
        else:
            messages.success(request, _("The query is open. Whom it is put to is told."))
            return redirect("query", space_id, made.id)
    context = {
        "about": about,
        "refused": refused,
        "said": storable(chosen.get("text", "")),
        "item": storable(chosen.get("item", "")),
        "of_site": chosen.get("asked_of") == AskedOf.SITE,
        "visit": storable(chosen.get("visit", "")),
    }
    return render(request, "research_data_queries/new.html", context, status=422 if refused else 200)


def _ask(request: PageRequest, actor: Actor, task_id: UUID | None, subject_id: UUID | None) -> DataQuery:
    text = storable(request.POST.get("text", ""))
    if task_id:
        of_site = request.POST.get("asked_of") == AskedOf.SITE
        return services.open_task_query(
            actor=actor, task_id=task_id, text=text, item=storable(request.POST.get("item", "")),
            asked_of=AskedOf.SITE if of_site else AskedOf.PERSON,
        )  # fmt: skip
    assert subject_id
    visit = storable(request.POST.get("visit", ""))
    return services.open_subject_query(actor=actor, subject_id=subject_id, text=text, visit_code=visit)


def _choose(request: PageRequest, actor: Actor) -> HttpResponse:
    asked = Asked.of(request)
    context = {"asked": asked, "found": asking.choices(actor, asked.text, request.LANGUAGE_CODE)}
    return render(request, "research_data_queries/choose.html", context)


def _on_page(
    request: PageRequest, actor: Actor, row: DataQuery, *, refused: str = "", said: str = ""
) -> HttpResponse:
    """The query as it stands beside its item on the reading page."""
    context = {"query": shown(actor, row, request.LANGUAGE_CODE), "refused": refused, "said": said}
    return render(request, "research_data_queries/on_page.html", context, status=422 if refused else 200)


def _participant(request: PageRequest, space_id: UUID) -> Actor:
    """A member who asks, or who may be asked.

    Raises:
        Refused: the role does neither.
    """
    actor = member(request, space_id)
    if not may(actor, Permission.QUERY_MANAGE):
        require(actor, Permission.READ_WRITE)
    return actor
