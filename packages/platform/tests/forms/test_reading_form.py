"""The form of a trial in a read: through the same services as the page, and as the page shows it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from django.template.loader import render_to_string

from collegium.forms.answers import Answer, AnswerKind, MarkReference
from collegium.forms.errors import AnswerLocked, AnswerRefused
from collegium.forms.judge import judge
from collegium.forms.rows import row_answer
from collegium.kit.database import acting_as
from collegium.research.projects.project_file import parse_project
from collegium.research.reads import form_view
from collegium.research.reads.errors import MarkChanged
from collegium.research.reads.queries import version
from collegium.research.reads.record import record_of
from collegium_testkit.study import Study
from collegium_testkit.trial_form import trial_project
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from collegium.research.pipeline.models import Task
    from collegium_testkit.world import World

FORM = parse_project(trial_project()).forms["lesion"]
ROW = "targets.0000000a"


@pytest.fixture
def study(world: World) -> Study:
    made = Study(world, world.join("Reader"))
    made.publish(trial_project())
    return made


def opened(study: Study) -> Task:
    study.arrive()
    task = study.task()
    study.open(task)
    return task


def answered(study: Study, task: Task) -> tuple[str, int]:
    """A complete form with one target of two diameters; returns the mark and the revision."""
    mark = str(study.draw(task, "31.4159", "20.0001"))
    changes: dict[str, dict[str, str] | None] = {
        ROW: {"row": "present"},
        f"{ROW}.organ": {"text": "liver"},
        f"{ROW}.size": {"mark_id": mark},
        f"{ROW}.counted": {"text": "31,4"},
        "quality": {"text": "4"},
    }
    return mark, study.save(task, 0, changes).revision


# ---- through the read's services


@pytest.mark.requirement("R50", "R52", "R57")
def test_the_record_holds_rows_both_axes_and_what_was_computed(study: Study) -> None:
    task = opened(study)
    mark, revision = answered(study, task)
    revision = study.save(task, revision, {"targets.0000000b": {"row": "present"}}).revision
    revision = study.save(task, revision, {"targets.0000000b": {"row": "struck"}}).revision

    frozen = study.submit(task, revision)

    said = json.loads(frozen.record)["answers"]
    assert said[ROW] == {"kind": "value", "row": {"carried": False, "number": 1}, "value": "present"}
    assert said["targets.0000000b"]["value"] == "struck"
    assert (said[f"{ROW}.size"]["value"], said[f"{ROW}.size"]["short"]) == ("31.4159", "20.0001")
    assert said[f"{ROW}.size"]["mark"]["mark_id"] == mark
    assert (said["sum"]["value"], said[f"{ROW}.half"]["value"]) == ("31.4", "15.70")


@pytest.mark.requirement("R52", "R57")
def test_a_signed_computed_value_stands_and_a_correction_computes_anew(study: Study) -> None:
    task = opened(study)
    _, revision = answered(study, task)
    study.sign(task, study.submit(task, revision).digest, PASSWORD)

    study.correct(task, "The size was wrong.")
    saved = study.save(task, 1, {f"{ROW}.counted": {"text": "10"}})

    with acting_as(study.reader.principal, [study.world.space_id]):
        signed = version(study.world.actor(study.reader), task, 1)
        assert record_of(study.world.actor(study.reader), signed) == signed.record
    assert saved.state["sum"].answer == Answer(AnswerKind.VALUE, "10.0")


def test_a_moved_short_axis_stops_a_submission(study: Study) -> None:
    task = opened(study)
    mark, revision = answered(study, task)
    study.redraw(task, UUID(mark), "31.4159", "19.0")

    with pytest.raises(MarkChanged) as error:
        study.submit(task, revision)

    assert error.value.items == [f"{ROW}.size"]


@pytest.mark.requirement("R52")
def test_the_page_can_neither_type_what_is_computed_nor_bind_a_line_to_two_diameters(study: Study) -> None:
    task = opened(study)
    _, revision = answered(study, task)

    with pytest.raises(AnswerLocked):
        study.save(task, revision, {"sum": {"text": "1"}})
    with pytest.raises(AnswerRefused):
        study.save(task, revision, {f"{ROW}.size": {"mark_id": str(study.draw(task, "9"))}})


# ---- as the page shows it


def shown(answers: dict[str, Answer], *, is_draft: bool = True) -> str:
    parts = form_view.views(judge(FORM, answers), "en")
    context = {"is_draft": is_draft}
    return "".join(render_to_string("research_reads/item.html", context | {"item": part}) for part in parts)


def told(path: str, answer: Answer) -> str:
    item = FORM.item_at(path)
    assert item
    return form_view.told(item, answer, "en")


@pytest.mark.requirement("R50", "R55")
@pytest.mark.parametrize(
    ("path", "answer", "text"),
    [
        ("quality", Answer(AnswerKind.VALUE, "5"), "5, Excellent"),
        ("quality", Answer(AnswerKind.VALUE, "3"), "3"),
        ("findings", Answer(AnswerKind.VALUE, "ascites fracture"), "Ascites, Fracture"),
        ("diagnosed", Answer(AnswerKind.VALUE, "2024-02"), "2024-02"),
        ("response", Answer(AnswerKind.VALUE, "pr"), "Partial response"),
        ("sum", Answer(AnswerKind.VALUE, "30.5"), "30.5 mm"),
        ("quality", Answer(AnswerKind.NOT_DONE), "Not done"),
        ("quality", Answer(AnswerKind.UNREADABLE, "good"), "good"),
        (
            f"{ROW}.size",
            Answer(AnswerKind.VALUE, "31.4159", MarkReference("m", 1), "20.0001"),
            "31.42 \u00d7 20.00 mm",
        ),
        (f"{ROW}.diameter", Answer(AnswerKind.VALUE, "0.005", MarkReference("m", 1)), "0.01 mm"),
    ],
)
def test_an_answer_is_told_in_words(path: str, answer: Answer, text: str) -> None:
    assert told(path, answer) == text


def test_a_new_row_looks_as_its_rules_say_and_keeps_no_id_of_its_own() -> None:
    page = shown({})

    template = page[page.index("<template") : page.index("</template>")]
    assert f'data-row="targets.{form_view.NEW_ROW}"' in template
    assert (
        f'data-item="targets.{form_view.NEW_ROW}.half" data-kind="computed" data-label="T0" hidden'
        in template
    )


def test_a_choice_of_many_is_a_list_and_of_few_are_buttons() -> None:
    page = shown({ROW: row_answer(number=1)})

    assert f'<select class="form-select item-select" name="{ROW}.organ"' in page
    assert 'type="checkbox" name="findings"' in page


@pytest.mark.requirement("R60")
def test_a_carried_finding_shows_what_identifies_it_and_cannot_be_struck_out() -> None:
    page = shown(
        {
            ROW: row_answer(number=1, carried=True),
            f"{ROW}.organ": Answer(AnswerKind.VALUE, "liver"),
            "targets.0000000b": row_answer(number=2, carried=True, is_struck=True),
        }
    )

    rows = page[page.index("data-rows") : page.index("<template")]
    assert "From an earlier timepoint" in rows
    assert "data-strike" not in rows
    assert f'name="{ROW}.organ"' not in rows
    assert ">Liver</output>" in rows
    assert "T2" not in rows  # struck out at the earlier timepoint


def test_a_closed_read_offers_nothing_to_add_or_strike() -> None:
    page = shown({ROW: row_answer(number=1)}, is_draft=False)

    assert "data-add-row" not in page
    assert "data-strike" not in page


@pytest.mark.requirement("R52")
def test_the_page_is_told_what_looks_different_by_path() -> None:
    state = judge(
        FORM,
        {
            ROW: row_answer(number=1, is_struck=True),
            "findings": Answer(AnswerKind.VALUE, "ascites"),
            "quality": Answer(AnswerKind.VALUE, "1"),
        },
    )

    looks = form_view.changed_items(state, [ROW, "targets", "", "quality", "sum"], "en")

    assert looks[ROW] == {"struck": True, "number": 1}
    assert "At least 1 is needed." in str(looks["targets"]["told"])
    assert "Ascites is seen" in str(looks[""]["told"])
    assert (looks["quality"]["text"], looks["sum"]["shown"]) == ("1", "")
