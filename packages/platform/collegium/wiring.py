"""Every reaction and every byte path of the house on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collegium.kit import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.routing import BaseRoute

    from collegium.kit.principals import Principal

REACTIONS: dict[
    type[events.Event], tuple[Callable[[Principal, Any], None], ...]
] = {}  # Any: each its own event
"""Which rooms hear of what happened below them."""


def connect() -> None:
    """Say who reacts to what. Called once, after Django is ready."""
    events.connect(REACTIONS)


def byte_paths() -> list[BaseRoute]:
    """The routes that carry bytes, by room."""
    return []
