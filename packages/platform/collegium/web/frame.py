"""What every page shows round its content: the rail, who is signed in, the version."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from collegium.notifications.queries import unseen_count
from collegium.research.projects.people.queries import own_sites
from collegium.research.results.queries import may_see_final
from collegium.trust.access.permissions import Permission
from collegium.trust.access.queries import may
from collegium.trust.tenancy.queries import space

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.functional import _StrPromise

    from collegium.kit.principals import Actor, Principal
    from collegium.trust.tenancy.models import Space


@dataclass(frozen=True, slots=True)
class RailEntry:
    """One place of the left rail."""

    address: str
    label: str
    icon: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab of a space."""

    address: str
    label: str
    icon: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """The round of a page; `space`, `tabs` and `more` on pages of a space."""

    name: str
    rail: tuple[RailEntry, ...]
    version: str
    space: Space | None = None
    tabs: tuple[Tab, ...] = ()
    more: tuple[Tab, ...] = ()
    """Further parts of the space, behind "More"."""
    principal: Principal | None = None

    @property
    def here(self) -> str:
        """What the part is called that the page belongs to."""
        return next((tab.label for tab in (*self.tabs, *self.more) if tab.is_here), "")

    @property
    def is_in_more(self) -> bool:
        return any(tab.is_here for tab in self.more)

    def unseen(self) -> int:
        """How much the person was told and has not seen. Asked by the frame itself, inside the page's transaction."""
        return unseen_count(self.principal) if self.principal else 0


_VERSION = version("collegium")
MOST_TABS = 6


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a project: its address by name, and who may open it (any of these)."""

    name: str
    label: _StrPromise
    icon: str
    permissions: tuple[Permission, ...]


_MAIN = (
    _Part("project", _("Overview"), "layout-dashboard", (Permission.SPACE_VIEW,)),
    _Part("subjects", _("Subjects"), "users", (Permission.SUBJECT_VIEW,)),
    _Part("project-tasks", _("Tasks"), "list-check", (Permission.TASK_VIEW_ALL,)),
    _Part("queries", _("Queries"), "messages", (Permission.QUERY_MANAGE, Permission.READ_WRITE)),
    _Part("results", _("Results"), "table", (Permission.RESULTS_VIEW,)),
    _Part("people", _("People"), "users-group", (Permission.MEMBERS_VIEW,)),
)
_MORE = (
    _Part("board", _("Progress"), "chart-bar", (Permission.BOARD_VIEW,)),
    _Part("site", _("My site"), "building-hospital", (Permission.SITE_VIEW,)),
    _Part("visits", _("Visits to decide"), "calendar-question", (Permission.EXAM_PLACE,)),
    _Part("exams", _("Exams"), "photo-scan", (Permission.EXAM_VIEW,)),
    _Part("project-history", _("History"), "history", (Permission.AUDIT_VIEW,)),
    _Part(
        "unblinding",
        _("Unblinding"),
        "eye-question",
        (Permission.UNBLINDING_ASK, Permission.UNBLINDING_DECIDE),
    ),
    _Part("gateways", _("Gateways"), "server-2", (Permission.GATEWAY_MANAGE,)),
    _Part("setup", _("Set-up"), "file-settings", (Permission.PROJECT_PUBLISH,)),
)


def frame(request: HttpRequest) -> dict[str, Frame]:
    """Context of every page."""
    path = request.path
    rail = (
        RailEntry("/", gettext("Home"), "home", path == "/"),
        RailEntry("/tasks/", gettext("Tasks"), "list-check", path.startswith("/tasks/")),
        RailEntry("/projects/", gettext("Research"), "microscope", path.startswith("/projects/")),
        RailEntry("/de-identify/", gettext("De-identify"), "shield-lock", path == "/de-identify/"),
    )
    actor, principal = getattr(request, "actor", None), getattr(request, "principal", None)
    name = getattr(request, "person_name", "")
    if actor is None:
        return {"frame": Frame(name, rail, _VERSION, principal=principal)}
    tabs, more = _tabs(actor, path)
    return {"frame": Frame(name, rail, _VERSION, space(actor), tabs, more, principal)}


def landing(actor: Actor) -> str:
    """Where a project opens for this actor: a site's people at their site, who only looks on at the progress."""
    if may(actor, Permission.SUBJECT_VIEW) or may(actor, Permission.PROJECT_VIEW):
        return "project"
    if may(actor, Permission.SITE_VIEW):
        return "site"
    return "board" if may(actor, Permission.BOARD_VIEW) else "project"


def _tabs(actor: Actor, path: str) -> tuple[tuple[Tab, ...], tuple[Tab, ...]]:
    """The parts that the actor may see, always in this order; what does not fit in a row stands under "More"."""
    first = landing(actor)
    main = [
        part for part in _MAIN if _may_open(actor, part) and (part.name != "project" or first == "project")
    ]
    more = [part for part in _MORE if _may_open(actor, part)]
    main = [part for part in more if part.name == first] + main
    more = [part for part in more if part.name != first]
    if len(main) + len(more) <= MOST_TABS:
        main, more = main + more, []
    addresses = [reverse(part.name, args=[actor.space]) for part in (*main, *more)]
    here = max((one for one in addresses if path.startswith(one)), key=len, default="")
    tabs = [
        Tab(address, str(part.label), part.icon, address == here)
        for part, address in zip((*main, *more), addresses, strict=True)
    ]
    return tuple(tabs[: len(main)]), tuple(tabs[len(main) :])


def _may_open(actor: Actor, part: _Part) -> bool:
    if part.name == "results":
        return may_see_final(actor)
    if part.name == "site" and may(actor, Permission.SUBJECT_VIEW) and not own_sites(actor):
        return False
    return any(may(actor, one) for one in part.permissions)
