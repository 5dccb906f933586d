"""Publish a project file; list sites, subjects and visits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.db.models import Max

from collegium.forms import services as forms
from collegium.imaging.connections.services import ask_of_exams
from collegium.kit import ids
from collegium.kit.canonical import digest as digest_of
from collegium.research.projects import queries
from collegium.research.projects.errors import StillInUse, SubjectCodeInvalid, VersionMoved
from collegium.research.projects.models import ProjectVersion, Site, Subject, Visit
from collegium.research.projects.project_file import parse_project, write_project
from collegium.research.projects.resting import left_out
from collegium.trust.access.policies import Permission, require
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record
from collegium.trust.signatures.services import sign

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from collegium.kit.principals import Actor
    from collegium.research.projects.definition import ProjectDefinition
    from collegium.research.projects.resting import InUse

MEANING = "I approve this project set-up for use."
_SUBJECT_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def publish_version(
    *,
    actor: Actor,
    text: str,
    in_use: InUse,
    password: str | None = None,
    expected_version: int | None = None,
) -> ProjectVersion:
    """Freeze a project file as the project's next version; the same set-up again is the same version.

    Args:
        actor: who publishes.
        text: the file.
        in_use: what tasks and signed answers rest on; the pipeline knows.
        password: the actor's, to sign the version; without it the version stands unsigned and says so.
        expected_version: the version the actor looked at, when it matters.

    Raises:
        YamlError: the file has faults; each is listed with its line.
        StillInUse: it leaves out what is in use; each thing is listed with what to do.
        WrongPassword, AccountLocked: nothing was published.
    """
    require(actor, Permission.PROJECT_PUBLISH)
    definition = parse_project(text)
    canonical = write_project(definition)
    digest = digest_of(canonical)
    newest = queries.newest_version(actor)
    if newest and newest.digest == digest:
        return newest
    missing = left_out(definition, in_use)
    if missing:
        raise StillInUse(missing)
    number = (
        ProjectVersion.objects.filter(space_id=actor.space).aggregate(last=Max("version"))["last"] or 0
    ) + 1
    if expected_version is not None and expected_version != number - 1:
        raise VersionMoved
    version = ProjectVersion(
        id=ids.uuid7(),
        space_id=actor.space,
        version=number,
        name=definition.name,
        text=canonical,
        digest=digest,
        forms={
            name: str(forms.publish_form(actor=actor, definition=form).id)
            for name, form in definition.forms.items()
        },
        published_by=actor.principal.text,
    )
    if password is not None:
        version.signature = sign(
            actor=actor, object_kind="research.project", object_id=version.id, object_version=number, digest=digest,
            meaning=MEANING, password=password,
        )  # fmt: skip
    version.save(force_insert=True)
    _keep_sites(actor, definition)
    ask_of_exams(
        actor=actor, asked=definition.acquisition(), reason=f"Version {number} of the project was published."
    )
    record(
        actor, Action.PROJECT_PUBLISHED, "research.project", version.id,
        old={"digest": newest.digest, "version": newest.version} if newest else None,
        new={"digest": digest, "name": definition.name, "version": number, "signed": password is not None},
    )  # fmt: skip
    return version


def list_subject(*, actor: Actor, code: str, site_code: str = "") -> Subject:
    """The subject of this code, made when there is none. The caller has permission or a policy to make it.

    Raises:
        SubjectCodeInvalid: not a code.
    """
    if not _SUBJECT_CODE.fullmatch(code):
        raise SubjectCodeInvalid
    site = Site.objects.filter(space_id=actor.space, code=site_code).first() if site_code else None
    subject, is_new = Subject.objects.get_or_create(space_id=actor.space, code=code, defaults={"site": site})
    if site and subject.site is None:
        subject.site = site  # first seen by a door that names no site
        subject.save(update_fields=["site"])
    if is_new:
        record(
            actor, Action.SUBJECT_LISTED, "research.subject", subject.id,
            new={"code": code, "site": site.code if site else None},
        )  # fmt: skip
    return subject


def note_visit(*, actor: Actor, subject: Subject, code: str, exam_date: date | None) -> Visit:
    """The visit of this subject, made when it takes place first."""
    visit, _ = Visit.objects.get_or_create(
        space_id=actor.space, subject=subject, code=code, defaults={"exam_date": exam_date}
    )
    if visit.is_empty:
        visit.is_empty, visit.exam_date = False, exam_date
        visit.save(update_fields=["is_empty", "exam_date"])
    return visit


def date_visit(*, visit: Visit, exam_dates: Sequence[date | None]) -> None:
    """Say anew when a visit was, after an exam left it; without any exam it has not taken place.

    Args:
        visit: of a subject that the caller has locked.
        exam_dates: of the exams that are left, the first placed first.
    """
    visit.is_empty, visit.exam_date = not exam_dates, exam_dates[0] if exam_dates else None
    visit.save(update_fields=["is_empty", "exam_date"])


def _keep_sites(actor: Actor, definition: ProjectDefinition) -> None:
    """Sites of the file exist under its names; a site that left the file stays, its subjects do."""
    for site in definition.sites:
        Site.objects.update_or_create(space_id=actor.space, code=site.code, defaults={"name": site.name})
