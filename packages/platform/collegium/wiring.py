"""Every reaction of the house on one screen: which rooms hear of what happened below them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collegium.kit import events

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium.kit.principals import Principal

REACTIONS: dict[
    type[events.Event], tuple[Callable[[Principal, Any], None], ...]
] = {}  # Any: each its own event


def connect() -> None:
    """Say who reacts to what. Called once, after Django is ready."""
    events.connect(REACTIONS)
