"""Every kind of item: what can be typed, what of it is a value, and what rules make of it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from collegium.forms import patterns
from collegium.forms.answers import Answer, AnswerKind, MarkReference, read_typed
from collegium.forms.definition import NOT_FUTURE, FormDefinition, Item, ItemKind
from collegium.forms.judge import judge
from collegium.forms.problems import ProblemCode
from collegium.kit import clock
from collegium.kit.rules import Absent, PartialDate
from collegium.research.projects.project_file import parse_project
from collegium_testkit.trial_form import trial_project

FORM = parse_project(trial_project()).forms["lesion"]
MARK = MarkReference("m", 1)


def value(text: str) -> Answer:
    return Answer(AnswerKind.VALUE, text)


def unreadable(text: str) -> Answer:
    return Answer(AnswerKind.UNREADABLE, text)


def codes(item: str, typed: str) -> list[ProblemCode]:
    answer = read_typed(FORM.by_name[item], typed)
    assert answer is not None
    return [problem.code for problem in judge(FORM, {item: answer})[item].problems]


@pytest.mark.requirement("R50", "R52")
@pytest.mark.parametrize(
    ("item", "typed", "answer"),
    [
        ("scanned", "2024-02-29", value("2024-02-29")),
        ("scanned", "2024/2/9", value("2024-02-09")),
        ("scanned", "2024.02.09", value("2024-02-09")),
        ("scanned", "20240209", value("2024-02-09")),
        ("scanned", "2023-02-29", unreadable("2023-02-29")),
        ("scanned", "29.2.2024", unreadable("29.2.2024")),
        ("scanned", "0099-01-01", unreadable("0099-01-01")),
        ("diagnosed", "2019", value("2019")),
        ("diagnosed", "2019-7", value("2019-07")),
        ("diagnosed", "2019-13", unreadable("2019-13")),
        ("findings", "fracture ascites", value("ascites fracture")),
        ("findings", "ascites ascites", value("ascites")),
        ("findings", "ascites gas", unreadable("ascites gas")),
        ("quality", "3", value("3")),
        ("quality", "good", unreadable("good")),
        ("scanner", " CT-12 ", value("CT-12")),
    ],
)
def test_what_is_typed_becomes_one_canonical_value_or_is_kept_as_unreadable(
    item: str, typed: str, answer: Answer
) -> None:
    assert read_typed(FORM.by_name[item], typed) == answer


@pytest.mark.requirement("R50", "R52")
@pytest.mark.parametrize(
    ("item", "typed", "problems"),
    [
        ("scanned", "2024-02-29", []),
        ("scanned", "2024-02", [ProblemCode.PARTIAL]),
        ("scanned", "1999-12-31", [ProblemCode.OUT_OF_RANGE]),
        ("scanned", "2000-01-01", []),
        ("scanned", "2999-01-01", [ProblemCode.OUT_OF_RANGE]),
        ("scanned", "31.1.2024", [ProblemCode.UNREADABLE]),
        ("diagnosed", "2019", []),
        ("diagnosed", "2999", [ProblemCode.OUT_OF_RANGE]),
        ("quality", "5", []),
        ("quality", "6", [ProblemCode.OUT_OF_RANGE]),
        ("quality", "2.5", [ProblemCode.DECIMALS]),
        ("scanner", "CT-12", []),
        ("scanner", "ct-12", [ProblemCode.PATTERN]),
        ("scanner", "CT-123456789012345678", [ProblemCode.TOO_LONG]),
        ("findings", "ascites", []),
        ("findings", "gas", [ProblemCode.UNREADABLE]),
    ],
)
def test_a_value_is_judged_by_its_item(item: str, typed: str, problems: list[ProblemCode]) -> None:
    assert codes(item, typed) == problems


def test_this_year_and_this_day_are_not_in_the_future() -> None:
    today = clock.now().date().isoformat()

    assert codes("diagnosed", today[:4]) == []
    assert codes("scanned", today) == []


@pytest.mark.parametrize(
    ("item", "text", "known"),
    [
        ("scanned", "2024-02-29", date(2024, 2, 29)),
        ("diagnosed", "2024-02", PartialDate(date(2024, 2, 1), date(2024, 2, 29))),
        ("findings", "ascites fracture", ("ascites", "fracture")),
        ("quality", "4", Decimal(4)),
        ("sum", "12.5", Decimal("12.5")),
        ("response", "pd", "pd"),
    ],
)
def test_rules_see_an_answer_as_a_value_of_its_type(item: str, text: str, known: object) -> None:
    assert value(text).known(FORM.by_name[item]) == known


@pytest.mark.requirement("R50")
def test_rules_see_both_axes_of_two_diameters_and_why_there_are_none() -> None:
    item = Item("size", ItemKind.BIDIRECTIONAL, {"en": "Size"})
    drawn = Answer(AnswerKind.VALUE, "20.5", MARK, short="10.25")

    assert drawn.values(item) == {"size": Decimal("20.5"), "size_short": Decimal("10.25")}
    assert Answer(AnswerKind.NOT_EVALUABLE).values(item) == {
        "size": Absent.NOT_EVALUABLE,
        "size_short": Absent.NOT_EVALUABLE,
    }
    assert Answer.from_json(drawn.to_json()) == drawn


@pytest.mark.requirement("R52")
@pytest.mark.parametrize(
    ("findings", "quality", "is_complete"),
    [("ascites", "1", False), ("ascites", "2", True), ("fracture", "1", True)],
)
def test_a_check_across_items_stands_at_the_form_and_stops_it(
    findings: str, quality: str, is_complete: bool
) -> None:
    state = judge(FORM, {"findings": value(findings), "quality": value(quality)})

    errors = [problem.code for path, problem in state.errors if path == ""]
    assert errors == ([] if is_complete else [ProblemCode.CHECK])


def test_a_check_across_items_that_cannot_be_judged_is_listed() -> None:
    assert judge(FORM, {"findings": Answer(AnswerKind.NOT_DONE)}).unjudged == (
        "findings contains 'ascites' implies quality >= 2",
    )


def test_a_definition_with_everything_survives_its_frozen_form() -> None:
    again = FormDefinition.from_json(FORM.to_json())

    assert again == FORM
    assert again.digest == FORM.digest


def test_a_definition_frozen_before_there_were_groups_reads_and_keeps_its_text() -> None:
    frozen = (
        '{"items":[{"absences":["not_done"],"checks":[],"codes":[],"decimals":0,"help":null,"highest":"5",'
        '"kind":"number","label":{"en":"Quality"},"lowest":"1","name":"quality","required":true,"required_if":"",'
        '"show_if":"","unit":"points"}],"label":{"en":"Lesion"},"name":"lesion"}'
    )

    form = FormDefinition.from_json(frozen)

    assert form.by_name["quality"].highest == 5
    assert form.to_json() == frozen


@pytest.mark.parametrize(
    "pattern", ["[A-Z]{2}-[0-9]+", r"\d{4}", "(AB|CD)-?[0-9]{1,3}", "(a{2}){3}", r"\(x\)+", "[^a]*", "a|b"]
)
def test_a_pattern_of_single_repeats_is_taken(pattern: str) -> None:
    patterns.check(pattern)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(a+)+", "neither repeats nor alternatives"),
        ("((a*)b)*", "neither repeats nor alternatives"),
        ("(a|aa)+", "neither repeats nor alternatives"),
        ("(?:a?){30}", "neither repeats nor alternatives"),
        (".*.*.*.*", "At most 3 parts"),
        (r"(a)\1", "not possible"),
        ("(?=a)", "not possible"),
        ("(?P<x>a)", "not possible"),
        ("a)", "was not opened"),
        ("(a", "not a regular expression"),
        ("[z-a]", "not a regular expression"),
        ("+a", "not a regular expression"),
        ("a" * 201, "longer than"),
    ],
)
def test_a_pattern_that_could_run_for_ever_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(patterns.PatternError, match=words):
        patterns.check(pattern)


def test_the_last_day_of_a_date_that_cannot_lie_in_the_future_is_named_once() -> None:
    assert FORM.by_name["scanned"].latest == NOT_FUTURE
