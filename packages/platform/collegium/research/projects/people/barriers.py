"""Why a person may not read a subject. Pure; no database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from collegium.research.projects.definition import StepKind

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

BARRED_STEPS = (StepKind.READING, StepKind.ADJUDICATION)
"""Steps for which a conflict counts: a site's own people fill in its forms and check its images."""


class Barrier(models.TextChoices):
    """What stands between a person and a subject; the first that holds is told."""

    NOTHING = "", ""
    OWN_SITE = "own_site", _("Belongs to the subject's own site")
    DECLARED_SITE = "declared_site", _("Declared a conflict with the subject's site")
    DECLARED_SUBJECT = "declared_subject", _("Declared a conflict with the subject")
    SITE_UNKNOWN = "site_unknown", _("Has a site or a conflict with one, and the subject's site is not known")


def barrier(
    subject_id: UUID,
    site_id: UUID | None,
    *,
    own_sites: Collection[UUID],
    declared_sites: Collection[UUID],
    declared_subjects: Collection[UUID],
) -> Barrier:
    """Why somebody with these sites and conflicts may not read the subject; `Barrier.NOTHING` when they may.

    A subject whose site is not known could be of any: who belongs to one, or declared one, does not read it yet.
    """
    if site_id is not None and site_id in own_sites:
        return Barrier.OWN_SITE
    if site_id is not None and site_id in declared_sites:
        return Barrier.DECLARED_SITE
    if subject_id in declared_subjects:
        return Barrier.DECLARED_SUBJECT
    return Barrier.SITE_UNKNOWN if site_id is None and (own_sites or declared_sites) else Barrier.NOTHING
