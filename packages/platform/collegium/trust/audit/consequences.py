"""What follows by itself from an act, though the trail names whoever caused it, and from which act it followed.

An entry belongs to the principal in whose transaction it was made: the tasks that a signature opens stand under the
signer's name. For a person that reads as if the signer had done all of it. Entries of one transaction stand close
together in the trail, so the act among them can be told from its consequences. The record itself is not touched.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from collegium.kit.principals import Principal
from collegium.trust.audit.actions import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from django.utils.functional import _StrPromise

    from collegium.trust.audit.queries import HistoryLine

CONSEQUENCES: dict[Action, _StrPromise] = {
    Action.TASK_CREATED: _("a task was made"),
    Action.TASK_OPENED: _("a task opened"),
    Action.TASK_CANCELLED: _("a task was cancelled"),
    Action.TASK_SUPERSEDED: _("a signed task was replaced"),
    Action.TASK_ASSIGNED: _("a task was given to a person"),
    Action.CONFLICT_PASSED_OVER: _("people with a conflict of interest were passed over"),
    Action.ORDER_FIXED: _("the order of a reader's tasks was fixed"),
    Action.DISCREPANCY_JUDGED: _("the reads were compared"),
    Action.GRANT_ISSUED: _("access to images began"),
    Action.GRANT_REVOKED: _("access to images ended"),
    Action.RECORD_SIGNED: _("the signature was recorded"),
    Action.FORM_PUBLISHED: _("a form was published with it"),
    Action.SUBJECT_LISTED: _("a subject was listed"),
    Action.EXAM_PLACED: _("an exam was placed in a visit"),
    Action.EXAM_UNPLACED: _("no visit was found for an exam"),
    Action.EXAM_SUPPLEMENTED: _("late images of an exam were noted"),
    Action.QUERY_OPENED: _("a check opened a query"),
    Action.QUERY_CLOSED: _("a check that holds again closed its query"),
}
"""What is said of an entry that followed from another one."""

_WEAK = frozenset(
    {Action.ENTRY_FLUSHED, Action.SERIES_OPENED, Action.MARK_SAVED, Action.MARK_STRUCK, Action.RESULTS_VIEWED,
     Action.SIGNED_IN, Action.SIGNED_OUT, Action.TASK_BEGUN}
)  # fmt: skip
"""Acts from which hardly anything follows: another act close by is the likelier cause."""
_PRECEDE = frozenset({Action.RECORD_SIGNED, Action.FORM_PUBLISHED})
"""Consequences that are recorded before their act."""
_BEGIN = (Action.SUBJECT_LISTED, Action.EXAM_PLACED)
"""With which a run of consequences begins when no other act is there: a subject was enrolled, an exam placed."""
_TOGETHER = timedelta(seconds=1)
_NEAR_MS = 3000


def is_consequence(action: str) -> bool:
    """Whether this can follow by itself."""
    return action in _PASSIVE


def passive(action: str) -> str:
    """What is said of a consequence."""
    return str(_PASSIVE[action])


def windows(lines: Iterable[HistoryLine]) -> list[tuple[UUID, UUID]]:
    """The ranges of ids, which begin with their time, in which the causes of these lines are found."""
    found: list[tuple[int, int]] = []
    for line in sorted((one for one in lines if is_consequence(one.action)), key=lambda one: one.id):
        at = line.id.int >> 80
        if found and at - _NEAR_MS <= found[-1][1]:
            found[-1] = (found[-1][0], at + _NEAR_MS)
        else:
            found.append((at - _NEAR_MS, at + _NEAR_MS))
    return [(UUID(int=first << 80), UUID(int=last << 80)) for first, last in found]


def causes(lines: Iterable[HistoryLine]) -> Mapping[UUID, HistoryLine | None]:
    """Of each line that followed by itself: what it followed from, None when the house began it. Others are absent."""
    found: dict[UUID, HistoryLine | None] = {}
    for run in _runs(lines):
        is_job = bool(Principal.parse(run[0].principal).job)
        acts = _acts(run)
        strong = [place for place in acts if run[place].action not in _WEAK] or acts
        for place, line in enumerate(run):
            if place in acts and not (is_job and is_consequence(line.action)):
                continue
            nearest = _nearest(strong, place, is_before=line.action in _PRECEDE)
            if is_consequence(line.action) and (nearest is not None or is_job):
                found[line.id] = None if nearest in (None, place) else run[nearest]
    return found


def _nearest(acts: Sequence[int], place: int, *, is_before: bool) -> int | None:
    """The act that is nearest in the run; of two as near, the later: it is recorded at the end of its transaction."""
    later = [one for one in acts if one > place] if is_before else []
    return min(later or acts, key=lambda one: (abs(one - place), -one), default=None)


def _acts(run: Sequence[HistoryLine]) -> list[int]:
    """Places of what somebody did, in a run of entries that belong together."""
    found = [place for place, line in enumerate(run) if not is_consequence(line.action)]
    if all(run[place].action in _WEAK for place in found):
        found += [place for place, line in enumerate(run) if is_consequence(line.action) and line.reason]
    if not found:
        found = [place for place, line in enumerate(run) if line.action in _BEGIN][:1]
    return sorted(found)


def _runs(lines: Iterable[HistoryLine]) -> list[list[HistoryLine]]:
    """Entries of one principal that were made together, each run in order of birth."""
    found: dict[str, list[list[HistoryLine]]] = {}
    for line in sorted({one.id: one for one in lines}.values(), key=lambda one: one.id):
        runs = found.setdefault(line.principal, [])
        if runs and line.at - runs[-1][-1].at <= _TOGETHER:
            runs[-1].append(line)
        else:
            runs.append([line])
    return [run for runs in found.values() for run in runs]


_PASSIVE = {action.value: phrase for action, phrase in CONSEQUENCES.items()}
