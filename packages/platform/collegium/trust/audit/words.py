"""Audit entries in words, for history panels: who, did what, when, with which values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from collegium.kit.principals import Principal
from collegium.trust.audit.actions import Action
from collegium.trust.audit.phrases import PHRASES

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
            _who(line.principal, names),
            _what(line.action),
            line.at,
            _detail(line.old, line.new, names),
            line.reason,
        )
        for line in lines
    ]


def people_in(lines: Sequence[HistoryLine]) -> set[UUID]:
    """Ids of the accounts whose names `tell` needs."""
    values = [value for line in lines for side in (line.old, line.new) for value in (side or {}).values()]
    texts = [line.principal for line in lines] + [text for text in values if _PERSON.fullmatch(str(text))]
    principals = (Principal.parse(text) for text in texts)
    return {principal.id for principal in principals if principal.kind == "person"}


def _who(text: str, names: Mapping[UUID, str]) -> str:
    principal = Principal.parse(text)
    name = names.get(
        principal.id, _("The installation") if principal.kind == "system" else principal.kind.capitalize()
    )
    return _("%(name)s (automatically)") % {"name": name} if principal.job else name


def _what(action: str) -> str:
    """The action's phrase; an action that only a later version knows is shown as it was recorded."""
    return str(PHRASES[Action(action)]) if action in _KNOWN else action


def _detail(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, names: Mapping[UUID, str]) -> str:
    before, after = old or {}, new or {}
    parts = []
    for key in sorted({*before, *after}):
        was, now = (_value(side.get(key), names) for side in (before, after))
        if was or now:
            name = key.replace("_", " ")
            parts.append(f"{name}: {was} → {now}" if was and now else f"{name}: {was or now}")
    return ", ".join(parts)


def _value(value: object, names: Mapping[UUID, str]) -> str:
    """A recorded value as a person reads it: names for accounts, the head of long ids."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return "; ".join(_value(part, names) for part in value)
    text = str(value)
    return (
        _who(text, names) if _PERSON.fullmatch(text) else _LONG_ID.sub(lambda found: f"{found[0][:8]}…", text)
    )


_KNOWN = frozenset(action.value for action in Action)
_PERSON = re.compile(r"(?:job:[a-z_.]+\|)?person:[0-9a-f-]{36}")
_LONG_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64}|2\.25\.[0-9]{20,}")
