"""A project in which everything that must stay hidden is a word of its own, and the leak check over it.

python -m tests.security.canaried      (checks it as it is and with every fault of `mutants`; prints JSON)

A process of its own, because it changes the product while it runs.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from uuid import UUID

    from collegium.kit.principals import Actor
    from collegium.research.oversight.leaks.report import Report
    from collegium_testkit.study import Study
    from collegium_testkit.world import Person

SUBJECTS = tuple(f"CANARYSUBJECT-{n:02}" for n in range(1, 10))
SITE, SITE_CODE = "Canarysite Hospital", "CANARYSITE"
VISIT, VISIT_CODE = "Canaryvisit", "canaryvisit"
DAY = "19870605"
UNBLINDED, TOO_MUCH = "one task and the final results are unblinded", "an approval opens every task"


def main() -> None:
    """Build, check, check again with each fault."""
    folder = Path(tempfile.mkdtemp(prefix="collegium-canaries-"))
    folder.chmod(0o755)
    run = str(os.getpid())
    try:
        with_database(folder, run)
        from tests.security.mutants import MUTANTS

        project = build(folder)
        before = tables()
        found = {"": outcome(project, None)}
        found[""]["changed"] = sorted(name for name, digest in tables().items() if digest != before[name])
        for name, mutant in MUTANTS.items():
            with mutant(project):
                found[name] = outcome(project, name)
        unblind(project)
        found[UNBLINDED] = outcome(project, None)
        with an_approval_opens_every_task():
            found[TOO_MUCH] = outcome(project, TOO_MUCH)
        sys.stdout.write("\n" + json.dumps(found))
    finally:
        from collegium_testkit import database

        database.leave(run)
        shutil.rmtree(folder, ignore_errors=True)


def with_database(folder: Path, run: str) -> None:
    """Keys and a migrated database before Django reads its settings."""
    from collegium_testkit import database

    os.environ["DJANGO_SETTINGS_MODULE"] = "collegium.settings.django"
    os.environ["COLLEGIUM_DATA_DIR"] = str(folder / "data")
    os.environ["COLLEGIUM_POOL_SIZE"] = "8"
    urls = database.shared_server(run).clone()
    os.environ["COLLEGIUM_DATABASE_URL"], os.environ["COLLEGIUM_OWNER_DATABASE_URL"] = urls

    from collegium.kit import keyring

    keyring.create(folder / "data" / "keys")
    import django

    django.setup()
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def tables() -> dict[str, str]:
    """A digest of every table of the database, read as its owner, from whom nothing is hidden."""
    import psycopg
    from psycopg import sql

    query = "select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {} t"
    with psycopg.connect(os.environ["COLLEGIUM_OWNER_DATABASE_URL"]) as connection:
        names = [
            row[0]
            for row in connection.execute("select tablename from pg_tables where schemaname = 'public'")
        ]
        rows = {
            name: connection.execute(sql.SQL(query).format(sql.Identifier(name))).fetchone() for name in names
        }
    return {name: str(row[0]) for name, row in rows.items() if row}


class Project:
    """What was made, and the check of it."""

    def __init__(self, study: Study, second: Person) -> None:
        from django.urls import get_resolver

        from collegium import wiring
        from collegium.asgi import application
        from collegium.research.oversight.leaks.plan import routes_of

        self.study, self.second = study, second
        self.known, self.labels = known(study)
        self.space_id: UUID = study.world.space_id
        self.application = application
        self.routes = routes_of(get_resolver().url_patterns, wiring.byte_paths())

    def check(self, *, until_found: bool = False) -> Report:
        from collegium.research.oversight.leaks import services
        from collegium.research.oversight.leaks.crawl import Limits

        return services.check(
            principal=self.study.world.administrator.principal,
            space_id=self.space_id,
            application=self.application,
            routes=self.routes,
            host="127.0.0.1",
            limits=Limits(tasks=2, until_found=until_found),
        )


def outcome(project: Project, mutant: str | None) -> dict[str, Any]:  # Any: JSON
    """The report of a check, with the seconds it took."""
    began = time.perf_counter()
    report = project.check(until_found=mutant is not None)
    return {**json.loads(report.to_json(show=True)), "seconds": time.perf_counter() - began}


def build(folder: Path) -> Project:
    """A project with two blinded readers, a viewer, nine exams and a canary in every attribute."""
    from collegium_testkit.delivering import clean_exam, client, enrolled
    from collegium_testkit.study import Study
    from collegium_testkit.world import new_person, new_world

    world = new_world("Canaryorganisation")
    reader, second, viewer = (new_person(f"Canary{who}") for who in ("first", "second", "viewer"))
    for person, role in ((reader, "Reader"), (second, "Reader"), (viewer, "Viewer")):
        world.admit(person.principal, role)
    study = Study(world, reader)
    study.publish(project_file())
    sender = enrolled(client(), world)
    for at, subject in enumerate(SUBJECTS):
        exam = clean_exam(folder, slices=3, seed=at + 1, subject=subject)
        if subject == SUBJECTS[-1]:
            exam = replace(exam, objects=(*exam.objects, segmentation(exam.objects[0])))
        exam_id = _deliver(sender, exam)
        plant(study, exam_id)
        problem = study.place(exam_id, subject)
        assert not problem, problem
    _submit_one(study)
    return Project(study, second)


def _submit_one(study: Study) -> None:
    """One task of the first reader is submitted: its page shows its history."""
    task = study.tasks()[0]
    study.open(task)
    saved = study.save(task, 0, {"lesion": {"text": "no"}, "quality": {"text": "4"}})
    study.submit(task, saved.revision)


def unblind(project: Project) -> None:
    """A second person approves that one task of the first reader, and the final results, are unblinded."""
    from collegium.kit.database import acting_as
    from collegium.research.pipeline import sight
    from collegium.research.projects.models import Unblinding
    from collegium.research.projects.unblinding import services
    from collegium_testkit.world import PASSWORD

    world, task = project.study.world, project.study.tasks()[0]
    monitor, _sponsor = world.join("Monitor"), world.join("Sponsor viewer")
    with acting_as(monitor.principal, [world.space_id]):
        actor = world.actor(monitor)
        asked = [
            sight.ask_for_task(actor=actor, task_id=task.id, reason="Safety."),
            services.ask_unblinding(actor=actor, scope=Unblinding.Scope.RESULTS, reason="Locked."),
        ]
    with acting_as(world.administrator.principal, [world.space_id]):
        for one in asked:
            services.decide_unblinding(
                actor=world.actor(), request_id=one.id, approve=True, reason="Agreed.", password=PASSWORD
            )


def an_approval_opens_every_task() -> AbstractContextManager[object]:
    """A fault: what is approved for one task is taken for all."""
    from unittest.mock import patch

    from collegium.research.projects.unblinding.queries import unblinded_tasks

    def opened(actor: Actor, *_of: object) -> object:
        return next(iter(unblinded_tasks(actor).values()), None)

    return patch("collegium.research.pipeline.sight.unblinded_task", opened)


def known(study: Study) -> tuple[dict[str, str], dict[str, str]]:
    """Names of one image that a fault may let out; and the reader's labels by subject code."""
    from collegium.imaging.archive.models import Instance
    from collegium.kit.database import acting_as

    with acting_as(study.world.administrator.principal, [study.world.space_id]):
        one = Instance.objects.select_related("exam", "blob").order_by("id")[0]
        names = {
            "study_uid": one.exam.study_uid, "exam_id": str(one.exam_id), "sop_instance_uid": one.sop_instance_uid,
            "blob_id": str(one.blob_id), "sha256": one.blob.sha256,
        }  # fmt: skip
    return names, {task.unit.subject.code: task.label for task in study.tasks()}


