"""When reads are settled and by whom, what a project file may ask for, and when a signature waits for queries."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.urls import reverse

from collegium.kit import ids
from collegium.kit.database import acting_as
from collegium.kit.yaml import YamlError
from collegium.research.data_queries.services import answer_query, open_task_query
from collegium.research.pipeline import services as pipeline
from collegium.research.projects.project_file import parse_project, write_project
from collegium.research.reads import services as reads
from collegium.research.reads.queries import newest_version
from collegium.research.results import services as results
from collegium.research.results.csv_file import Shape
from collegium_testkit.committee import TEXT, Committee, being_read, gathered
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from collegium.research.pipeline.models import Task
    from collegium_testkit.beginnings import Beginnings
    from collegium_testkit.world import World


def differing() -> tuple[Committee, Task, Task]:
    """Of two reads that differ the first, and the adjudication they made."""
    committee, (first, second) = being_read()
    committee.do(first, response="PR")
    committee.do(second, response="PD")
    return committee, first, committee.tasks("adjudicator1")[0]


def correct(committee: Committee, task: Task, response: str) -> None:
    committee.correct(task)
    committee.do(task, response=response)


@pytest.mark.requirement("R70")
def test_a_cancelled_adjudication_stays_cancelled_for_the_same_reads(beginnings: Beginnings) -> None:
    committee, _, adjudication = beginnings.begin(differing)

    committee.cancel(adjudication)
    committee.until_reading(study_date="20240301")

    assert committee.states("adjudication") == ["cancelled"]


@pytest.mark.requirement("R70")
def test_another_pair_of_reads_asks_for_adjudication_anew(beginnings: Beginnings) -> None:
    committee, first, adjudication = beginnings.begin(differing)
    committee.cancel(adjudication)

    correct(committee, first, "CR")

    assert committee.states("adjudication") == ["cancelled", "open"]


def test_a_manager_runs_a_cancelled_adjudication_again(beginnings: Beginnings) -> None:
    committee, _, adjudication = beginnings.begin(differing)
    committee.cancel(adjudication)

    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        fresh = pipeline.rerun_step(
            actor=committee.world.actor(), task_id=adjudication.id, reason="It has to be settled after all."
        )

    assert (fresh.run, fresh.state, fresh.assignee) == (2, "open", adjudication.assignee)
    assert committee.states("adjudication") == ["cancelled", "open"]


def test_an_adjudication_that_is_run_again_while_open_makes_one_that_is_open(beginnings: Beginnings) -> None:
    committee, _, adjudication = beginnings.begin(differing)

    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        pipeline.rerun_step(actor=committee.world.actor(), task_id=adjudication.id, reason="Another person.")

    assert committee.states("adjudication") == ["cancelled", "open"]


def test_the_page_of_a_cancelled_adjudication_offers_to_run_it_again(beginnings: Beginnings) -> None:
    committee, _, adjudication = beginnings.begin(differing)
    browser = Client()
    assert browser.login(email=committee.world.administrator.email, password=PASSWORD)
    address = reverse("project-task", args=[committee.world.space_id, adjudication.id])
    before = browser.get(address).content.decode()

    committee.cancel(adjudication)

    assert 'data-dialog="rerun"' not in before
    assert 'data-dialog="rerun"' in browser.get(address).content.decode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("readers: 2", "readers: 3"), "“reading” is read by 3: give it readers: 2."),
        (("{how: random, readers: 2, seed: 11}", "every"), "“reading” is read by everybody"),
        (("mode: choose", "mode: consensus"), "mode: consensus is not built. One adjudicator settles"),
        (("mode: choose", "mode: majority"), "mode: majority is not built."),
    ],
)
def test_a_way_to_settle_reads_that_is_not_built_is_refused_in_words(
    change: tuple[str, str], words: str
) -> None:
    with pytest.raises(YamlError) as refused:
        parse_project(TEXT.replace(*change))

    assert words in str(refused.value)


def test_three_readers_without_an_adjudication_are_a_project(world: World) -> None:
    alone = TEXT[: TEXT.index("  - step: adjudication")].replace("readers: 2", "readers: 3")
    committee = gathered(world, alone, readers=3)

    tasks = committee.until_reading()

    assert len({task.assignee for task in tasks}) == 3


@pytest.mark.requirement("R56")
def test_a_signature_that_waits_for_queries_says_how_many(beginnings: Beginnings) -> None:
    committee, (task, _) = beginnings.begin(
        being_read, TEXT.replace("timepoints: locked", "queries_closed: true")
    )
    reader = committee.people[committee.who(task)]
    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        asked = [
            open_task_query(actor=committee.world.actor(), task_id=task.id, text=text)
            for text in ("Which lesion is meant?", "Which series is meant?")
        ]
    with acting_as(reader.principal, [committee.world.space_id]):
        actor = committee.world.actor(reader)
        opened = reads.open_task(actor=actor, task_id=task.id)
        saved = reads.save_answers(
            actor=actor, task_id=task.id, op_id=ids.uuid7(), base_revision=opened.version.entry.revision,
            changes={"response": {"text": "PR"}},
        )  # fmt: skip
        reads.submit_read(actor=actor, task_id=task.id, expected_revision=saved.revision)
        version = newest_version(actor, task)
        assert version
    browser = Client()
    assert browser.login(email=reader.email, password=PASSWORD)
    body = json.dumps({"password": PASSWORD, "digest": version.digest})

    two = browser.post(reverse("task-sign", args=[task.id]), body, content_type="application/json")
    with acting_as(reader.principal, [committee.world.space_id]):
        answer_query(
            actor=committee.world.actor(reader), query_id=asked[0].id, text="The one in segment VIII."
        )
    one = browser.post(reverse("task-sign", args=[task.id]), body, content_type="application/json")
    with acting_as(reader.principal, [committee.world.space_id]):
        answer_query(actor=committee.world.actor(reader), query_id=asked[1].id, text="The portal venous one.")
    none = browser.post(reverse("task-sign", args=[task.id]), body, content_type="application/json")

    assert (two.status_code, one.status_code, none.status_code) == (409, 409, 200)
    assert two.json()["message"] == "2 open queries must be answered or closed first. Then sign."
    assert one.json()["message"] == "1 open query must be answered or closed first. Then sign."


GROUPED = TEXT.replace(
    "      - {name: sum, type: number",
    """      - group: targets
        label: {en: Targets}
        row: {en: target}
        prefix: T
        max: 5
        items:
          - {name: place, type: text, label: {en: Where}}
      - {name: sum, type: number""",
)
FIRST, MEAN = (
    TEXT.replace("    mode: choose\n", f"    mode: choose\n    final: {{differing: {rule}}}\n")
    for rule in ("first", "mean")
)


def read_twice(beginnings: Beginnings, text: str, first: dict[str, str], second: dict[str, str]) -> Committee:
    committee, tasks = beginnings.begin(being_read, text)
    in_order = sorted(tasks, key=lambda task: task.slot)
    for task, answers in zip(in_order, (first, second), strict=True):
        committee.do(task, **answers)
    return committee


def final(committee: Committee, shape: Shape = Shape.WIDE) -> list[dict[str, str]]:
    world = committee.world
    with acting_as(world.administrator.principal, [world.space_id]):
        file = results.export_csv(actor=world.actor(), step="final.adjudication", shape=shape)
    return list(csv.DictReader(io.StringIO(file.body.decode())))


@pytest.mark.requirement("R72")
@pytest.mark.parametrize(
    ("text", "value"), [(TEXT, ""), (FIRST, "100"), (MEAN, "80.5")], ids=["blank", "first", "mean"]
)
def test_where_agreeing_reads_differ_the_project_says_what_counts(
    beginnings: Beginnings, text: str, value: str
) -> None:
    committee = read_twice(
        beginnings, text, {"response": "SD", "sum": "100"}, {"response": "SD", "sum": "61"}
    )

    (row,) = final(committee)

    assert (row["response"], row["response_reads"]) == ("SD", "agree")
    assert (row["sum"], row["sum_reads"]) == (value, "differ")
    assert row["final_by"] == "agreed"


@pytest.mark.requirement("R72")
def test_what_reads_say_alike_counts_however_it_is_written(beginnings: Beginnings) -> None:
    committee = read_twice(
        beginnings, TEXT, {"response": "SD", "sum": "100"}, {"response": "SD", "sum": "100.0"}
    )

    (row,) = final(committee)

    assert (row["sum"], row["sum_reads"]) == ("100", "agree")


@pytest.mark.requirement("R72")
def test_a_value_that_one_reader_alone_gives_is_no_agreement(beginnings: Beginnings) -> None:
    committee = read_twice(beginnings, MEAN, {"response": "SD", "sum": "100"}, {"response": "SD"})

    (row,) = final(committee)

    assert (row["sum"], row["sum_reads"]) == ("", "differ")


@pytest.mark.requirement("R72")
def test_an_adjudicated_row_has_the_chosen_values_and_says_what_differed(beginnings: Beginnings) -> None:
    committee = read_twice(beginnings, TEXT, {"response": "PR", "sum": "60"}, {"response": "PD", "sum": "60"})
    (task,) = committee.tasks("adjudicator1")
    committee.do(task, chosen="a")

    (row,) = final(committee)

    assert row["response"] in {"PR", "PD"}
    assert (row["response_reads"], row["sum_reads"]) == ("differ", "agree")


@pytest.mark.requirement("R72")
def test_the_long_file_says_of_each_item_whether_the_reads_agree(beginnings: Beginnings) -> None:
    committee = read_twice(
        beginnings, TEXT, {"response": "SD", "sum": "100"}, {"response": "SD", "sum": "61"}
    )

    found = {line["item"]: (line["value"], line["reads"]) for line in final(committee, Shape.LONG)}

    assert found == {"response": ("SD", "agree"), "sum": ("", "differ")}


@pytest.mark.requirement("R72", "R60")
@pytest.mark.parametrize("shape", list(Shape))
def test_a_finding_that_one_reader_alone_has_stands_blank_and_marked(
    beginnings: Beginnings, shape: Shape
) -> None:
    committee, tasks = beginnings.begin(being_read, GROUPED)
    for task, places in zip(tasks, (("liver",), ("liver", "lung")), strict=True):
        _read_with_targets(committee, task, places)

    found = final(committee, shape)

    told = (
        {(line["row"], line["value"], line["reads"]) for line in found if line["group"]}
        if shape is Shape.LONG
        else {
            (row, found[0][f"targets_{row}_place"], found[0][f"targets_{row}_place_reads"])
            for row in ("T1", "T2")
        }
    )
    assert told == {("T1", "liver", "agree"), ("T2", "", "differ")}


def _read_with_targets(committee: Committee, task: Task, places: tuple[str, ...]) -> None:
    changes: dict[str, dict[str, str]] = {"response": {"text": "SD"}}
    for place in places:
        row = f"targets.{ids.uuid7().hex[-8:]}"
        changes |= {row: {"row": "present"}, f"{row}.place": {"text": place}}
    person = committee.people[committee.who(task)]
    with acting_as(person.principal, [committee.world.space_id]):
        actor = committee.world.actor(person)
        opened = reads.open_task(actor=actor, task_id=task.id)
        saved = reads.save_answers(
            actor=actor, task_id=task.id, op_id=ids.uuid7(), base_revision=opened.version.entry.revision,
            changes=changes,
        )  # fmt: skip
        reads.submit_read(actor=actor, task_id=task.id, expected_revision=saved.revision)
    committee.sign(task)


def test_the_page_says_where_reads_differ(beginnings: Beginnings) -> None:
    committee = read_twice(
        beginnings, FIRST, {"response": "SD", "sum": "100"}, {"response": "SD", "sum": "61"}
    )
    browser = Client()
    assert browser.login(email=committee.world.administrator.email, password=PASSWORD)

    page = browser.get(f"/projects/{committee.world.space_id}/results/?step=final.adjudication")

    assert "100 (reads differ)" in page.content.decode()


def test_the_rule_for_what_differs_is_kept_in_the_project_file() -> None:
    text = write_project(parse_project(MEAN))

    assert parse_project(text) == parse_project(MEAN)
    assert "differing: mean" in text
    assert "differing" not in write_project(parse_project(TEXT))


def test_an_unknown_rule_for_what_differs_is_refused() -> None:
    with pytest.raises(YamlError, match="first"):
        parse_project(FIRST.replace("differing: first", "differing: loudest"))
