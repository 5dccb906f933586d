"""The read's side of images: the grant that shows them and the marks drawn on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from collegium.forms.answers import Answer, AnswerKind, MarkReference
from collegium.imaging.archive import queries as archive
from collegium.imaging.grants import services as grants
from collegium.imaging.grants.queries import live_grants, shown_by
from collegium.imaging.marks import queries as marks
from collegium.kit import clock, ids
from collegium.research.pipeline import queries as pipeline
from collegium.research.pipeline.queries import owner_of
from collegium.research.pipeline.sight import sight_of
from collegium.research.pipeline.states import TaskState
from collegium.research.reads.errors import MarkChanged, MarkGone, NewImages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from collegium.imaging.grants.layers import Layer
    from collegium.imaging.grants.models import ViewGrant
    from collegium.imaging.marks.queries import SavedMark
    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task

LIFETIME = timedelta(hours=8)
"""How long an opened page can show its images: a working day. Submitting or cancelling ends it at once."""


@dataclass(frozen=True, slots=True)
class MarkFacts:
    """A mark as it is now, under the archive's ids."""

    mark_id: UUID
    revision: int
    kind: str
    value: str
    unit: str
    series_uid: str
    instance_uid: str
    frame: int
    frame_of_reference_uid: str
    points: tuple[str, ...]
    image_points: tuple[str, ...]
    short_value: str = ""
    """The short diameter of a bidirectional measurement."""

    def answer(self) -> Answer:
        """The answer that takes this mark over."""
        reference = MarkReference(
            str(self.mark_id), self.revision, self.series_uid, self.instance_uid, self.frame
        )
        return Answer(AnswerKind.VALUE, self.value, reference, self.short_value)

    def to_json(self) -> dict[str, object]:
        return {
            "frame": self.frame,
            "frame_of_reference_uid": self.frame_of_reference_uid,
            "image_points": list(self.image_points),
            "instance_uid": self.instance_uid,
            "kind": self.kind,
            "mark_id": str(self.mark_id),
            "points": list(self.points),
            "revision": self.revision,
            "series_uid": self.series_uid,
            "unit": self.unit,
            "value": self.value,
            # Absent from a length, so that records signed before there were two diameters stay what they were.
            **({"short_value": self.short_value} if self.short_value else {}),
        }


def newest_mark(actor: Actor, task: Task, mark_id: UUID) -> MarkFacts:
    """A mark that its reader drew for this task, as it is now.

    Raises:
        MarkGone: there is none, it is another's, or it was struck out.
    """
    found = _own(task, marks.current(actor, [mark_id]).get(mark_id))
    if found is None:
        raise MarkGone([])
    return found


def marks_at(actor: Actor, references: Iterable[MarkReference]) -> dict[MarkReference, MarkFacts]:
    """Marks as they were in the revisions that answers took over."""
    parsed = {reference: ids.parse(reference.mark_id) for reference in references}
    wanted = {reference: (mark_id, reference.revision) for reference, mark_id in parsed.items() if mark_id}
    found = marks.as_saved(actor, wanted.values())
    return {reference: _facts(found[key]) for reference, key in wanted.items() if key in found}


def require_unchanged(actor: Actor, task: Task, answers: Mapping[str, Answer]) -> None:
    """Read every bound mark again, and keep it from changing until the transaction ends.

    Raises:
        MarkGone: a bound mark was struck out.
        MarkChanged: a bound mark has another revision or value than the answer says.
    """
    bound = {name: answer for name, answer in sorted(answers.items()) if answer.mark}
    known = [ids.parse(answer.mark.mark_id) for answer in bound.values() if answer.mark]
    newest = {str(key): row for key, row in marks.locked(actor, [one for one in known if one]).items()}
    now = {name: _own(task, newest.get(answer.mark.mark_id)) for name, answer in bound.items() if answer.mark}
    gone = [name for name, facts in now.items() if facts is None]
    if gone:
        raise MarkGone(gone)
    changed = [name for name, facts in now.items() if facts and facts.answer() != bound[name]]
    if changed:
        raise MarkChanged(changed)


def study_uids(actor: Actor, task: Task) -> list[str]:
    """The archive's study UIDs that a task shows now."""
    return sorted(archive.exam(actor, exam_id).study_uid for exam_id in pipeline.exam_ids_of(task))


def require_seen(actor: Actor, task: Task) -> None:
    """Refuse what would record images that the open page does not show.

    Raises:
        NewImages: an exam or a series came or grew since the page was loaded, or the page is too old to tell.
    """
    exam_ids = pipeline.exam_ids_of(task)
    if not exam_ids:
        return
    there = {(one.id, one.revision) for one in archive.series_of(actor, exam_ids)}
    live = live_grants(actor, owner=owner_of(task), principal=actor.principal)
    if not any(set(shown_by(grant)) == there for grant in live):
        raise NewImages


def issue_grant(
    actor: Actor, task: Task, *, is_draft: bool, layers: Sequence[Layer] = ()
) -> ViewGrant | None:
    """The grant to the images of a task as they are now, exactly what it may show; a page loaded again keeps it.

    None when the task shows no images: its step is a form, or nothing has arrived.
    """
    visits = pipeline.visits_shown(task)
    exam_ids = [exam_id for visit in visits for exam_id in visit.exam_ids]
    if not exam_ids or task.state == TaskState.SUPERSEDED:
        return None
    seen = sight_of(actor, task)
    return grants.hold(
        actor,
        principal=actor.principal,
        exam_ids=exam_ids,
        allow_fields=seen.blinding.show,
        label=seen.label,
        mode="read" if is_draft else "view",
        expires=clock.now() + LIFETIME,
        renew_before=clock.now() + LIFETIME / 2,
        owner=owner_of(task),
        layers=layers,
        earlier={exam_id for visit in visits if not visit.is_own for exam_id in visit.exam_ids},
    )


def revoke_grants(actor: Actor, task: Task) -> None:
    """End every live grant of a task: nothing can be drawn any more."""
    grants.revoke_all(actor, owner=owner_of(task))


def _own(task: Task, mark: SavedMark | None) -> MarkFacts | None:
    """The facts of a live mark that the task's reader drew for it."""
    if mark is None or mark.is_struck:
        return None
    if (mark.owner, mark.principal) != (owner_of(task), task.assignee):
        return None
    return _facts(mark)


def _facts(mark: SavedMark) -> MarkFacts:
    return MarkFacts(
        mark_id=mark.mark_id,
        revision=mark.revision,
        kind=mark.kind,
        value=format(mark.value, "f"),
        unit=mark.unit,
        series_uid=mark.series_uid,
        instance_uid=mark.instance_uid,
        frame=mark.frame,
        frame_of_reference_uid=mark.frame_of_reference_uid,
        points=tuple(format(point, "f") for point in mark.points),
        image_points=tuple(format(point, "f") for point in mark.image_points),
        short_value="" if mark.short_value is None else format(mark.short_value, "f"),
    )
