"""Marks under a grant, as JSON: the edge that turns the grant's UIDs into the archive's and back.

Runs inside `acting_as` of the signed-in person, like every page.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException
from django.urls import path
from django.views.decorators.http import require_GET, require_http_methods

from collegium.imaging.archive import queries as archive
from collegium.imaging.archive.errors import ImageNotFound
from collegium.imaging.grants.layers import marks_in
from collegium.imaging.grants.models import Mode
from collegium.imaging.grants.queries import LiveGrant, live_grant
from collegium.imaging.marks import queries as marks
from collegium.imaging.marks import services as marking
from collegium.imaging.marks.errors import MarkInvalid, MarkStale
from collegium.imaging.marks.models import Kind
from collegium.imaging.marks.services import POINTS, Drawing, DrawnFor
from collegium.kit import ids
from collegium.kit.errors import Refused
from collegium.kit.texts import is_storable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from collegium.imaging.archive.queries import StoredInstance
    from collegium.imaging.marks.queries import SavedMark
    from collegium.kit.pages.http import PageRequest

_MOST_BYTES = 64 << 10
_FINDING = re.compile(r"[A-Z]{1,3}[0-9]{1,2}(?= |$)")
_FURTHEST = Decimal(1_000_000)
_SMALLEST, _LARGEST = -330, 30
"""Exponents: below, a double is zero; above, nothing here is so large."""


class OnlyViewing(Refused):
    code = "grants.grant.only_viewing"
    message = "These images were opened for viewing only; nothing can be drawn on them."


class OnlyShown(Refused):
    code = "grants.grant.only_shown"
    message = "This is an earlier timepoint. It is shown for comparison; draw on the current one."


@require_GET
def marks_of(request: PageRequest, grant_id: UUID) -> HttpResponse:
    """The reader's own marks for what the grant was issued for, and the layers that it shows beside them."""
    grant = live_grant(request.principal, grant_id)
    found = marks.marks_for(grant.actor, owner=grant.owner, principal=request.principal)
    return JsonResponse({"marks": [_shown(grant, one) for one in found], "layers": _layers(grant)})


@require_http_methods(["PUT", "DELETE"])
def mark(request: PageRequest, grant_id: UUID, mark_id: UUID) -> HttpResponse:
    """Save a mark, or strike it out."""
    grant = live_grant(request.principal, grant_id)
    if grant.mode != Mode.READ:
        raise OnlyViewing
    body = _Body(_json(request))
    drawn_for = DrawnFor(grant.owner, grant.id)
    op_id, base = body.uuid("op_id"), body.whole("base_revision")
    try:
        if request.method == "DELETE":
            saved = marking.strike(
                actor=grant.actor, drawn_for=drawn_for, mark_id=mark_id, op_id=op_id, base_revision=base
            )
        else:
            saved = marking.save_mark(
                actor=grant.actor,
                drawn_for=drawn_for,
                mark_id=mark_id,
                op_id=op_id,
                base_revision=base,
                drawn=_drawing(grant, body),
            )
    except MarkStale as stale:
        now = marks.current(grant.actor, [mark_id]).get(mark_id)
        stale.details = {"mark": _shown(grant, now) if now else None}
        raise
    return JsonResponse(_shown(grant, saved))


def _drawing(grant: LiveGrant, body: _Body) -> Drawing:
    """What was drawn, in the archive's words. Raises ImageNotFound for what the grant does not show, OnlyShown."""
    if body.text("kind") not in Kind:
        raise MarkInvalid
    kind = Kind(body.text("kind"))
    series_uid, stored = _found(grant, body.text("series_uid"), body.text("instance_uid"))
    count = POINTS[kind]
    points, image_points = body.points("points", count, 3), body.points("image_points", count, 2)
    shown_reference = body.text("frame_of_reference_uid", default="")
    if shown_reference:
        row = archive.instance(grant.actor, stored.id)
        values = archive.instance_document(grant.actor, row).get("00200052", {}).get("Value") or [""]
        if grant.uid(str(values[0])) != shown_reference:
            raise MarkInvalid
    return Drawing(
        kind=kind,
        instance_uid=stored.sop_instance_uid,
        series_uid=series_uid,
        frame=body.whole("frame", default=1),
        points=tuple((x, y, z) for x, y, z in points),
        image_points=tuple((column, row) for column, row in image_points),
        label=body.text("label", default=""),
    )


def _found(grant: LiveGrant, series_uid: str, instance_uid: str) -> tuple[str, StoredInstance]:
    for series_id, revision in grant.series:
        uid = archive.series_uid(grant.actor, series_id)
        if grant.uid(uid) != series_uid:
            continue
        if series_id in grant.only_shown:
            raise OnlyShown
        for one in archive.instances_of(grant.actor, series_id, revision):
            is_granted = grant.instances is None or one.id in grant.instances
            if is_granted and grant.uid(one.sop_instance_uid) == instance_uid:
                return uid, one
    raise ImageNotFound