def project_file() -> str:
    from collegium_testkit.study import EXAMPLE

    text = EXAMPLE.replace('"01", name: Example hospital', f"{SITE_CODE}, name: {SITE}")
    text = text.replace("code: baseline", f"code: {VISIT_CODE}").replace("en: Baseline", f"en: {VISIT}")
    return text.replace("sv: Utgångsbesök", f"sv: {VISIT}-sv")


def _deliver(sender: Any, exam: Any) -> UUID:  # Any: of `collegium_testkit.delivering`
    from uuid import UUID

    return UUID(sender.deliver(exam)["exam_id"])


def segmentation(image: Any) -> Any:  # Any: of `collegium_testkit.delivering`
    """A segmentation of one clean image, as a cleaned one would come."""
    from pydicom import Dataset
    from pydicom.sequence import Sequence

    from collegium_testkit.delivering import edited

    def change(dataset: Any) -> None:  # Any: a pydicom dataset
        source, place, segment, series = Dataset(), Dataset(), Dataset(), Dataset()
        source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = (
            dataset.SOPClassUID,
            dataset.SOPInstanceUID,
        )
        series.SeriesInstanceUID, series.ReferencedInstanceSequence = (
            dataset.SeriesInstanceUID,
            Sequence([source]),
        )
        dataset.ReferencedSeriesSequence = Sequence([series])
        place.ImagePositionPatient = dataset.ImagePositionPatient
        segment.SegmentNumber, segment.SegmentAlgorithmType, segment.SegmentLabel = 1, "MANUAL", "Lesion"
        dataset.SegmentSequence, dataset.SegmentationType = Sequence([segment]), "BINARY"
        dataset.SOPClassUID, dataset.Modality = "1.2.840.10008.5.1.4.1.1.66.4", "SEG"
        dataset.SOPInstanceUID = f"{dataset.SOPInstanceUID[:-4]}1234"
        dataset.SeriesInstanceUID = f"{dataset.SeriesInstanceUID[:-4]}1234"
        dataset.BitsAllocated = dataset.BitsStored = 1
        dataset.HighBit = dataset.PixelRepresentation = 0
        dataset.PixelData = bytes(dataset.Rows * dataset.Columns // 8)
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID

    return edited(image, change)


def plant(study: Study, exam_id: UUID) -> None:
    """A canary in every descriptive attribute of the stored metadata, whatever a recipe would have left."""
    from collegium.imaging.archive.attributes import DESCRIPTIVE, KEYWORDS, VRS, key_of
    from collegium.imaging.archive.document import SeriesDocument
    from collegium.imaging.archive.models import Exam, Series
    from collegium.imaging.archive.models import SeriesDocument as Row
    from collegium.kit.database import acting_as

    names = {name: KEYWORDS[name] for name in map(key_of, DESCRIPTIVE)}
    planted = {name: canary(keyword, min(VRS[name])) for name, keyword in names.items()}
    with acting_as(study.world.administrator.principal, [study.world.space_id]):
        for row in Row.objects.filter(exam_id=exam_id):  # as a revision of its own: rows are only ever added
            document = SeriesDocument.unpack(row.body)
            document.common |= {name: value for name, value in planted.items() if value}
            Row.objects.create(
                space_id=row.space_id, exam_id=exam_id, series_id=row.series_id, revision=row.revision + 1,
                body=document.pack(),
            )  # fmt: skip
            Series.objects.filter(id=row.series_id).update(revision=row.revision + 1)
        Exam.objects.filter(id=exam_id).update(description="Canary exam description 1", study_date=DAY)
        Series.objects.filter(exam_id=exam_id).update(description="Canary series description 1")


def canary(keyword: str, vr: str) -> dict[str, Any] | None:  # Any: DICOM JSON
    """A value that stands nowhere else."""
    match vr:
        case "SQ" | "OB" | "OW":
            return None
        case "PN":
            value: object = {"Alphabetic": f"Canary^{keyword}1"}
        case "DA":
            value = DAY
        case "DT":
            value = f"{DAY}081500"
        case "TM":
            value = "081500"
        case "DS" | "IS" | "US" | "FD" | "FL":
            value = 98765
        case "UI":
            value = "2.25.98765432109876543210"
        case _:
            value = f"Canary {keyword} 1"
    return {"vr": vr, "Value": [value]}


if __name__ == "__main__":
    main()
