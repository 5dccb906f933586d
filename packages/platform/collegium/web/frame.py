"""What every page shows round its content: the rail, who is signed in, the version."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext as _

from collegium.notifications.queries import unseen_count
from collegium.research.results.queries import may_see_final
from collegium.trust.access.permissions import Permission
from collegium.trust.access.queries import may
from collegium.trust.tenancy.queries import space

if TYPE_CHECKING:
    from django.http import HttpRequest

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
    is_here: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """The round of a page; `space` and `tabs` on pages of a space."""

    name: str
    rail: tuple[RailEntry, ...]
    version: str
    space: Space | None = None
    tabs: tuple[Tab, ...] = ()
    principal: Principal | None = None

    def unseen(self) -> int:
        """How much the person was told and has not seen. Asked by the frame itself, inside the page's transaction."""
        return unseen_count(self.principal) if self.principal else 0


_VERSION = version("collegium")
MOST_TABS = 6


def frame(request: HttpRequest) -> dict[str, Frame]:
    """Context of every page."""
    path = request.path
    rail = (
        RailEntry("/", _("Home"), "home", path == "/"),
        RailEntry("/tasks/", _("Tasks"), "list-check", path.startswith("/tasks/")),
        RailEntry("/projects/", _("Research"), "microscope", path.startswith("/projects/")),
    )
    actor, principal = getattr(request, "actor", None), getattr(request, "principal", None)
    name = getattr(request, "person_name", "")
    if actor is None:
        return {"frame": Frame(name, rail, _VERSION, principal=principal)}
    return {"frame": Frame(name, rail, _VERSION, space(actor), _tabs(actor, path), principal)}


def _tabs(actor: Actor, path: str) -> tuple[Tab, ...]:
    """Tabs of a project, by what the actor may: never more than six; the overview leads to the others."""
    shown = (
        ("project", _("Overview"), (Permission.SPACE_VIEW,)),
        ("subjects", _("Subjects"), (Permission.SUBJECT_VIEW,)),
        ("exams", _("Exams"), (Permission.EXAM_VIEW,)),
        ("project-tasks", _("Tasks"), (Permission.TASK_VIEW_ALL,)),
        ("results", _("Results"), (Permission.RESULTS_VIEW,)),
        ("gateways", _("Gateways"), (Permission.GATEWAY_MANAGE,)),
        ("site", _("My site"), (Permission.SITE_VIEW,)),
        ("queries", _("Queries"), (Permission.QUERY_MANAGE, Permission.READ_WRITE)),
        ("people", _("People"), (Permission.MEMBERS_VIEW,)),
    )
    addresses = [
        (reverse(name, args=[actor.space]), label)
        for name, label, permissions in shown
        if any(may(actor, one) for one in permissions) or (name == "results" and may_see_final(actor))
    ][:MOST_TABS]
    longest = max((address for address, _label in addresses if path.startswith(address)), key=len, default="")
    return tuple(Tab(address, label, address == longest) for address, label in addresses)
