"""DICOMweb over HTTP: QIDO-RS, WADO-RS metadata and frames, STOW-RS.

Two roots with the same shape: `/dicom-web/spaces/{id}` for members with the permission,
`/dicom-web/grants/{id}` for the holder of a grant. Whatever is not visible is not found,
with the same answer as for an id that never was.

Source: DICOM PS3.18 sections 8 and 10.
"""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from collegium.imaging.archive.errors import ImageNotFound
from collegium.imaging.archive.header import IMPLICIT
from collegium.imaging.connections.edge import guarded, in_thread
from collegium.imaging.dicomweb import stow
from collegium.imaging.dicomweb.projection import GrantView
from collegium.imaging.dicomweb.search import Search
from collegium.imaging.dicomweb.views import SpaceView
from collegium.kit.errors import Invalid
from collegium.trust.access.api import principal_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from starlette.requests import Request

    from collegium.imaging.dicomweb.views import Frame, Metadata, View
    from collegium.kit.principals import Principal

_BOUNDARY = secrets.token_hex(16)
_TAIL = f"\r\n--{_BOUNDARY}--\r\n".encode()
_JSON, _DICOM = "application/dicom+json", "application/dicom"
_PRIVATE = {
    # A browser may keep an answer for this session's cookie; no validator is sent, because one
    # made from the content would tell two readers that they look at the same image.
    "Cache-Control": "private, max-age=600",
    "Vary": "Cookie, Accept, Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}
_FRESH = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_GZIP_FROM_BYTES = 2_048
_LEVELS = ("study", "series", "instance")
_UID = re.compile(r"[0-9.]{1,64}")
_FRAME = re.compile(r"[0-9]{1,9}")


class NotAcceptable(Invalid):
    code = "dicomweb.not_acceptable"
    message = "Frames are served as they are stored. Ask with transfer-syntax=*."


def _space(principal: Principal, door_id: UUID) -> View:
    return SpaceView(principal, door_id)


def _grant(principal: Principal, door_id: UUID) -> View:
    return GrantView(principal, door_id)


class Door:
    """The endpoints of one root."""

    def __init__(self, name: str, view: Callable[[Principal, UUID], View]) -> None:
        self._root = f"/dicom-web/{name}/{{door_id:uuid}}"
        self._view = view

    def routes(self) -> list[Route]:
        series = f"{self._root}/studies/{{study}}/series"
        instances = f"{series}/{{series}}/instances"
        return [
            Route(f"{self._root}/studies", guarded(self.studies), methods=["GET"]),
            Route(series, guarded(self.series), methods=["GET"]),
            Route(f"{series}/{{series}}/metadata", guarded(self.metadata), methods=["GET"]),
            Route(instances, guarded(self.instances), methods=["GET"]),
            Route(f"{instances}/{{instance}}/frames/{{frame}}", guarded(self.frame), methods=["GET"]),
        ]

    def _of(self, request: Request) -> View:
        view = self._view(principal_of(request), request.path_params["door_id"])
        asked = request.path_params
        if not all(_UID.fullmatch(asked[level]) for level in _LEVELS if level in asked):
            raise ImageNotFound
        if not _FRAME.fullmatch(asked.get("frame", "1")):
            raise ImageNotFound
        return view

    async def studies(self, request: Request) -> Response:
        search = Search.of(request.query_params.multi_items())
        body = await in_thread(lambda: self._of(request).studies(search))
        return Response(body, headers=_FRESH, media_type=_JSON)

    async def series(self, request: Request) -> Response:
        body = await in_thread(lambda: self._of(request).series(request.path_params["study"]))
        return Response(body, headers=_FRESH, media_type=_JSON)

    async def instances(self, request: Request) -> Response:
        asked = request.path_params
        body = await in_thread(lambda: self._of(request).instances(asked["study"], asked["series"]))
        return Response(body, headers=_FRESH, media_type=_JSON)

    async def metadata(self, request: Request) -> Response:
        asked = request.path_params
        is_zipped = "gzip" in request.headers.get("accept-encoding", "")
        body, encoding = await in_thread(
            lambda: _encoded(self._of(request).metadata(asked["study"], asked["series"]), is_zipped=is_zipped)
        )
        return Response(body, headers=_PRIVATE | encoding, media_type=_JSON)

    async def frame(self, request: Request) -> Response:
        asked = request.path_params
        found = await in_thread(
            lambda: self._of(request).frame(
                asked["study"], asked["series"], asked["instance"], int(asked["frame"])
            )
        )
        return _framed(found, request.headers.get("accept", ""))


def _encoded(body: Metadata, *, is_zipped: bool) -> tuple[bytes, dict[str, str]]:
    if not is_zipped or len(body.plain) < _GZIP_FROM_BYTES:
        return body.plain, {}
    return body.zipped, {"Content-Encoding": "gzip"}


def _framed(found: Frame, accept: str) -> Response:
    """One frame as multipart/related, or alone for who asks only for octets."""
    # The frames of an implicit object are those of an explicit one (PS3.18 8.7.3.3.2).
    syntax = "1.2.840.10008.1.2.1" if found.transfer_syntax_uid == IMPLICIT else found.transfer_syntax_uid
    _require_acceptable(accept, syntax)
    kind = f"application/octet-stream; transfer-syntax={syntax}"
    if accept and "multipart/related" not in accept and "*/*" not in accept:
        return Response(bytes(found.content), headers=_PRIVATE, media_type=kind)
    head = f"--{_BOUNDARY}\r\nContent-Type: {kind}\r\nContent-Length: {len(found.content)}\r\n\r\n"
    body = b"".join((head.encode(), found.content, _TAIL))
    outer = (
        f'multipart/related; type="application/octet-stream"; boundary={_BOUNDARY}; transfer-syntax={syntax}'
    )
    return Response(body, headers=_PRIVATE, media_type=outer)


def _require_acceptable(accept: str, syntax: str) -> None:
    if "transfer-syntax=" not in accept:
        return
    asked = [part.split("transfer-syntax=", 1)[1] for part in accept.split(",") if "transfer-syntax=" in part]
    if not any(one.split(";")[0].strip(' "') in ("*", syntax) for one in asked):
        raise NotAcceptable


async def rewritten(request: Request) -> Response:
    """WADO-RS for an instance under a grant: segmentations and structure sets alone, and never as stored."""
    asked = request.path_params
    if not all(_UID.fullmatch(asked[level]) for level in _LEVELS):
        raise ImageNotFound
    view = await in_thread(lambda: GrantView(principal_of(request), asked["door_id"]))
    content = await in_thread(lambda: view.instance(asked["study"], asked["series"], asked["instance"]))
    accept = request.headers.get("accept", "")
    if accept and "multipart/related" not in accept and "*/*" not in accept:
        return Response(content, headers=_PRIVATE, media_type=_DICOM)
    head = f"--{_BOUNDARY}\r\nContent-Type: {_DICOM}\r\nContent-Length: {len(content)}\r\n\r\n"
    outer = f'multipart/related; type="{_DICOM}"; boundary={_BOUNDARY}'
    return Response(b"".join((head.encode(), content, _TAIL)), headers=_PRIVATE, media_type=outer)


async def store(request: Request) -> Response:
    """STOW-RS into a space."""
    principal = await in_thread(lambda: principal_of(request))
    space_id: UUID = request.path_params["door_id"]
    study_uid: str = request.path_params.get("study", "")
    door = await in_thread(lambda: stow.door(principal, space_id))
    answer = await stow.take(request, door, study_uid)
    return Response(json.dumps(answer.body), answer.status, headers=_FRESH, media_type=_JSON)


async def not_here(request: Request) -> Response:  # noqa: ARG001 - Starlette's signature
    """Whatever else is asked of a door: the same answer as for a door that is not there."""
    raise ImageNotFound


_ONE = "/dicom-web/grants/{door_id:uuid}/studies/{study}/series/{series}/instances/{instance}"
routes = [
    *Door("grants", _grant).routes(),
    Route(_ONE, guarded(rewritten), methods=["GET"]),
    *Door("spaces", _space).routes(),
    Route("/dicom-web/spaces/{door_id:uuid}/studies", guarded(store), methods=["POST"]),
    Route("/dicom-web/spaces/{door_id:uuid}/studies/{study}", guarded(store), methods=["POST"]),
    Route("/dicom-web/{rest:path}", guarded(not_here), methods=["GET", "POST", "PUT", "DELETE"]),
]
