"""Once a minute, look for gateways that have fallen silent."""

from __future__ import annotations

from collegium.imaging.connections import pulse
from collegium.kit.database import acting_as, anonymous
from collegium.kit.errors import NotFound
from collegium.kit.jobs import periodic
from collegium.kit.principals import Principal
from collegium.trust.access.queries import actor_in

JOB = "connections.silence"


@periodic(JOB, cron="* * * * *")
def look_for_silence(timestamp: int) -> None:  # noqa: ARG001  every periodic job is told when it was due
    """Raise an alarm for each gateway that is silent, as that gateway and in its own space."""
    with anonymous():
        silent = pulse.silent_gateways()
    for gateway_id, space_id in silent:
        principal = Principal.gateway(gateway_id).as_job(JOB)
        try:
            with acting_as(principal, [space_id]):
                pulse.note_silence(actor=actor_in(principal, space_id))
        except NotFound:
            continue  # revoked meanwhile, or no member any more
