"""What the reading page sends: changes, submission, signature, correction. JSON in, JSON out, one service each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.http import JsonResponse
from django.http.request import RawPostDataException
from django.views.decorators.http import require_POST

from collegium.forms.errors import ChangeUnreadable
from collegium.kit import clock, ids
from collegium.kit.texts import all_storable
from collegium.research.pipeline import queries as pipeline
from collegium.research.reads import form_view, services
from collegium.trust.access.queries import actor_in

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from collegium.kit.pages.http import PageRequest
    from collegium.kit.principals import Actor

LARGEST = 64_000


@require_POST
def changes(request: PageRequest, task_id: UUID) -> HttpResponse:
    """Save one operation; the answer holds the items that look different now, never a field to replace."""
    body = _body(request, {"op_id": str, "base_revision": int, "changes": dict})
    op_id = ids.parse(body["op_id"])
    if op_id is None or not all(
        change is None or isinstance(change, dict) for change in body["changes"].values()
    ):
        raise ChangeUnreadable
    saved = services.save_answers(
        actor=_actor(request, task_id), task_id=task_id, op_id=op_id, base_revision=body["base_revision"],
        changes=body["changes"], language=request.LANGUAGE_CODE,
    )  # fmt: skip
    return JsonResponse(
        {
            "revision": saved.revision,
            "saved_at": clock.now().isoformat(),
            "items": form_view.changed_items(saved.state, saved.changed, request.LANGUAGE_CODE),
            "open": form_view.open_problems(saved.state),
            "late_images": saved.has_late_images,
        }
    )


@require_POST
def submit(request: PageRequest, task_id: UUID) -> HttpResponse:
    """Freeze the answers at the revision the page shows."""
    body = _body(request, {"revision": int})
    version = services.submit_read(
        actor=_actor(request, task_id), task_id=task_id, expected_revision=body["revision"]
    )
    return JsonResponse({"version": version.number, "digest": version.digest})


@require_POST
def sign(request: PageRequest, task_id: UUID) -> HttpResponse:
    """Sign what the page shows, with the person's password typed again."""
    body = _body(request, {"password": str, "digest": str})
    version = services.sign_read(
        actor=_actor(request, task_id),
        task_id=task_id,
        password=body["password"],
        expected_digest=body["digest"],
    )
    return JsonResponse({"version": version.number})


@require_POST
def correct(request: PageRequest, task_id: UUID) -> HttpResponse:
    """Begin a new version, with its reason."""
    body = _body(request, {"reason": str})
    version = services.correct_read(actor=_actor(request, task_id), task_id=task_id, reason=body["reason"])
    return JsonResponse({"version": version.number})


def _actor(request: PageRequest, task_id: UUID) -> Actor:
    return actor_in(request.principal, pipeline.space_of_own_task(request.principal, task_id))


def _body(
    request: PageRequest, shape: dict[str, type]
) -> dict[str, Any]:  # Any: JSON, each value of its type
    """The request's JSON: exactly the keys of `shape`, each of its type."""
    try:
        raw = request.body
        if len(raw) > LARGEST:
            raise ChangeUnreadable
        body = json.loads(raw)
    except (ValueError, RecursionError, RawPostDataException) as error:
        raise ChangeUnreadable from error
    if not all_storable(body):
        raise ChangeUnreadable
    if not isinstance(body, dict) or body.keys() != shape.keys():
        raise ChangeUnreadable
    if any(type(body[key]) is not kind for key, kind in shape.items()):
        raise ChangeUnreadable
    return body