def _layers(grant: LiveGrant) -> list[dict[str, Any]]:  # Any: JSON
    """Each layer with those of its marks that lie on an image of the grant."""
    if not grant.layers:
        return []
    by_uid = {archive.series_uid(grant.actor, series_id): (series_id, at) for series_id, at in grant.series}
    granted: dict[str, set[str]] = {}

    def is_granted(one: SavedMark) -> bool:
        if one.series_uid in by_uid and one.series_uid not in granted:
            granted[one.series_uid] = {
                stored.sop_instance_uid
                for stored in archive.instances_of(grant.actor, *by_uid[one.series_uid])
                if grant.instances is None or stored.id in grant.instances
            }
        return one.instance_uid in granted.get(one.series_uid, ())

    return [
        {
            "name": layer.name,
            "marks": [
                {
                    **_geometry(grant, one),
                    "mark_id": str(grant.mark_id(layer, one.mark_id)),
                    "label": _finding(one.label),
                }
                for one in found
                if is_granted(one)
            ],
        }
        for layer, found in marks_in(grant.actor, grant.layers)
    ]


def _shown(grant: LiveGrant, one: SavedMark) -> dict[str, Any]:  # Any: JSON
    """A mark of the reader's own."""
    return {
        "mark_id": str(one.mark_id),
        "revision": one.revision,
        "is_struck": one.is_struck,
        "saved_at": one.saved_at.isoformat(),
        **_geometry(grant, one),
    }


def _finding(label: str) -> str:
    """The number of a finding (`T1`) out of a label; its words would tell the author's language, or anything."""
    found = _FINDING.match(label)
    return found[0] if found else ""


def _geometry(grant: LiveGrant, one: SavedMark) -> dict[str, Any]:  # Any: JSON
    """What was drawn and what it is worth: nothing of who and when."""
    return {
        "kind": one.kind,
        "series_uid": grant.uid(one.series_uid),
        "instance_uid": grant.uid(one.instance_uid),
        "frame": one.frame,
        "frame_of_reference_uid": grant.uid(one.frame_of_reference_uid),
        "points": _grouped(one.points, 3),
        "image_points": _grouped(one.image_points, 2),
        "label": one.label,
        "value": f"{one.value:.2f}",
        "short_value": None if one.short_value is None else f"{one.short_value:.2f}",
        "unit": one.unit,
    }


def _grouped(flat: Sequence[Decimal], size: int) -> list[list[float]]:
    return [[float(part) for part in flat[at : at + size]] for at in range(0, len(flat), size)]


def _json(request: HttpRequest) -> dict[str, Any]:  # Any: JSON
    try:
        raw = request.body
        if len(raw) > _MOST_BYTES:
            raise MarkInvalid
        found = json.loads(raw, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError, InvalidOperation, RawPostDataException):
        raise MarkInvalid from None
    if not isinstance(found, dict):
        raise MarkInvalid
    return found


def _is_ordinary(number: Decimal) -> bool:
    """Whether arithmetic with it is cheap and defined: finite, and no exponent out of this world."""
    return number.is_finite() and _SMALLEST <= number.adjusted() <= _LARGEST


def _is_within_reach(part: object) -> bool:
    return isinstance(part, Decimal) and _is_ordinary(part) and abs(part) < _FURTHEST


@dataclass(frozen=True, slots=True)
class _Body:
    """The fields of a request, each checked when it is asked for. Raises MarkInvalid."""

    values: dict[str, Any]  # Any: JSON, numbers as Decimal

    def text(self, name: str, *, default: str | None = None) -> str:
        found = self.values.get(name)
        found = default if found is None else found
        if not isinstance(found, str) or len(found) > 200 or not is_storable(found):
            raise MarkInvalid
        return found

    def uuid(self, name: str) -> UUID:
        found = ids.parse(self.text(name))
        if found is None:
            raise MarkInvalid
        return found

    def whole(self, name: str, *, default: int | None = None) -> int:
        found = self.values.get(name, default)
        if isinstance(found, bool) or not isinstance(found, Decimal | int):
            raise MarkInvalid
        if isinstance(found, Decimal) and not _is_ordinary(found):
            raise MarkInvalid
        if not 0 <= found < 1 << 31 or found != int(found):
            raise MarkInvalid
        return int(found)

    def points(self, name: str, count: int, size: int) -> list[list[Decimal]]:
        found = self.values.get(name)
        if not isinstance(found, list) or len(found) != count:
            raise MarkInvalid
        for point in found:
            if not isinstance(point, list) or len(point) != size:
                raise MarkInvalid
            if not all(_is_within_reach(part) for part in point):
                raise MarkInvalid
        return found


urlpatterns = [
    path("api/v1/grants/<uuid:grant_id>/marks", marks_of, name="marks"),
    path("api/v1/grants/<uuid:grant_id>/marks/<uuid:mark_id>", mark, name="mark"),
]
