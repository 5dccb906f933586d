from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collegium.kit import yaml
from collegium.kit.yaml import Node, Problem, Problems, YamlError


def plain(node: Node) -> object:
    if isinstance(node.value, dict):
        return {key: plain(value) for key, value in node.value.items()}
    if isinstance(node.value, list):
        return [plain(value) for value in node.value]
    return node.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 0.30", Decimal("0.30")),
        ("a: 10", 10),
        ("a: yes", "yes"),  # YAML 1.2: only true and false are truths
        ("a: 'true'", "true"),
        ("a: true", True),
        ("a: 2020-01-01", "2020-01-01"),
        ("a: .inf", ".inf"),
        ("a:", None),
        ("a: '007'", "007"),
    ],
)
def test_a_scalar_is_read_as_yaml_1_2_says_and_never_as_a_float(text: str, value: object) -> None:
    assert plain(yaml.load(text)) == {"a": value}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3", 3, "twice"),
        ("a: &x [1]\nb: *x", 1, "References"),
        ("a: 1\nb: !!str 3", 2, "Tags"),
        ("a: 1\nb: !new 3", 2, "Tags"),
        ("%YAML 1.1\n---\na: yes", 2, "Directives"),
        ("--- 1\n--- 2", 1, "exactly one"),
        ("", 1, "exactly one"),
        ("a: 1\nb: [1", 2, "not valid YAML"),
        ("a: \x00", 1, "not valid YAML"),
        ("[" * 60 + "]" * 60, 1, "too deep"),
        ("a: '" + "x" * 1_000_001 + "'", 1, "larger"),
    ],
)
def test_what_could_be_misread_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(YamlError) as error:
        yaml.load(text)

    assert error.value.problems[0].line == line
    assert words in error.value.problems[0].message


def test_folded_lines_are_joined_by_a_space_and_nothing_else() -> None:
    assert yaml.load("a: >-\n  one\n  two\n").fields(["a"])["a"].text() == "one two"


def test_an_unknown_and_a_missing_key_are_both_named_at_once() -> None:
    node = yaml.load("nmae: x\nage: 3")

    with pytest.raises(YamlError) as error:
        node.fields(required=["name"], optional=["age"])

    assert error.value.problems == (
        Problem(1, "“name” is missing here."),
        Problem(1, "“nmae” is not known here. Known are: name, age."),
    )


def test_faults_of_several_parts_are_gathered_in_order_of_lines() -> None:
    entries = yaml.load("a: 1\nb: x\nc: 500").mapping()
    problems = Problems()

    with problems.gathered():
        entries["c"].whole(0, 9)
    with problems.gathered():
        entries["a"].text()

    with pytest.raises(YamlError) as error:
        problems.finish()
    assert [problem.line for problem in error.value.problems] == [1, 3]


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\u2028\u2029\x85"))
NAMES = st.text("abcdefg_", min_size=1)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=3)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)  # the machine is shared
@given(value=st.dictionaries(NAMES, VALUES, max_size=5))
def test_what_is_written_reads_back_the_same_and_is_written_alike_again(value: dict[str, object]) -> None:
    written = yaml.dump(value)

    read = plain(yaml.load(written))

    assert read == value
    assert yaml.dump(read) == written


@pytest.mark.timeout(120)
@pytest.mark.parametrize("opening", ["[", "{", "[{a: "])
def test_a_bomb_of_brackets_is_refused_before_it_is_parsed(opening: str) -> None:
    with pytest.raises(YamlError, match="Line 2: This is nested too deep"):
        yaml.load("a:\n  " + opening * 100_000)
