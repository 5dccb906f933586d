"""Every reaction and every byte path of the house on one screen.

Rooms are imported inside the functions: their models load only after Django is ready.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.kit import events, jobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.routing import BaseRoute


def reactions() -> dict[type[events.Event], tuple[events.Reaction, ...]]:
    """Which rooms hear of what happened below them."""
    from collegium.imaging.connections.events import GatewayAlarmEnded, GatewayAlarmRaised
    from collegium.imaging.ingest.events import ExamArrived
    from collegium.research.pipeline.reactions import on_exam_arrived
    from collegium.research.projects.people.gateway_alarms import (
        on_gateway_alarm_ended,
        on_gateway_alarm_raised,
    )

    return {
        ExamArrived: (on_exam_arrived,),
        GatewayAlarmRaised: (on_gateway_alarm_raised,),
        GatewayAlarmEnded: (on_gateway_alarm_ended,),
    }


def byte_paths() -> list[BaseRoute]:
    """The routes that carry bytes, by room."""
    from collegium.imaging.connections import api as connections
    from collegium.imaging.dicomweb import api as dicomweb
    from collegium.imaging.ingest import api as ingest
    from collegium.notifications import api as notifications

    return [*connections.routes, *ingest.routes, *dicomweb.routes, *notifications.routes]


def forgetting() -> dict[str, Callable[[str | None], None]]:
    """What a web process keeps for some seconds, and how it drops one of it, or (None) all."""
    from collegium.imaging.grants import queries as grants
    from collegium.trust.access import api as access
    from collegium.trust.tenancy import services as tenancy

    return {
        access.SESSION: access.forget_here,
        grants.GRANT: grants.forget_grant,
        tenancy.MEMBER: grants.forget_member,
    }


def connect() -> None:
    """Say who reacts to what. Called once, after Django is ready."""
    events.connect(reactions(), jobs.deliver)
