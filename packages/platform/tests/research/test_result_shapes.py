"""Results of forms with groups: wide and long, complete, in one order, with what was struck out counted."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import TYPE_CHECKING

import pytest

from collegium.kit.database import acting_as
from collegium.research.projects.resting import InUse
from collegium.research.projects.services import publish_version
from collegium.research.results import services as results
from collegium.research.results.csv_file import Shape
from collegium.trust.audit.models import AuditEntry
from collegium_testkit.committee import TEXT, Committee
from collegium_testkit.study import Study
from collegium_testkit.trial_form import trial_project
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from collegium.research.pipeline.models import Task
    from collegium.research.results.queries import ResultTable
    from collegium_testkit.world import World

ONE, TWO, THREE = "targets.0000000b", "targets.0000000a", "targets.0000000c"
LONG_HEAD = (
    "subject,site,visit,step,reader,version,signed_at_utc,group,row,item,value,value_label,unit,short_value,mark,"
    "absent"
)


@pytest.fixture
def study(world: World) -> Study:
    made = Study(world, world.join("Reader"))
    made.publish(trial_project())
    return made


def read(study: Study, place: str = "Segment VIII", *, subject: str = "S-001") -> str:
    """A signed read: T1 with two diameters, T2 struck out, T3 not evaluable. Returns its mark."""
    exam = study.arrive(subject)
    task = next(one for one in study.tasks() if one.unit.exam_id == exam)
    study.open(task)
    mark = str(study.draw(task, "31.4159", "20.0001"))
    rows = [ONE, TWO, THREE]
    revision = 0
    for row in rows:
        revision = study.save(task, revision, {row: {"row": "present"}}).revision
    changes: dict[str, dict[str, str] | None] = {
        f"{ONE}.organ": {"text": "liver"},
        f"{ONE}.place": {"text": place},
        f"{ONE}.size": {"mark_id": mark},
        f"{ONE}.counted": {"text": "31,4"},
        f"{TWO}.organ": {"text": "bone"},
        f"{THREE}.organ": {"text": "lung"},
        f"{THREE}.diameter": {"absent": "not_evaluable"},
        f"{THREE}.counted": {"text": "5"},
        "quality": {"text": "4"},
        "findings": {"text": "fracture ascites"},
        "diagnosed": {"text": "2023-11"},
    }
    revision = study.save(task, revision, changes).revision
    revision = study.save(task, revision, {TWO: {"row": "struck"}}).revision
    sign(study, task, revision)
    return mark


def sign(study: Study, task: Task, revision: int) -> None:
    study.sign(task, study.submit(task, revision).digest, PASSWORD)


def export(study: Study, shape: Shape) -> results.Export:
    with acting_as(study.world.administrator.principal, [study.world.space_id]):
        return results.export_csv(actor=study.world.actor(), step="reading", shape=shape)


def lines(file: results.Export) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.body.decode(), newline="")))


def said(file: results.Export) -> dict[tuple[str, str], dict[str, str]]:
    """The lines of a long file by row and item."""
    return {(line["row"], line["item"]): line for line in lines(file)}


# ---- wide


@pytest.mark.requirement("R50", "R80")
def test_a_group_has_a_set_of_columns_for_each_number_and_none_for_struck_rows(study: Study) -> None:
    mark = read(study)

    (row,) = lines(export(study, Shape.WIDE))

    assert (row["targets_T1_organ"], row["targets_T1_organ_label"]) == ("liver", "Liver")
    assert (row["targets_T1_size"], row["targets_T1_size_short"]) == ("31.4159", "20.0001")
    assert (row["targets_T1_size_unit"], row["targets_T1_size_mark"]) == ("mm", f"{mark}:1")
    assert (row["targets_T1_counted"], row["targets_T1_half"]) == ("31.4", "15.70")
    assert (row["targets_T3_organ"], row["targets_T3_diameter_absent"]) == ("lung", "not_evaluable")
    assert [name for name in row if name.startswith("targets_T2")] == []
    assert row["struck_rows"] == "1"


@pytest.mark.requirement("R50", "R52", "R80")
def test_chosen_scored_and_computed_codes_stand_with_their_labels(study: Study) -> None:
    read(study)

    (row,) = lines(export(study, Shape.WIDE))

    assert (row["findings"], row["findings_label"]) == ("ascites fracture", "Ascites; Fracture")
    assert (row["quality"], row["quality_label"]) == ("4", "")
    assert (row["sum"], row["sum_unit"], row["diagnosed"]) == ("36.4", "mm", "2023-11")
    assert (row["response"], row["response_label"], row["response_absent"]) == ("", "", "")


def test_a_form_without_groups_has_no_column_for_struck_rows(world: World) -> None:
    from collegium_testkit.study import new_study

    study = new_study(world)
    task, revision = study.drafted()
    sign(study, task, revision)

    (row,) = lines(export(study, Shape.WIDE))

    assert "struck_rows" not in row


def test_what_only_an_older_form_asked_keeps_its_columns_after_those_of_the_newest(study: Study) -> None:
    read(study)
    older = "- name: place\n            type: text\n            label: {en: Place, sv: Plats}"
    newer = older.replace("place", "spot").replace("Place", "Spot")
    text = trial_project().replace(older, newer).replace("[organ, place]", "[organ, spot]")
    with acting_as(study.world.administrator.principal, [study.world.space_id]):
        # As a version that was published before what is in use had to stay.
        publish_version(actor=study.world.actor(), text=text.replace("Liver", "The liver"), in_use=InUse())

    (row,) = lines(export(study, Shape.WIDE))

    own = [name for name in row if name in ("targets_T1_spot", "targets_T1_half", "targets_T1_place", "sum")]
    assert own == ["targets_T1_spot", "targets_T1_half", "targets_T1_place", "sum"]
    assert (row["targets_T1_place"], row["targets_T1_spot"]) == ("Segment VIII", "")
    assert row["targets_T1_organ_label"] == "Liver"


def test_no_two_columns_of_a_file_have_the_same_name(study: Study) -> None:
    study.publish(trial_project().replace("name: scanner\n", "name: findings_label\n"))
    read(study)

    head = export(study, Shape.WIDE).body.decode().splitlines()[0].split(",")

    assert len(set(head)) == len(head)


# ---- long


@pytest.mark.requirement("R80")
def test_the_long_file_has_a_line_for_each_item_of_each_read(study: Study) -> None:
    mark = read(study)

    file = export(study, Shape.LONG)

    found = said(file)
    assert file.body.decode().startswith(LONG_HEAD)
    size, lung = found["T1", "size"], found["T3", "diameter"]
    assert (size["group"], size["value"], size["short_value"], size["unit"]) == (
        "targets", "31.4159", "20.0001", "mm",
    )  # fmt: skip
    assert (size["mark"], size["subject"], size["step"], size["version"]) == (
        f"{mark}:1",
        "S-001",
        "reading",
        "1",
    )
    assert (size["signature"], size["struck_rows"]) == ("valid", "1")
    assert (lung["value"], lung["absent"]) == ("", "not_evaluable")
    assert found["", "findings"]["value_label"] == "Ascites; Fracture"
    assert {row for row, _ in found} == {"", "T1", "T3"}


@pytest.mark.requirement("R80")
def test_every_value_of_the_wide_file_is_in_the_long_file(study: Study) -> None:
    read(study)

    (wide,), tall = lines(export(study, Shape.WIDE)), lines(export(study, Shape.LONG))

    named = {"_".join(filter(None, (one["group"], one["row"], one["item"]))): one["value"] for one in tall}
    assert {name: wide[name] for name in named} == named
    assert len(named) == len(tall)


@pytest.mark.requirement("R80")
@pytest.mark.parametrize("shape", list(Shape))
def test_the_same_results_give_the_same_bytes(study: Study, shape: Shape) -> None:
    read(study)
    read(study, subject="S-002")

    assert export(study, shape).body == export(study, shape).body
    assert [line["subject"] for line in lines(export(study, shape))] == sorted(
        line["subject"] for line in lines(export(study, shape))
    )


@pytest.mark.requirement("R80")
@pytest.mark.parametrize("shape", list(Shape))
@pytest.mark.parametrize("place", ['=HYPERLINK("http://evil.example")', "@SUM(1)", "+1", "-1"])
def test_what_a_reader_typed_is_never_a_formula(study: Study, shape: Shape, place: str) -> None:
    read(study, place)

    cells = [cell for line in lines(export(study, shape)) for cell in line.values()]

    assert f"'{place}" in cells
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []


@pytest.mark.requirement("S01", "R80")
def test_the_digest_and_the_shape_of_the_file_stand_in_the_audit(study: Study) -> None:
    read(study)

    file = export(study, Shape.LONG)

    with acting_as(study.world.administrator.principal, [study.world.space_id]):
        entry = AuditEntry.objects.get(space_id=study.world.space_id, action="research.results.exported")
    noted = json.loads(entry.body)["new"]
    assert (noted["sha256"], noted["shape"]) == (hashlib.sha256(file.body).hexdigest(), "long")
    assert "-long-" in file.name


@pytest.mark.requirement("R72", "R80")
@pytest.mark.parametrize("shape", list(Shape))
def test_final_values_name_their_reads_in_both_shapes(world: World, shape: Shape) -> None:
    committee = Committee(world)
    committee.gather(TEXT)
    for task in committee.until_reading():
        committee.do(task, response="PR", sum="12.5")

    with acting_as(world.administrator.principal, [world.space_id]):
        file = results.export_csv(actor=world.actor(), step="final.adjudication", shape=shape)

    assert {line["final_by"] for line in lines(file)} == {"agreed"}
    assert {len(line["from_reads"].split()) for line in lines(file)} == {2}
    assert {line["step"] for line in lines(file)} == {"final.adjudication"}


# ---- the page


def page(study: Study, address: str = "", **sent: str) -> tuple[int, str]:
    """The results page, or what it answers to a form that is sent."""
    from django.test import Client

    client = Client()
    assert client.login(email=study.world.administrator.email, password=PASSWORD)
    where = f"/projects/{study.world.space_id}/results/{address}"
    answer = client.post(where.removesuffix("/"), sent) if sent else client.get(where)
    return answer.status_code, answer.content.decode()


@pytest.mark.requirement("R50", "R80")
def test_the_page_shows_rows_both_axes_and_codes_with_labels(study: Study) -> None:
    read(study)

    status, text = page(study)

    assert status == 200
    assert "T1 Diameters (mm)" in text
    assert "31.42 \u00d7 20.00" in text
    assert "Ascites, Fracture" in text
    assert "Struck rows" in text
    assert "T2 Organ" not in text


@pytest.mark.requirement("R80")
@pytest.mark.parametrize(("shape", "status"), [("wide", 200), ("long", 200), ("tall", 404)])
def test_the_file_is_asked_for_by_its_shape(study: Study, shape: str, status: int) -> None:
    read(study)

    found, text = page(study, "csv", step="reading", shape=shape)

    assert found == status
    assert text.startswith(LONG_HEAD) is (shape == "long")


@pytest.mark.requirement("R80")
def test_a_table_with_groups_asks_the_database_as_often_for_many_reads_as_for_one(study: Study) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count() -> int:
        with (
            acting_as(study.world.administrator.principal, [study.world.space_id]),
            CaptureQueriesContext(connection) as captured,
        ):
            table: ResultTable = results.view_results(actor=study.world.actor(), step="reading")
            assert table.columns
        return len(captured)

    read(study)
    one = count()
    read(study, subject="S-002")
    read(study, subject="S-003")

    assert count() == one
