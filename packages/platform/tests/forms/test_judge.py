from __future__ import annotations

from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collegium.forms.answers import Answer, AnswerKind, MarkReference, read_typed
from collegium.forms.definition import FormDefinition
from collegium.forms.judge import judge
from collegium.forms.problems import ProblemCode
from collegium.research.projects.project_file import parse_project

EXAMPLE = resources.files("collegium.research.examples").joinpath("ct-lesion.yaml").read_text("utf-8")
FORM = parse_project(EXAMPLE).forms["lesion"]


def value(text: str) -> Answer:
    return Answer(AnswerKind.VALUE, text)


def codes(answers: dict[str, Answer], item: str) -> list[ProblemCode]:
    return [problem.code for problem in judge(FORM, answers)[item].problems]


def test_an_empty_form_shows_what_is_certain_and_requires_it() -> None:
    state = judge(FORM, {})

    assert [item.item.name for item in state.visible] == ["lesion", "quality"]
    assert [item.required for item in state.visible] == [True, True]
    assert not state.is_complete


@pytest.mark.requirement("R52")
def test_a_complete_form_has_no_error() -> None:
    state = judge(FORM, {"lesion": value("yes"), "quality": value("4"), "diameter": value("12.5")})

    assert state.is_complete
    assert list(state.record()) == ["lesion", "quality", "diameter"]


@pytest.mark.requirement("R55")
@pytest.mark.parametrize("kind", [AnswerKind.NOT_EVALUABLE])
def test_an_unknown_condition_hides_the_item_that_depends_on_it(kind: AnswerKind) -> None:
    state = judge(FORM, {"lesion": Answer(kind), "quality": value("4"), "diameter": value("12.5")})

    assert not state["diameter"].visible
    assert "diameter" not in state.record()


@pytest.mark.parametrize(
    ("item", "answer", "problems"),
    [
        ("quality", value("6"), [ProblemCode.OUT_OF_RANGE]),
        ("quality", value("0"), [ProblemCode.OUT_OF_RANGE]),
        ("quality", value("5"), []),
        ("quality", value("5.0"), []),
        ("quality", value("4.5"), [ProblemCode.DECIMALS]),
        ("quality", Answer(AnswerKind.UNREADABLE, "good"), [ProblemCode.UNREADABLE]),
        ("quality", Answer(AnswerKind.NOT_DONE), []),
        ("lesion", Answer(AnswerKind.NOT_DONE), [ProblemCode.ABSENCE]),
        ("lesion", Answer(AnswerKind.NOT_EVALUABLE), []),
    ],
)
@pytest.mark.requirement("R52", "R55")
def test_an_answer_is_judged_by_its_item(item: str, answer: Answer, problems: list[ProblemCode]) -> None:
    assert codes({item: answer}, item) == problems


def test_a_required_measurement_is_asked_for() -> None:
    assert codes({"lesion": value("yes")}, "diameter") == [ProblemCode.REQUIRED]


def test_a_failed_check_warns_and_an_unknown_one_is_listed_and_not_raised() -> None:
    small = {"lesion": value("yes"), "diameter": value("1.5")}

    unknown = judge(FORM, small)["diameter"]
    failed = judge(FORM, small | {"quality": value("3")})

    assert (unknown.problems, len(unknown.unjudged)) == ((), 1)
    assert failed["diameter"].problems[0].message.startswith("Lesions under 2 mm")
    assert failed.is_complete  # a warning does not stop a submission


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("4", value("4")),
        (" 4,5 ", value("4.5")),
        ("-0.10", value("-0.10")),
        ("1e5", Answer(AnswerKind.UNREADABLE, "1e5")),
        ("4.5.6", Answer(AnswerKind.UNREADABLE, "4.5.6")),
        ("NaN", Answer(AnswerKind.UNREADABLE, "NaN")),
        ("  ", None),
    ],
)
def test_a_typed_number_is_kept_exactly_or_kept_as_unreadable(typed: str, answer: Answer | None) -> None:
    assert read_typed(FORM.by_name["quality"], typed) == answer


def test_a_code_that_does_not_exist_is_unreadable() -> None:
    assert read_typed(FORM.by_name["lesion"], "maybe") == Answer(AnswerKind.UNREADABLE, "maybe")


def test_a_definition_survives_its_frozen_form() -> None:
    again = FormDefinition.from_json(FORM.to_json())

    assert again == FORM
    assert again.digest == FORM.digest


ANSWERS = st.builds(
    Answer,
    st.sampled_from(AnswerKind),
    st.sampled_from(["1", "2.5", "-3", "900"]),
    st.none() | st.builds(MarkReference, mark_id=st.text("abc"), revision=st.integers(1, 9)),
)


@settings(deadline=None)  # the machine is shared
@given(answers=st.dictionaries(st.sampled_from(["quality", "diameter", "lesion"]), ANSWERS))
def test_judging_never_fails_and_a_hidden_answer_never_counts(answers: dict[str, Answer]) -> None:
    state = judge(FORM, answers)

    shown = {item.item.name for item in state.visible}
    assert set(state.record()) == shown & set(answers)
    assert judge(FORM, {name: answers[name] for name in state.record()}).record() == state.record()
