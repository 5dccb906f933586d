"""What the pipeline does when something happened below it. Connected in `wiring`; idempotent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.imaging.connections import queries as connections
from collegium.kit import ids
from collegium.kit.database import acting_as
from collegium.research.pipeline import services
from collegium.trust.access.queries import actor_in

if TYPE_CHECKING:
    from collegium.imaging.ingest.events import ExamArrived
    from collegium.kit.principals import Actor, Principal


def on_exam_arrived(principal: Principal, event: ExamArrived) -> None:
    """Match an exam that has arrived and make its tasks; a supplement is noted."""
    with acting_as(principal, [event.space_id]):
        actor = actor_in(principal, event.space_id)
        services.place_exam(
            actor=actor,
            exam_id=event.exam_id,
            subject_code=event.subject_code,
            supplement=event.supplement,
            site_code=_site_code(actor, event.channel_id),
        )


def _site_code(actor: Actor, channel_id: str) -> str:
    """The site of the channel an exam came by; empty for other doors."""
    known = ids.parse(channel_id)
    return connections.channel(actor, known).site_code if known else ""
