"""The results table and its CSV: complete, checked again, and taken out only by those who may."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from typing import TYPE_CHECKING

import psycopg
import pytest

from collegium.kit.database import acting_as
from collegium.kit.errors import NotFound, Refused
from collegium.research.results import services as results
from collegium.trust.audit.models import AuditEntry
from collegium.trust.signatures.queries import Validity
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from collegium.research.pipeline.models import Task
    from collegium.research.results.queries import ResultTable
    from collegium_testkit.study import Study
    from collegium_testkit.world import World


def signed(study: Study, diameter: str = "12.5000") -> Task:
    task, revision = study.drafted(diameter)
    study.sign(task, study.submit(task, revision).digest, PASSWORD)
    return task


def table(study: Study) -> ResultTable:
    with acting_as(study.world.administrator.principal, [study.world.space_id]):
        return results.view_results(actor=study.world.actor(), step="reading")


def export(study: Study) -> results.Export:
    with acting_as(study.world.administrator.principal, [study.world.space_id]):
        return results.export_csv(actor=study.world.actor(), step="reading")


def tamper(statement: str, *values: object) -> None:
    """What an owner of the database could do: change a row past all rules of the product."""
    with psycopg.connect(os.environ["COLLEGIUM_OWNER_DATABASE_URL"], autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        assert connection.execute(statement, values).rowcount == 1


@pytest.mark.requirement("R80")
def test_the_csv_holds_the_drawn_length_and_labels_beside_codes(study: Study) -> None:
    signed(study, "31.4159")

    file = export(study)

    (row,) = csv.DictReader(io.StringIO(file.body.decode("utf-8"), newline=""))
    assert row["subject"] == "S-001"
    assert (row["lesion"], row["lesion_label"]) == ("yes", "Yes")
    assert (row["diameter"], row["diameter_unit"], row["diameter_absent"]) == ("31.4159", "mm", "")
    assert (row["signature"], row["version"], row["reader"]) == ("valid", "1", study.reader.full_name)
    assert file.body.count(b"\r\n") == 2


@pytest.mark.requirement("R80", "S01")
def test_the_digest_of_the_file_and_the_moment_stand_in_the_audit(study: Study) -> None:
    signed(study)

    file = export(study)

    with acting_as(study.world.administrator.principal, [study.world.space_id]):
        entry = AuditEntry.objects.get(space_id=study.world.space_id, action="research.results.exported")
    noted = json.loads(entry.body)["new"]
    assert noted["sha256"] == file.sha256 == hashlib.sha256(file.body).hexdigest()
    assert (noted["rows"], noted["bytes"], "taken_at" in noted) == (1, len(file.body), True)


@pytest.mark.requirement("R55", "R80")
def test_a_reason_for_no_value_is_a_code_of_its_own_and_never_blank(study: Study) -> None:
    task, revision = study.drafted()
    saved = study.save(task, revision, {"diameter": {"absent": "not_evaluable"}})
    study.sign(task, study.submit(task, saved.revision).digest, PASSWORD)

    (row,) = csv.DictReader(io.StringIO(export(study).body.decode()))

    assert (row["diameter"], row["diameter_absent"]) == ("", "not_evaluable")


def test_what_is_not_signed_is_not_in_the_results(study: Study) -> None:
    task, revision = study.drafted()
    study.submit(task, revision)

    assert table(study).rows == []


@pytest.mark.requirement("R57", "R80")
def test_a_corrected_read_stands_with_its_newest_signed_version(study: Study) -> None:
    task = signed(study)
    study.correct(task, "Wrong quality score.")
    during = table(study).rows[0]
    study.save(task, 1, {"quality": {"text": "2"}})
    study.sign(task, study.submit(task, 2).digest, PASSWORD)

    after = table(study).rows

    assert (during.version, during.in_correction) == (1, True)
    assert [(row.version, row.in_correction, row.answers["quality"].value) for row in after] == [
        (2, False, "2")
    ]


@pytest.mark.requirement("S03", "S02")
@pytest.mark.parametrize(
    ("statement", "validity"),
    [
        (
            "update research_reads_readversion set record = replace(record, '12.5', '13.5')",
            Validity.RECORD_CHANGED,
        ),
        ("update research_reads_readversion set digest = repeat('0', 64)", Validity.RECORD_CHANGED),
        (
            "update forms_entry set answers = jsonb_set(answers, '{quality,value}', '\"5\"')",
            Validity.RECORD_CHANGED,
        ),
        ("update imaging_marks_markrevision set value = 13.5", Validity.RECORD_CHANGED),
        ("update trust_signatures_signature set full_name = 'Somebody Else'", Validity.SIGNATURE_CHANGED),
        ("update trust_signatures_signature set meaning = 'I have not looked.'", Validity.SIGNATURE_CHANGED),
        ("update research_projects_subject set code = 'S-002'", Validity.RECORD_CHANGED),
        ("update forms_formversion set definition = replace(definition, '\"max\"', '\"mix\"')||' '", None),
    ],
)
def test_an_altered_read_shows_its_signature_as_invalid(
    study: Study, statement: str, validity: Validity | None
) -> None:
    signed(study)
    before = table(study).rows[0].validity

    tamper(f"{statement} where space_id = %s", study.world.space_id)

    assert before is Validity.VALID
    assert table(study).rows[0].validity is (validity or Validity.RECORD_CHANGED)
    assert table(study).invalid_count == 1


@pytest.mark.requirement("S03")
def test_a_signature_moved_to_another_read_is_invalid_there(study: Study) -> None:
    first = signed(study)
    other = study.arrive("S-002")
    task = next(one for one in study.tasks() if one.unit.exam_id == other)
    study.open(task)
    study.save(task, 0, {"lesion": {"text": "no"}, "quality": {"text": "4"}})
    study.sign(task, study.submit(task, 1).digest, PASSWORD)

    tamper(
        "update research_reads_readversion set signature_id = (select v.signature_id from research_reads_readversion v"
        " join research_reads_read r on r.id = v.read_id where r.task_id = %s)"
        " where read_id = (select id from research_reads_read where task_id = %s)",
        first.id,
        task.id,
    )

    found = {row.subject: row.validity for row in table(study).rows}
    assert found == {"S-001": Validity.VALID, "S-002": Validity.RECORD_CHANGED}


@pytest.mark.requirement("R01", "R80")
@pytest.mark.parametrize("role", ["Reader", "Viewer", "Editor"])
def test_results_are_refused_to_roles_without_permission(study: Study, role: str) -> None:
    signed(study)
    person = study.world.join(role)

    for act in (results.view_results, results.export_csv):
        with acting_as(person.principal, [study.world.space_id]), pytest.raises(Refused):
            act(actor=study.world.actor(person), step="reading")


@pytest.mark.requirement("R02")
def test_results_of_another_project_are_not_found(study: Study, other_world: World) -> None:
    signed(study)

    with acting_as(other_world.administrator.principal), pytest.raises(NotFound):
        results.view_results(actor=other_world.actor(), step="reading")


def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe() -> None:
    from collegium.research.results.csv_file import _plain

    assert [_plain(text) for text in ("=1+1", "@x", "-2", "plain", "'=1")] == [
        "'=1+1",
        "'@x",
        "'-2",
        "plain",
        "'=1",
    ]


def test_the_table_asks_the_database_as_often_for_many_reads_as_for_one(study: Study) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count() -> int:
        with (
            acting_as(study.world.administrator.principal, [study.world.space_id]),
            CaptureQueriesContext(connection) as captured,
        ):
            results.view_results(actor=study.world.actor(), step="reading")
        return len(captured)

    signed(study)
    one = count()
    for number in range(3):
        exam = study.arrive(f"S-01{number}")
        task = next(each for each in study.tasks() if each.unit.exam_id == exam)
        study.open(task)
        mark = study.draw(task)
        study.save(
            task, 0, {"lesion": {"text": "yes"}, "quality": {"text": "4"}, "diameter": {"mark_id": str(mark)}}
        )
        study.sign(task, study.submit(task, 1).digest, PASSWORD)

    assert count() == one
