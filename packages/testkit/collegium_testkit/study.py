"""A reader study in a world: the example file published, one reader, and exams that have just arrived."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING

from collegium.imaging.archive.models import Blob, Exam, Instance, Series
from collegium.imaging.marks.models import Mark, MarkRevision
from collegium.kit import ids
from collegium.kit.database import acting_as
from collegium.research.pipeline import queries as pipeline
from collegium.research.pipeline import services as pipeline_services
from collegium.research.pipeline.publishing import publish_project
from collegium.research.pipeline.queries import owner_of
from collegium.research.reads import services as reads

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.forms.services import Saved
    from collegium.research.pipeline.models import Task
    from collegium.research.reads.models import ReadVersion
    from collegium_testkit.world import Person, World

EXAMPLE = resources.files("collegium.research.examples").joinpath("ct-lesion.yaml").read_text("utf-8")


@dataclass(frozen=True)
class Study:
    """A reader study in a world: its administrator, its reader, and short words for what they do."""

    world: World
    reader: Person

    def publish(self, text: str = EXAMPLE) -> None:
        with acting_as(self.world.administrator.principal, [self.world.space_id]):
            publish_project(actor=self.world.actor(), text=text)

    def exam(self, subject: str = "S-001", study_date: str = "20240105") -> UUID:
        """An exam that was stored but not yet placed."""
        with acting_as(self.world.administrator.principal, [self.world.space_id]):
            return stored_exam(self.world, subject, study_date)

    def place(self, exam_id: UUID, subject: str = "S-001", *, supplement: bool = False) -> str:
        """Place an exam; returns why not, or nothing."""
        with acting_as(self.world.administrator.principal, [self.world.space_id]):
            placed = pipeline_services.place_exam(
                actor=self.world.actor(), exam_id=exam_id, subject_code=subject, supplement=supplement
            )
            return placed.unplaced

    def arrive(self, subject: str = "S-001", study_date: str = "20240105") -> UUID:
        exam_id = self.exam(subject, study_date)
        assert not self.place(exam_id, subject)
        return exam_id

    def tasks(self, person: Person | None = None) -> list[Task]:
        """All of a person's tasks, those that wait too, in the order of their labels."""
        assignee = (person or self.reader).principal.text
        with acting_as(self.world.administrator.principal, [self.world.space_id]):
            return list(pipeline.tasks(self.world.actor()).filter(assignee=assignee).order_by("label", "id"))

    def task(self) -> Task:
        (task,) = self.tasks()
        return task

    def open(self, task: Task) -> reads.Opened:
        with acting_as(self.reader.principal, [self.world.space_id]):
            return reads.open_task(actor=self.world.actor(self.reader), task_id=task.id)

    def save(
        self, task: Task, base: int, changes: dict[str, dict[str, str] | None], op: UUID | None = None
    ) -> Saved:
        with acting_as(self.reader.principal, [self.world.space_id]):
            return reads.save_answers(
                actor=self.world.actor(self.reader),
                task_id=task.id,
                op_id=op or ids.uuid7(),
                base_revision=base,
                changes=changes,
            )

    def submit(self, task: Task, revision: int) -> ReadVersion:
        with acting_as(self.reader.principal, [self.world.space_id]):
            return reads.submit_read(
                actor=self.world.actor(self.reader), task_id=task.id, expected_revision=revision
            )

    def sign(self, task: Task, digest: str, password: str) -> ReadVersion:
        with acting_as(self.reader.principal, [self.world.space_id]):
            return reads.sign_read(
                actor=self.world.actor(self.reader),
                task_id=task.id,
                password=password,
                expected_digest=digest,
            )

    def correct(self, task: Task, reason: str) -> ReadVersion:
        with acting_as(self.reader.principal, [self.world.space_id]):
            version = reads.correct_read(actor=self.world.actor(self.reader), task_id=task.id, reason=reason)
        self.open(task)  # as the page does: the new version is opened with images of its own
        return version

    def draw(self, task: Task, value: str = "12.5000", short: str = "") -> UUID:
        """A length, or two diameters, drawn by the reader on the first image of the task."""
        mark_id = ids.uuid7()
        with acting_as(self.reader.principal, [self.world.space_id]):
            Mark.objects.create(
                id=mark_id,
                space_id=self.world.space_id,
                owner=owner_of(task),
                grant_id=ids.uuid7(),
                kind="bidirectional" if short else "length",
                principal=self.reader.principal.text,
                revision=0,
            )
        self.redraw(task, mark_id, value, short)
        return mark_id

    def redraw(
        self, task: Task, mark_id: UUID, value: str, short: str = "", *, is_struck: bool = False
    ) -> None:
        """Another revision of a drawn mark, as the marks API would save it."""
        with acting_as(self.reader.principal, [self.world.space_id]):
            mark = Mark.objects.get(id=mark_id)
            assert task.unit.exam_id
            instance = Instance.objects.filter(
                space_id=self.world.space_id, exam_id=task.unit.exam_id
            ).first()
            assert instance
            mark.revision += 1
            mark.save(update_fields=["revision"])
            MarkRevision.objects.create(
                space_id=self.world.space_id,
                mark=mark,
                revision=mark.revision,
                op_id=ids.uuid7(),
                is_struck=is_struck,
                instance=instance,
                study_uid="2.25.1",
                series_uid="2.25.2",
                instance_uid=instance.sop_instance_uid,
                points=[Decimal(n) for n in ("0", "0", "0", value, "0", "0")],
                image_points=[Decimal(n) for n in ("0", "0", value, "0")],
                value=Decimal(value),
                short_value=Decimal(short) if short else None,
                unit="mm",
                principal=self.reader.principal.text,
            )

    def drafted(self, diameter: str = "12.5000") -> tuple[Task, int]:
        """A task whose form is complete: a lesion, quality 4, a drawn diameter. Returns its revision too."""
        self.arrive()
        task = self.task()
        self.open(task)
        mark = self.draw(task, diameter)
        saved = self.save(
            task,
            0,
            {"lesion": {"text": "yes"}, "quality": {"text": "4"}, "diameter": {"mark_id": str(mark)}},
        )
        return task, saved.revision


def stored_exam(world: World, subject: str, study_date: str) -> UUID:
    """Rows of an exam with one series of one image, as ingest leaves them."""
    tag = int(ids.uuid7().hex[-12:], 16)
    exam = Exam.objects.create(
        space_id=world.space_id,
        study_uid=f"2.25.{tag}1",
        subject_code=subject,
        study_date=study_date,
        modalities="CT",
        series_count=1,
        instance_count=1,
        qido_json="{}",
    )
    series = Series.objects.create(
        space_id=world.space_id,
        exam=exam,
        series_uid=f"2.25.{tag}2",
        modality="CT",
        instance_count=1,
        revision=1,
        qido_json="{}",
    )
    blob = Blob.objects.create(
        space_id=world.space_id, organisation_id=world.organisation_id, sha256="0" * 64, size_bytes=1
    )
    Instance.objects.create(
        space_id=world.space_id,
        exam=exam,
        series=series,
        since_revision=1,
        sop_instance_uid=f"2.25.{tag}3",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        rows=64,
        columns=64,
        blob=blob,
        frame_table=b"",
    )
    return exam.id


def new_study(world: World) -> Study:
    """The example project, published, with one reader."""
    made = Study(world, world.join("Reader"))
    made.publish()
    return made
