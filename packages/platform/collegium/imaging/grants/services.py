"""Issue and revoke view grants. The rooms above decide who deserves one; here it is only enforced."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction

from collegium.imaging.archive import queries as archive
from collegium.imaging.archive.attributes import fields
from collegium.imaging.archive.errors import ImageNotFound
from collegium.imaging.grants import queries
from collegium.imaging.grants.errors import GrantInvalid
from collegium.imaging.grants.layers import Layer, require_layers
from collegium.imaging.grants.models import GrantedSeries, Mode, ViewGrant
from collegium.kit import clock, ids, live
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record
from collegium.trust.tenancy.keys import organisation_key

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from collegium.imaging.archive.models import Series
    from collegium.kit.principals import Actor, Principal


def issue(  # noqa: PLR0913 - a grant names this much
    actor: Actor,
    *,
    principal: Principal,
    exam_ids: Sequence[UUID] = (),
    series_ids: Sequence[UUID] = (),
    instance_ids: Sequence[UUID] | None = None,
    allow_fields: Sequence[str],
    label: str,
    mode: Mode | str,
    expires: datetime,
    owner: str,
    layers: Sequence[Layer] = (),
    earlier: Collection[UUID] = (),
) -> ViewGrant:
    """Let a principal of the actor's space see images, as they are now.

    Args:
        actor: who issues it, in the space of the images.
        principal: the only one it opens for.
        exam_ids: exams whose series are granted, in the order in which the viewer shows them: timepoints.
        series_ids: single series granted beside them.
        instance_ids: if given, only these instances of them.
        allow_fields: DICOM keywords beyond what rendering needs.
        label: shown as the subject.
        mode: "read" may draw marks, "view" may not.
        expires: when it ends by itself.
        owner: who asked and why, for the issuer's own use; opaque here.
        layers: marks of others, or of earlier reads, to show beside the principal's own.
        earlier: those of `exam_ids` that are earlier timepoints: shown, and never drawn on.

    Raises:
        GrantInvalid: an unknown field, an end in the past, nothing to see, or layers with bad names.
        ImageNotFound: an exam, series or instance that is not in this space.
        MarkNotFound: a layer names a mark that is not in this space.
    """
    assert actor.organisation_id
    try:
        fields(list(allow_fields))
    except ValueError as error:
        raise GrantInvalid(str(error)) from None
    if expires <= clock.now():
        raise GrantInvalid("A grant must end in the future.")
    series = _series(actor, exam_ids, series_ids)
    _require_instances(actor, series, instance_ids)
    require_layers(actor, layers)
    key = organisation_key(actor.organisation_id)
    grant_id = ids.uuid7()
    grant = ViewGrant.objects.create(
        id=grant_id,
        space_id=actor.space,
        organisation_id=actor.organisation_id,
        principal=principal.text,
        label=label,
        allow_fields=sorted(set(allow_fields)),
        mode=Mode(mode),
        uid_key=queries.seal(secrets.token_bytes(32), key.secret, grant_id),
        key_id=key.id,
        instances=None if instance_ids is None else list(instance_ids),
        owner=owner,
        layers=[layer.to_json() for layer in layers],
        expires_at=expires,
    )
    GrantedSeries.objects.bulk_create(
        GrantedSeries(
            id=ids.uuid7(),
            space_id=actor.space,
            grant=grant,
            position=position,
            series=one,
            revision=one.revision,
            is_drawn_on=one.exam_id not in earlier,
        )
        for position, one in enumerate(series)
    )
    record(
        actor,
        Action.GRANT_ISSUED,
        "grants.grant",
        grant.id,
        new={
            "principal": principal.text,
            "series": [str(one.id) for one in series],
            "fields": sorted(set(allow_fields)),
            "mode": str(Mode(mode).value),
            "expires_at": expires.isoformat(),
            "owner": owner,
        },
    )
    return grant


def hold(  # noqa: PLR0913 - a grant names this much
    actor: Actor,
    *,
    principal: Principal,
    exam_ids: Sequence[UUID],
    allow_fields: Sequence[str],
    label: str,
    mode: Mode | str,
    expires: datetime,
    renew_before: datetime,
    owner: str,
    layers: Sequence[Layer] = (),
    earlier: Collection[UUID] = (),
) -> ViewGrant:
    """The live grant that shows a principal exactly this for one owner; else a new one, which ends those before.

    A page that is loaded again, or in a second window, goes on under the same names, so that what it has not sent
    yet still finds its place. A grant that ends before `renew_before` is replaced.

    Raises:
        GrantInvalid, ImageNotFound, MarkNotFound: as `issue`.
    """
    series = _series(actor, exam_ids, ())
    shown = [(one.id, one.revision) for one in series]
    only_shown = {one.id for one in series if one.exam_id in earlier}
    wanted = (label, sorted(set(allow_fields)), Mode(mode), None, [layer.to_json() for layer in layers])
    for grant in queries.live_grants(actor, owner=owner, principal=principal):
        has = (grant.label, grant.allow_fields, grant.mode, grant.instances, grant.layers)
        shows = (queries.shown_by(grant), queries.only_shown_by(grant))
        if has == wanted and grant.expires_at > renew_before and shows == (shown, only_shown):
            return grant
    revoke_all(actor, owner=owner, principal=principal, reason="Replaced by a newer grant.")
    return issue(
        actor,
        principal=principal,
        exam_ids=exam_ids,
        allow_fields=allow_fields,
        label=label,
        mode=mode,
        expires=expires,
        owner=owner,
        layers=layers,
        earlier=earlier,
    )


def revoke(actor: Actor, *, grant_id: UUID, reason: str = "") -> None:
    """End a grant now. Ending an ended one changes nothing.

    Raises:
        ImageNotFound: the space has no such grant.
    """
    row = ViewGrant.objects.select_for_update().filter(space_id=actor.space, id=grant_id).first()
    if row is None:
        raise ImageNotFound
    if row.revoked_at is None:
        row.revoked_at = clock.now()
        row.save(update_fields=["revoked_at"])
        record(actor, Action.GRANT_REVOKED, "grants.grant", grant_id, reason=reason)
    transaction.on_commit(partial(queries.forget, grant_id))
    live.forget(queries.GRANT, str(grant_id))


def revoke_all(actor: Actor, *, owner: str, principal: Principal | None = None, reason: str = "") -> int:
    """End every live grant one owner issued in the actor's space, or those of one principal; returns how many."""
    live = queries.live_grants(actor, owner=owner, principal=principal)
    for grant in live:
        revoke(actor, grant_id=grant.id, reason=reason)
    return len(live)


def _series(actor: Actor, exam_ids: Sequence[UUID], series_ids: Sequence[UUID]) -> list[Series]:
    """The series to show: by exam in the caller's order, those of other exams last; within an exam by number."""
    by_exam = archive.series_of(actor, exam_ids)
    by_id = archive.series_by_ids(actor, series_ids)
    if {one.exam_id for one in by_exam} != set(exam_ids) or {one.id for one in by_id} != set(series_ids):
        raise ImageNotFound
    found = {one.id: one for one in [*by_exam, *by_id]}
    if not found:
        raise GrantInvalid("A grant must name images.")
    place = {exam_id: position for position, exam_id in reversed(list(enumerate(exam_ids)))}
    last = len(exam_ids)
    return sorted(
        found.values(),
        key=lambda one: (
            place.get(one.exam_id, last),
            str(one.exam_id),
            one.number or 0,
            one.series_uid,
        ),
    )


def _require_instances(actor: Actor, series: list[Series], instance_ids: Sequence[UUID] | None) -> None:
    if instance_ids is None:
        return
    if not instance_ids or not archive.belong_to(actor, [one.id for one in series], instance_ids):
        raise ImageNotFound
