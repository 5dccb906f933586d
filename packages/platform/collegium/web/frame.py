"""What every page shows round its content: the rail, who is signed in, the version."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class RailEntry:
    """One place of the left rail."""

    address: str
    label: str
    icon: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """The round of a page."""

    name: str
    rail: tuple[RailEntry, ...]
    version: str


_VERSION = version("collegium")


def frame(request: HttpRequest) -> dict[str, Frame]:
    """Context of every page."""
    path = request.path
    rail = (
        RailEntry("/", _("Home"), "home", path == "/"),
        RailEntry("/tasks/", _("Tasks"), "list-check", path.startswith("/tasks/")),
        RailEntry("/projects/", _("Research"), "microscope", path.startswith("/projects/")),
    )
    return {"frame": Frame(getattr(request, "person_name", ""), rail, _VERSION)}
