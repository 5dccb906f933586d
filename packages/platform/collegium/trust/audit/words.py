"""Audit entries in words, for history panels: who, did what, when, with which values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from collegium.kit.principals import Principal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from collegium.trust.audit.queries import HistoryLine


@dataclass(frozen=True, slots=True)
class Told:
    """One line of a history panel."""

    who: str
    what: str
    at: datetime
    detail: str
    reason: str


def tell(lines: Sequence[HistoryLine], names: Mapping[UUID, str]) -> list[Told]:
    """Lines as a person reads them; `names` are full names by account id."""
    return [
        Told(
            _who(line.principal, names), _what(line.action), line.at, _detail(line.old, line.new), line.reason
        )
        for line in lines
    ]


def people_in(lines: Sequence[HistoryLine]) -> set[UUID]:
    """Ids of the accounts whose names `tell` needs."""
    principals = (Principal.parse(line.principal) for line in lines)
    return {principal.id for principal in principals if principal.kind == "person"}


def _who(text: str, names: Mapping[UUID, str]) -> str:
    principal = Principal.parse(text)
    name = names.get(
        principal.id, _("The installation") if principal.kind == "system" else principal.kind.capitalize()
    )
    return _("%(name)s (automatically)") % {"name": name} if principal.job else name


def _what(action: str) -> str:
    _area, thing, done = action.rsplit(".", 2)
    return f"{done.replace('_', ' ')} {thing.replace('_', ' ')}"


def _detail(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> str:
    before, after = old or {}, new or {}
    parts = []
    for key in sorted({*before, *after}):
        was, now = before.get(key), after.get(key)
        name = key.replace("_", " ")
        parts.append(
            f"{name}: {was} → {now}" if was is not None and now is not None else f"{name}: {now or was}"
        )
    return ", ".join(parts)
