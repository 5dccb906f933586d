"""The gateway's own calls: enrol and heartbeat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from collegium.imaging.connections import pulse, queries, services
from collegium.imaging.connections.edge import answer, chunks, gateway, guarded, in_thread, said
from collegium.kit.database import acting_as, anonymous
from collegium.trust.access.queries import actor_in
from collegium_wire import EnrolmentAnswer, EnrolmentRequest, Heartbeat, HeartbeatAnswer, paths

if TYPE_CHECKING:
    from starlette.requests import Request

    from collegium.imaging.connections.queries import KnownGateway


_ENROLMENT_BYTES = 16 << 10
_HEARTBEAT_BYTES = 1 << 20
_LINE_BYTES = 64 << 20


@guarded
async def enrol(request: Request) -> Response:
    """Trade a one-time code for a token and the channels."""
    asked = await said(request, EnrolmentRequest, at_most=_ENROLMENT_BYTES)
    return answer(await in_thread(lambda: _enrol(asked)))


def _enrol(asked: EnrolmentRequest) -> EnrolmentAnswer:
    with anonymous():
        known, token = services.redeem_code(code=asked.code, software=asked.software, token=asked.token)
    with acting_as(known.principal, [known.space_id]):
        actor = actor_in(known.principal, known.space_id)
        services.record_enrolment(actor=actor, code=asked.code, software=asked.software)
        setups = queries.setups(actor, asked.protocol)
    return EnrolmentAnswer(
        protocol=asked.protocol, gateway_id=str(known.principal.id), token=token, channels=setups
    ).as_of(asked.protocol)


@guarded
async def heartbeat(request: Request) -> Response:
    """Take the pulse; answer with the channels as they are now."""
    known = await gateway(request)
    beat = await said(request, Heartbeat, at_most=_HEARTBEAT_BYTES)
    return answer(await in_thread(lambda: _beat(known, beat)))


def _beat(known: KnownGateway, beat: Heartbeat) -> HeartbeatAnswer:
    with acting_as(known.principal, [known.space_id]):
        actor = actor_in(known.principal, known.space_id)
        kept = pulse.take_pulse(actor=actor, beat=beat)
        return HeartbeatAnswer(
            protocol=beat.protocol,
            channels=queries.setups(actor, beat.protocol),
            trail_seq=kept.trail_seq,
            is_shared=kept.is_shared,
            pinned_software=kept.pinned_software,
        ).as_of(beat.protocol)


@guarded
async def line(request: Request) -> Response:
    """Take bytes without meaning and forget them: a known gateway measures its line."""
    await gateway(request)
    taken = 0
    async for piece in chunks(request):
        taken += len(piece)
        if taken > _LINE_BYTES:
            break
    return Response(status_code=413 if taken > _LINE_BYTES else 200)


routes = [
    Route(paths.ENROL, enrol, methods=["POST"]),
    Route(paths.HEARTBEAT, heartbeat, methods=["POST"]),
    Route(paths.LINE, line, methods=["POST"]),
]
