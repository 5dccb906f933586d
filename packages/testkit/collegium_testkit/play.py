"""Let the invented people of the demo trial do their work up to a point, so that everyone finds something to do.

python -m collegium_testkit.play SPACE_ID < lesions.json

`lesions.json` holds, by subject and visit in the order of arrival, the lesion that the phantom shows
(`phantoms.Lesion`). The first subject is read twice at both timepoints, and the readers differ at the
second. The second waits for its readers, the third for image QC, the rest for eligibility.
"""

from __future__ import annotations

import json
import os
import sys
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from collegium_testkit import trial
from collegium_testkit.seed import PASSWORD

if TYPE_CHECKING:
    from collegium.kit.principals import Principal
    from collegium.research.pipeline.models import Task

Lesions = list[list[dict[str, Any]]]  # Any: JSON of Lesion
BASELINE = {"non_target": {"text": "none"}}
FOLLOW_UP = {"non_target": {"text": "none"}, "new_lesion": {"text": "no"}}
PATIENCE_S = 120.0
ROW = "targets.0000a001"


def main() -> None:
    """Play, and say nothing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collegium.settings.django")
    import django

    django.setup()
    from collegium import wiring

    wiring.connect()
    Play(UUID(sys.argv[1]), json.load(sys.stdin)).play()


class Play:
    """The people of one trial at work."""

    def __init__(self, space_id: UUID, lesions: Lesions) -> None:
        self.space_id, self.lesions = space_id, lesions

    def play(self) -> None:
        """From the first subject to the last."""
        from collegium.kit.database import acting_as
        from collegium.research.projects import queries as projects

        administrator = self._person("admin@demo.example")
        self._wait(administrator)
        with acting_as(administrator, [self.space_id]):
            codes = [one.code for one in projects.subjects(self._actor(administrator)).order_by("id")]
        for number, code in enumerate(codes):
            if number < 3:
                self._do(code, "eligibility", {"measurable": {"text": "yes"}, "eligible": {"text": "yes"}})
            if number < 2:
                self._do(code, "image_qc", {"coverage": {"text": "5"}, "verdict": {"text": "accept"}})
            if number < 1:
                self._read(code)

    def _wait(self, administrator: Principal) -> None:
        """Until every sent exam has its visit."""
        from collegium.kit.database import acting_as
        from collegium.research.pipeline import queries

        wanted, ends = sum(map(len, self.lesions)), time.monotonic() + PATIENCE_S
        while time.monotonic() < ends:
            with acting_as(administrator, [self.space_id]):
                if queries.placements(self._actor(administrator)).filter(unplaced="").count() >= wanted:
                    return
            time.sleep(0.5)
        raise SystemExit(
            f"Not every exam arrived within {PATIENCE_S:.0f} s; the demo goes on without its readers."
        )

    def _read(self, code: str) -> None:
        """Both readers, timepoint by timepoint; the second one takes a partial response for a stable disease."""
        answers = [("PR", "PR"), ("PR", "SD")]
        for visit in range(len(self.lesions[0])):
            for task in sorted(self._open(code, "reading"), key=lambda one: one.slot):
                said = BASELINE if visit == 0 else FOLLOW_UP
                response = {"response": {"text": answers[visit][task.slot - 1]}} if visit else {}
                self._do_one(task, said | response, lesion=self.lesions[0][visit], is_first=visit == 0)

    def _do(self, code: str, step: str, changes: dict[str, Any]) -> None:  # Any: JSON of the page
        for task in self._open(code, step):
            self._do_one(task, changes)

    def _do_one(
        self,
        task: Task,
        changes: dict[str, Any],  # Any: JSON of the page
        *,
        lesion: dict[str, Any] | None = None,  # Any: JSON of Lesion
        is_first: bool = False,
    ) -> None:
        """Open, measure, answer, submit and sign as the person who has the task."""
        from collegium.kit import ids
        from collegium.kit.database import acting_as
        from collegium.kit.principals import Principal
        from collegium.research.reads import services as reads

        who = Principal.parse(task.assignee)
        with acting_as(who, [self.space_id]):
            actor = self._actor(who)
            opened = reads.open_task(actor=actor, task_id=task.id)
            if lesion:
                mark_id = self._draw(who, task, lesion)
                found = {"organ": {"text": "liver"}, "place": {"text": "Segment VIII"}} if is_first else {}
                rows = {ROW: {"row": "present"}} if is_first else {}
                measured = {**found, "status": {"text": "measured"}, "size": {"mark_id": str(mark_id)}}
                changes = {**rows, **{f"{ROW}.{name}": one for name, one in measured.items()}, **changes}
            saved = reads.save_answers(
                actor=actor, task_id=task.id, op_id=ids.uuid7(), base_revision=opened.version.entry.revision,
                changes=changes,
            )  # fmt: skip
            submitted = reads.submit_read(actor=actor, task_id=task.id, expected_revision=saved.revision)
            reads.sign_read(actor=actor, task_id=task.id, password=PASSWORD, expected_digest=submitted.digest)

    def _draw(self, who: Principal, task: Task, lesion: dict[str, Any]) -> UUID:  # Any: JSON of Lesion
        """Both diameters of the lesion, on the newest exam of the task."""
        from collegium.imaging.archive.models import Instance
        from collegium.imaging.grants.models import ViewGrant
        from collegium.imaging.marks.models import Kind
        from collegium.imaging.marks.services import Drawing, DrawnFor, save_mark
        from collegium.kit import ids
        from collegium.research.pipeline.queries import exam_ids_of, owner_of

        instances = list(
            Instance.objects.filter(space_id=self.space_id, exam_id=exam_ids_of(task)[-1]).select_related(
                "series"
            )
        )
        instance = sorted(instances, key=lambda one: one.number or 0)[lesion["slice_index"]]
        grant = ViewGrant.objects.filter(
            space_id=self.space_id, owner=owner_of(task), revoked_at=None
        ).latest("id")
        mark_id = ids.uuid7()
        save_mark(
            actor=self._actor(who), drawn_for=DrawnFor(owner_of(task), grant.id), mark_id=mark_id, op_id=ids.uuid7(),
            base_revision=0,
            drawn=Drawing(
                kind=Kind.BIDIRECTIONAL, instance_uid=instance.sop_instance_uid,
                series_uid=instance.series.series_uid, frame=1, label="T1",
                points=tuple((_d(x), _d(y), _d(z)) for x, y, z in lesion["points"]),
                image_points=tuple((_d(column), _d(row)) for column, row in lesion["image_points"]),
            ),
        )  # fmt: skip
        return mark_id

    def _open(self, code: str, step: str) -> list[Task]:
        from collegium.kit.database import acting_as
        from collegium.research.pipeline import queries

        administrator = self._person("admin@demo.example")
        with acting_as(administrator, [self.space_id]):
            rows = queries.tasks(self._actor(administrator)).filter(step=step, state="open")
            return list(rows.filter(unit__subject__code=code).order_by("listing"))

    def _actor(self, principal: Principal) -> Any:  # Any: an Actor; rooms load only after Django
        from collegium.trust.access.queries import actor_in

        return actor_in(principal, self.space_id)

    def _person(self, email: str) -> Principal:
        from collegium.kit.database import anonymous
        from collegium.trust.identity.queries import account_by_email

        with anonymous():
            account = account_by_email(email)
        assert account, f"{email} of {trial.NAME} was not seeded"
        return account.principal


def _d(number: float) -> Decimal:
    return Decimal(repr(number))


if __name__ == "__main__":
    main()
