"""Forms in a project file: each fault told with its line and what to do, and one canonical text."""

from __future__ import annotations

import pytest

from collegium.forms.definition import Group, Item
from collegium.kit.yaml import YamlError
from collegium.research.projects.project_file import parse_project, write_project
from collegium_testkit.trial_form import trial_project

PROJECT = trial_project()


@pytest.mark.requirement("R50", "R52")
def test_a_form_with_everything_is_written_as_it_was_read() -> None:
    definition = parse_project(PROJECT)

    text = write_project(definition)

    assert parse_project(text) == definition
    assert write_project(parse_project(text)) == text


def test_parts_keep_the_order_of_the_file() -> None:
    form = parse_project(PROJECT).forms["lesion"]

    assert [part.name for part in form.parts][4:7] == ["scanner", "targets", "sum"]
    assert [type(part) for part in form.parts][4:7] == [Item, Group, Item]


@pytest.mark.requirement("R51", "R52")
@pytest.mark.parametrize(
    ("old", "new", "at", "words"),
    [
        (
            "max: not_future\n        required",
            "max: tomorrow\n        required",
            "max: tomorrow",
            "A date is written",
        ),
        ("min: 2000-01-01", "min: 2000-13-01", "min: 2000-13-01", "A date is written"),
        (
            "min: 2000-01-01\n        max: not_future",
            "min: 2000-01-01\n        max: 1999",
            "min: 2000",
            "“min” is later than “max”",
        ),
        ("labels: {1:", "labels: {0:", "labels: {0:", "“0” is no step of this score"),
        ("max: 5\n        labels", "max: 50\n        labels", "max: 50", "use a number instead"),
        ("[A-Z]{2}-[0-9]+", "([A-Z]+)+", "pattern:", "neither repeats nor alternatives"),
        ("longest: 20", "longest: 300", "longest: 300", "at most 200 letters"),
        ("type: choices", "type: choice\n        pattern: x", "pattern: x", "“pattern” is not known here"),
        ("group: targets", "group: quality", "group: quality", "There is an item “quality” already"),
        ("- name: place", "- name: quality", "- name: quality", "There is an item “quality” already"),
        ("- name: place", "- name: size_short", "- name: size", "There is an item “size_short” already"),
        ("min: 1\n        max: 3", "min: 4\n        max: 3", "min: 4", "“min” is greater than “max”"),
        ("carry: true", "carry: false", "fixed:", "“fixed” belongs to a group with carry: true"),
        ("prefix: T", "prefix: T\n        add: later", "add: later", "“later” is not possible here"),
        ("fixed: [organ, place]", "fixed: [organ, size]", "fixed:", "measured or computed anew"),
        ("fixed: [organ, place]", "fixed: [organ, sum]", "fixed:", "“sum” is not possible here"),
        ("compute: counted / 2", "compute: counted / two", "compute: counted", "no item “two”"),
        (
            "compute: counted / 2",
            "compute: half / 2",
            "- name: half",
            "“targets.half” shows depends on itself",
        ),
        (
            "show_if: organ = 'liver'",
            "show_if: sum(targets.half) > 1",
            "- name: half",
            "shows depends on itself",
        ),
        ("compute: sum(targets.counted)", "compute: targets.counted", "compute: targets", "is a list"),
        (
            "compute: sum(targets.counted)",
            "compute: sum(targets.organ)",
            "compute: sum",
            "numbers are needed",
        ),
        (
            "compute: sum(targets.counted)",
            "compute: quality > 2",
            "compute: quality",
            "as: number needs a number",
        ),
        ("'sd')))", "'xx')))", "compute: >-", "can give xx, which “codes” does not list"),
        ("as: choice", "as: number", "as: number", "a computed number has none"),
        ("as: choice", "as: text", "as: text", "“text” is not possible here"),
        ("given: first.sum", "given: next.sum", "- name: baseline", "write first.x, previous.x or lowest.x"),
        (
            "given: first.sum",
            "given: first.targets",
            "- name: baseline",
            "write first.x, previous.x or lowest.x",
        ),
        ("given: first.sum", "given: first.findings", "- name: baseline", "must be of one type"),
        ("given: lowest.sum", "given: lowest.scanner", "- name: nadir", "lowest needs one"),
        (
            "given: first.sum",
            "given: first.sum\n        required: false",
            "required: false\n      - name: nadir",
            "answered by nobody",
        ),
        (
            "- name: organ\n",
            "- name: organ\n            given: first.sum\n",
            "given: first.sum",
            "use “carry”",
        ),
        ("count(targets) <= 2", "targets <= 2", "rule: targets", "“targets” is a list"),
        ("count(targets) <= 2", "counted <= 2", "rule: counted", "no item “counted”"),
        ("findings contains 'ascites'", "findings contains 'gas'", "rule: findings", "not one of the codes"),
        (
            "row: {en: target lesion, sv: målförändring}",
            "row: {en: lesion}",
            "forms:",
            "“lesion” is missing in sv",
        ),
    ],
)
def test_a_fault_is_told_with_its_line_and_what_to_do(old: str, new: str, at: str, words: str) -> None:
    assert old in PROJECT
    broken = PROJECT.replace(old, new, 1)

    with pytest.raises(YamlError) as error:
        parse_project(broken)

    found = [problem.line for problem in error.value.problems if words in problem.message]
    assert len(found) == 1, str(error.value)
    near = "\n".join(broken.splitlines()[found[0] - 2 : found[0] + 1])
    assert at in near, str(error.value)


def test_a_computed_item_may_read_what_is_shown_by_what_it_does_not_compute() -> None:
    text = PROJECT.replace("show_if: organ = 'liver'", "show_if: baseline > 1")

    assert parse_project(text).forms["lesion"].groups["targets"].item("half")
