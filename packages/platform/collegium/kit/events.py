"""Announce up: a lower room states a fact, `wiring` decides who reacts.

An event becomes one job a handler, deferred in the same transaction and delivered
after commit at least once; handlers are idempotent.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, get_type_hints
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collegium.kit.principals import Principal


@dataclass(frozen=True, slots=True)
class Event:
    """A fact in the past tense. Fields: UUID, str, int, bool, datetime."""

    name: ClassVar[str]


Reaction = Callable[["Principal", Any], None]  # Any: each handler takes its own event
Deliver = Callable[[str, str, dict[str, object], "Principal"], None]

_reactions: dict[type[Event], tuple[Reaction, ...]] = {}
_deliver: list[Deliver] = []


def connect(reactions: Mapping[type[Event], tuple[Reaction, ...]], deliver: Deliver) -> None:
    """Say who reacts to what, and how a reaction is queued; called once a process, by `wiring`."""
    _reactions.clear()
    _reactions.update(reactions)
    _deliver[:] = [deliver]


def announce(principal: Principal, event: Event) -> None:
    """Queue every reaction to `event` in the running transaction."""
    for handler in _reactions.get(type(event), ()):
        _deliver[0](event.name, _name(handler), _to_json(event), principal)


def handle(event_name: str, handler_name: str, payload: Mapping[str, object], principal: Principal) -> None:
    """Run one reaction; the job's side of `announce`."""
    for kind, handlers in _reactions.items():
        for handler in handlers:
            if kind.name == event_name and _name(handler) == handler_name:
                handler(principal, _from_json(kind, payload))
                return
    raise LookupError(f"nothing reacts to {event_name} as {handler_name}")


def _name(handler: Callable[..., None]) -> str:
    return f"{handler.__module__}.{handler.__qualname__}"


def _to_json(event: Event) -> dict[str, object]:
    values = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    return {
        key: value.isoformat()
        if isinstance(value, datetime)
        else str(value)
        if isinstance(value, UUID)
        else value
        for key, value in values.items()
    }


def _from_json(kind: type[Event], payload: Mapping[str, object]) -> Event:
    hints = get_type_hints(kind)
    return kind(**{key: _CONVERT.get(hints[key], _as_it_is)(value) for key, value in payload.items()})


def _as_it_is(value: Any) -> object:  # Any: JSON
    return value


_CONVERT: dict[object, Callable[[Any], object]] = {UUID: UUID, datetime: datetime.fromisoformat}  # Any: JSON
