"""Read what a project keeps from blinded people, on behalf of a member who may see all of it."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import collegium
from collegium.imaging.archive import queries as archive
from collegium.imaging.archive.attributes import DESCRIPTIVE, KEYWORDS, key_of
from collegium.imaging.archive.errors import ImageNotFound
from collegium.imaging.connections import queries as connections
from collegium.kit import clock
from collegium.kit.database import acting_as
from collegium.research.data_queries import queries as data_queries
from collegium.research.oversight.leaks.facts import Facts, Member, OwnTask
from collegium.research.oversight.leaks.hidden import Needle
from collegium.research.pipeline import queries as pipeline
from collegium.research.pipeline.sight import sight
from collegium.research.projects import queries as projects
from collegium.research.projects.unblinding import queries as unblinding
from collegium.trust.access.permissions import Permission
from collegium.trust.access.queries import actor_in
from collegium.trust.audit import queries as audit
from collegium.trust.identity.queries import accounts
from collegium.trust.tenancy import queries as tenancy
from collegium.trust.tenancy.models import SpaceKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from collegium.imaging.archive.document import Attributes, Json
    from collegium.kit.principals import Actor, Principal
    from collegium.research.pipeline.models import Task

_DESCRIPTIVE = frozenset(map(key_of, DESCRIPTIVE))
_MOST_ENTRIES = 20_000
_DAYS = {"DA", "DT"}


def facts(actor: Actor) -> Facts:
    """All of it, inside `acting_as` of the actor."""
    exams, unblinded = list(archive.exams(actor)), unblinding.unblinded_tasks(actor)
    archive_ids = list(dict.fromkeys(_archive_ids(actor)))
    attributes, uids, days = _from_documents(actor)
    subjects = list(projects.subjects(actor))
    visits = [visit for subject in subjects for visit in projects.visits_of(subject)]
    days |= {exam.study_date for exam in exams} | {
        f"{one.exam_date:%Y%m%d}" for one in visits if one.exam_date
    }
    attributes |= {("StudyDescription", exam.description) for exam in exams}
    planned = [visit for version in projects.versions(actor) for visit in projects.definition(version).visits]
    return Facts(
        project=tenancy.space(actor).name,
        space_id=actor.space,
        members=tuple(_members(actor)),
        tasks=tuple(
            _own(task, is_unblinded=(str(task.id), task.assignee) in unblinded)
            for task in pipeline.tasks(actor).select_related("unit__subject__site").order_by("listing")
        ),
        archive_ids=(
            *archive_ids,
            *(Needle("UID of the archive", uid) for uid in sorted(uids)),
            *(Needle("row of a visit", str(one.id)) for one in visits),
        ),
        foreign=_foreign(actor),
        subjects=tuple((one.code, one.id) for one in subjects),
        sites=tuple((one.code, one.name, one.id) for one in projects.sites(actor)),
        visits=tuple(dict.fromkeys((one.code, tuple(dict(one.label).values())) for one in planned)),
        dates=frozenset(day[:8] for day in days if len(day) >= 8),
        attributes=tuple(sorted((keyword, value) for keyword, value in attributes if value)),
        doors=tuple(_doors(actor)),
        product=_words_of_the_product(),
        worked=_worked(actor),
        has_open_results=unblinding.unblinded_results(actor) is not None,
    )


def witness(space: str) -> list[tuple[Principal, UUID]]:
    """Who may see all of a project, given by name or id: one person for each project so named."""
    needed = {Permission.EXAM_VIEW, Permission.SUBJECT_VIEW, Permission.MEMBERS_VIEW, Permission.AUDIT_VIEW}
    found: dict[UUID, Principal] = {}
    for account in accounts():
        principal = account.principal
        with acting_as(principal):
            for row in tenancy.spaces_of(principal, SpaceKind.PROJECT):
                if space in (row.name, str(row.id)) and needed <= actor_in(principal, row.id).permissions:
                    found.setdefault(row.id, principal)
    return [(principal, space_id) for space_id, principal in found.items()]


def _foreign(actor: Actor) -> dict[str, str]:
    rows = {
        "exam_id": [row.id for row in archive.exams(actor)[:1]],
        "membership_id": [row.id for row in tenancy.members(actor, limit=1)],
        "query_id": [row.id for row in data_queries.visible(actor)[:1]],
        "discrepancy_id": [row.id for row in pipeline.undecided(actor)[:1]],
        "gateway_id": [row.gateway_id for row in connections.all_channels(actor)[:1]],
        "channel_id": [row.id for row in connections.all_channels(actor)[:1]],
    }
    return {part: str(found[0]) for part, found in rows.items() if found}


def _members(actor: Actor) -> Iterator[Member]:
    known = {account.id: account for account in accounts()}
    for one in tenancy.members(actor):
        account = known.get(one.principal.id) if one.principal.kind == "person" else None
        if account is not None and account.is_active:
            permissions = actor_in(one.principal, actor.space).permissions
            yield Member(one.principal, account, account.full_name, account.email, one.role, permissions)


def _own(task: Task, *, is_unblinded: bool) -> OwnTask:
    definition = projects.definition(task.project_version)
    step, seen = definition.step(task.step), sight(task, is_unblinded=is_unblinded)
    unit = task.unit
    days = [task.due_on, task.created_at.date(), task.changed_at.date()]
    return OwnTask(
        id=task.id,
        label=seen.label,
        assignee=task.assignee,
        step=task.step,
        state=str(task.state),
        born=str(task.listing),
        subject=unit.subject.code,
        visit=unit.visit.code if unit.visit else "",
        site=unit.subject.site.code if unit.subject.site else "",
        blinding=seen.blinding,
        words=f"{definition.forms.get(step.form)} {step.label} {step.meaning}",
        days=tuple(day for day in days if day),
    )


def _archive_ids(actor: Actor) -> Iterator[Needle]:
    for exam in archive.exams(actor):
        yield Needle("row of an exam", str(exam.id))
        yield Needle("UID of the archive", exam.study_uid)
    for one in archive.everything_named(actor):
        yield from (Needle("UID of the archive", uid) for uid in (one.series_uid, one.sop_instance_uid))
        yield from (Needle("row of the archive", str(id_)) for id_ in (one.series_id, one.id))
        yield Needle("blob key", str(one.blob_id))
        yield from (Needle("digest", digest) for digest in (one.sha256, one.pixel_digest) if digest)


def _from_documents(actor: Actor) -> tuple[set[tuple[str, str]], set[str], set[str]]:
    """Descriptive attributes, UIDs and days that stand in the stored headers."""
    attributes: set[tuple[str, str]] = set()
    uids: set[str] = set()
    days: set[str] = set()
    for series in archive.series_of(actor, [exam.id for exam in archive.exams(actor)]):
        try:
            document = archive.document(actor, series.id, series.revision)
        except ImageNotFound:
            continue
        attributes.add(("SeriesDescription", series.description))
        for part in (document.common, *document.instances):
            for name, vr, value in _values(part):
                if vr == "UI" and not value.startswith("1.2.840.10008."):
                    uids.add(value)
                elif vr in _DAYS:
                    days.add(value)
                elif name in _DESCRIPTIVE and vr not in {"TM", "IS", "DS", "US", "FD", "FL"}:
                    attributes.add((KEYWORDS[name], value))
    return attributes, uids, days


def _values(attributes: Attributes) -> Iterator[tuple[str, str, str]]:
    for name, element in attributes.items():
        for value in element.get("Value", ()):
            if element["vr"] == "SQ":
                yield from _values(value)
            elif value is not None:
                yield name, element["vr"], _text(value)


def _text(value: Json) -> str:
    return " ".join(map(str, value.values())) if isinstance(value, dict) else str(value)


def _doors(actor: Actor) -> Iterator[str]:
    for gateway in connections.gateways(actor):
        yield gateway.name
        yield from (channel.name for channel in connections.channels(actor, gateway.id))


def _worked(actor: Actor) -> dict[str, set[date]]:
    today = clock.now().date()
    found: dict[str, set[date]] = defaultdict(
        lambda: {today - timedelta(days=1), today, today + timedelta(days=1)}
    )
    for member in tenancy.members(actor):
        found[member.principal.text].add(member.since.date())
    for line in audit.space_history(actor, limit=_MOST_ENTRIES):
        found[line.principal.rpartition("|")[2]].add(line.at.date())
    return dict(found)


@cache
def _words_of_the_product() -> str:
    """What the pages say for everybody."""
    folder = Path(collegium.__file__).parent
    return "\n".join(page.read_text("utf-8") for page in sorted(folder.glob("**/templates/**/*.html")))
