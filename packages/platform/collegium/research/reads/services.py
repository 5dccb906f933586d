"""Open, save, submit, sign and correct a read. Every act is the assigned reader's own.

Lock order: subject, task, read, entry, mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collegium.forms import queries as form_queries
from collegium.forms import services as forms
from collegium.forms.changes import read_changes
from collegium.kit import clock, ids
from collegium.kit.canonical import digest
from collegium.kit.errors import NotFound
from collegium.kit.events import announce
from collegium.research.data_queries.checks import failed_checks
from collegium.research.data_queries.queries import require_none_open
from collegium.research.data_queries.services import open_system_queries
from collegium.research.pipeline import queries as tasks
from collegium.research.pipeline import services as pipeline
from collegium.research.pipeline.errors import ConflictOfInterest
from collegium.research.pipeline.moving import move_task
from collegium.research.pipeline.ordering import one_at_a_time
from collegium.research.pipeline.sight import sight_of
from collegium.research.pipeline.states import Move, TaskState
from collegium.research.projects import queries as projects
from collegium.research.reads import earlier, images, queries, settling
from collegium.research.reads.corrective import ask_site
from collegium.research.reads.errors import (
    LaterWasOpened,
    ReadMoved,
    ReadNotADraft,
    ReadNotSubmitted,
    ReasonMissing,
)
from collegium.research.reads.events import ReadSigned
from collegium.research.reads.models import Read, ReadVersion, VersionState
from collegium.research.reads.record import record_of
from collegium.trust.access.policies import Permission, require
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record
from collegium.trust.signatures.services import sign

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from collegium.forms.models import Entry
    from collegium.imaging.grants.models import ViewGrant
    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task
    from collegium.research.reads.settling import Side
    from collegium.trust.signatures.models import Signature

KIND = "research.read"
LONGEST_REASON = 400


@dataclass(frozen=True, slots=True)
class Opened:
    """A read as its reader gets it: task, version, and the grant that shows the images."""

    task: Task
    version: ReadVersion
    grant: ViewGrant | None
    """None when the task shows no images."""
    sides: tuple[Side, ...] = ()
    """The reads that an adjudication settles."""


@dataclass(frozen=True, slots=True)
class SavedRead(forms.Saved):
    """What a save left, and whether images came since the page was opened: the page has to be loaded again."""

    has_late_images: bool = False


def open_task(*, actor: Actor, task_id: UUID) -> Opened:
    """Show a task to its reader: the read is made at the first time, a fresh grant each time.

    Raises:
        NotFound: not this person's task, or a conflict of interest came since it was given.
        TaskNotOpen: it waits for an earlier step, or was cancelled.
        AnotherComesFirst: the step has a fixed order, and another task is next.
    """
    projects.locked_subject(actor, tasks.subject_id_of(actor, task_id))
    one_at_a_time(actor)
    task = _own_task(actor, task_id)
    pipeline.begin_task(actor=actor, task=task)
    version = queries.newest_version(actor, task) or _first_version(actor, task)
    # What an earlier sitting left enters the chain now, if it never came to a submission.
    forms.flush_entry(actor=actor, entry_id=version.entry_id)
    sides = settling.sides_of(actor, task, version)
    layers = [*earlier.layers(actor, task), *settling.layers(sides)]
    grant = images.issue_grant(actor, task, is_draft=version.state == VersionState.DRAFT, layers=layers)
    record(
        actor, Action.READ_OPENED, KIND, version.read_id,
        new={
            "grant": str(grant.id) if grant else None,
            "task": str(task.id),
            "version": version.number,
            **({"unblinded": True} if sight_of(actor, task).is_unblinded else {}),
        },
    )  # fmt: skip
    return Opened(task, version, grant, sides)


def save_answers(  # noqa: PLR0913  an operation has this many facts
    *,
    actor: Actor,
    task_id: UUID,
    op_id: UUID,
    base_revision: int,
    changes: Mapping[str, Mapping[str, Any] | None],  # Any: JSON from the page
    language: str = "en",
) -> SavedRead:
    """Save one operation of the page. Measured values are read from their marks, never taken from the page.

    Args:
        actor: the reader.
        task_id: the reader's task.
        op_id: chosen by the page, one for each operation; again is a no-op.
        base_revision: the revision the page shows.
        changes: by path, as `forms.changes.read_changes` takes them.
        language: of the messages that come back.

    Raises:
        NotFound, ReadNotADraft, MarkGone, ChangeUnreadable: nothing was saved.
        EntryStale: somebody saved since; the error holds the newest state.
    """
    require(actor, Permission.READ_WRITE)
    version = queries.locked_draft(actor, task_id)
    if version.state != VersionState.DRAFT or version.read.task.state != TaskState.IN_PROGRESS:
        raise ReadNotADraft
    answers = read_changes(
        form_queries.form_of(version.entry),
        changes,
        measured=lambda mark_id: images.newest_mark(actor, version.read.task, mark_id).answer(),
    )
    saved = forms.save_changes(
        actor=actor, entry_id=version.entry_id, op_id=op_id, base_revision=base_revision, changes=answers,
        language=language,
    )  # fmt: skip
    return SavedRead(saved.revision, saved.state, saved.changed, version.read.task.has_late_images)


def submit_read(*, actor: Actor, task_id: UUID, expected_revision: int) -> ReadVersion:
    """Freeze the reader's answers so that they can be signed. Every bound mark is read again first.

    Raises:
        NotFound, ReadNotADraft: as in `save_answers`.
        EntryStale, EntryIncomplete: the form is not what the page shows, or not complete.
        MarkChanged, MarkGone: a measurement is not what the answer says; nothing was submitted.
        NewImages: images came that the open page does not show.
    """
    projects.locked_subject(actor, tasks.subject_id_of(actor, task_id))
    task = _own_task(actor, task_id)
    version = queries.locked_version(actor, task)
    if version.state != VersionState.DRAFT:
        raise ReadNotADraft
    images.require_seen(actor, task)
    entry = forms.freeze_entry(actor=actor, entry_id=version.entry_id, expected_revision=expected_revision)
    images.require_unchanged(actor, task, form_queries.counted_answers(entry))
    version.shown = images.study_uids(actor, task)
    version.settles = settling.settles(settling.sides_of(actor, task, version))
    version.record = record_of(actor, version)
    version.digest = digest(version.record)
    version.state, version.submitted_at = VersionState.SUBMITTED, clock.now()
    version.save(update_fields=["shown", "settles", "record", "digest", "state", "submitted_at"])
    _ask_about_checks(actor, task, entry)
    move_task(actor=actor, task=task, move=Move.SUBMIT)
    images.revoke_grants(actor, task)
    record(
        actor, Action.READ_SUBMITTED, KIND, version.read_id,
        new={"digest": version.digest, "entry_revision": entry.revision, "version": version.number},
    )  # fmt: skip
    return version


def sign_read(*, actor: Actor, task_id: UUID, password: str, expected_digest: str) -> ReadVersion:
    """Sign the submitted version that the reader looked at, after asking for the password again.

    Raises:
        ReadNotSubmitted: there is nothing to sign.
        ReadMoved: it is not `expected_digest`, or the rows no longer say what was submitted.
        QueriesOpen: the step wants every query about it closed first.
        WrongPassword, AccountLocked: the attempt is counted; nothing was signed.
    """
    require(actor, Permission.READ_SIGN)
    projects.locked_subject(actor, tasks.subject_id_of(actor, task_id))
    task = _own_task(actor, task_id)
    version = queries.locked_version(actor, task)
    if version.state != VersionState.SUBMITTED:
        raise ReadNotSubmitted
    if version.digest != expected_digest or digest(record_of(actor, version)) != version.digest:
        raise ReadMoved
    if projects.definition(task.project_version).step(task.step).queries_closed:
        require_none_open(actor, task)
    version.signature = _sign(actor, task, version, password)
    ReadVersion.objects.filter(space_id=actor.space, read=version.read, state=VersionState.SIGNED).update(
        state=VersionState.SUPERSEDED
    )
    version.state = VersionState.SIGNED
    version.save(update_fields=["signature", "state"])
    pipeline.complete_task(actor=actor, task=task, entry_id=version.entry_id)
    ask_site(actor, task, version)
    record(
        actor, Action.READ_SIGNED, KIND, version.read_id,
        new={"digest": version.digest, "signature": str(version.signature.id), "version": version.number},
    )  # fmt: skip
    announce(actor.principal, ReadSigned(actor.space, version.read_id, task.id, version.number))
    return version


def correct_read(*, actor: Actor, task_id: UUID, reason: str) -> ReadVersion:
    """Begin a new version from the answers of the last one. What was submitted or signed stays as it is.

    Raises:
        ReasonMissing: a correction says why.
        ReadNotSubmitted: the newest version is a draft; change that.
        LaterWasOpened: the step is locked, and the reader has gone on to a later timepoint.
    """
    if not 3 <= len(reason.strip()) <= LONGEST_REASON:
        raise ReasonMissing
    projects.locked_subject(actor, tasks.subject_id_of(actor, task_id))
    task = _own_task(actor, task_id)
    if earlier.is_passed(actor, task):
        raise LaterWasOpened
    last = queries.locked_version(actor, task)
    if last.state == VersionState.DRAFT:
        raise ReadNotSubmitted
    if last.state == VersionState.SUBMITTED:
        last.state = VersionState.WITHDRAWN
        last.save(update_fields=["state"])
    version_id = ids.uuid7()
    entry = forms.copy_entry(actor=actor, entry_id=last.entry_id, owner=_entry_owner(version_id))
    version = ReadVersion.objects.create(
        id=version_id,
        space_id=actor.space,
        read=last.read,
        number=last.number + 1,
        entry=entry,
        reason=reason.strip(),
    )
    pipeline.reopen_task(actor=actor, task=task)
    record(
        actor, Action.READ_CORRECTED, KIND, last.read_id,
        old={"digest": last.digest, "version": last.number}, new={"version": version.number}, reason=reason.strip(),
    )  # fmt: skip
    return version


def _ask_about_checks(actor: Actor, task: Task, entry: Entry) -> None:
    """Checks that do not hold and do not stop a submission become queries (R56)."""
    language = projects.definition(task.project_version).languages[0]
    problems = failed_checks(form_queries.state(entry, language))
    open_system_queries(actor=actor, task=task, problems=problems)


def _own_task(actor: Actor, task_id: UUID) -> Task:
    """The actor's own task, locked. A task of somebody else is not found, whatever the role."""
    task = tasks.locked_task(actor, task_id)
    if task.assignee != actor.principal.text:
        raise NotFound
    require(actor, Permission.READ_WRITE)
    try:
        pipeline.require_no_conflict(actor, task, task.assignee)
    except ConflictOfInterest:
        # As a task that was given to another: which ones are refused would tell what belongs together (decision 38).
        raise NotFound from None
    return task


def _first_version(actor: Actor, task: Task) -> ReadVersion:
    read = Read.objects.create(space_id=actor.space, task=task, unit=task.unit, reader=task.assignee)
    step = projects.definition(task.project_version).step(task.step)
    version_id = ids.uuid7()
    form_version_id = projects.form_version_id(task.project_version, step.form)
    start = earlier.start_of(actor, task, form_queries.definition(actor, form_version_id))
    entry = forms.open_entry(
        actor=actor, form_version_id=form_version_id, owner=_entry_owner(version_id),
        given=start.given, carried=start.carried,
    )  # fmt: skip
    ReadVersion.objects.create(id=version_id, space_id=actor.space, read=read, number=1, entry=entry)
    return queries.version(actor, task, 1)


def _entry_owner(version_id: UUID) -> str:
    return f"research.read_version:{version_id}"


def _sign(actor: Actor, task: Task, version: ReadVersion, password: str) -> Signature:
    step = projects.definition(task.project_version).step(task.step)
    return sign(
        actor=actor, object_kind=KIND, object_id=version.read_id, object_version=version.number,
        digest=version.digest, meaning=step.meaning, password=password,
    )  # fmt: skip
