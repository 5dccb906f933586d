"""Every reaction and every byte path of the house on one screen.

Rooms are imported inside the functions: their models load only after Django is ready.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.kit import events, jobs

if TYPE_CHECKING:
    from starlette.routing import BaseRoute


def reactions() -> dict[type[events.Event], tuple[events.Reaction, ...]]:
    """Which rooms hear of what happened below them."""
    from collegium.imaging.ingest.events import ExamArrived
    from collegium.research.pipeline.reactions import on_exam_arrived

    return {
        ExamArrived: (on_exam_arrived,),
    }


def byte_paths() -> list[BaseRoute]:
    """The routes that carry bytes, by room."""
    from collegium.imaging.connections import api as connections
    from collegium.imaging.dicomweb import api as dicomweb
    from collegium.imaging.ingest import api as ingest

    return [*connections.routes, *ingest.routes, *dicomweb.routes]


def connect() -> None:
    """Say who reacts to what. Called once, after Django is ready."""
    events.connect(reactions(), jobs.deliver)
