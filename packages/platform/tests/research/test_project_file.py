from __future__ import annotations

from importlib import resources

import pytest

from collegium.kit.yaml import YamlError
from collegium.research.projects.definition import About, SubjectPolicy
from collegium.research.projects.project_file import parse_project, write_project

EXAMPLE = resources.files("collegium.research.examples").joinpath("ct-lesion.yaml").read_text("utf-8")


@pytest.mark.requirement("R11")
def test_the_shipped_example_says_a_whole_project_in_at_most_eighty_lines() -> None:
    project = parse_project(EXAMPLE)

    assert len(EXAMPLE.splitlines()) <= 80
    assert project.name == "CT lesion pilot"
    assert project.subject_policy is SubjectPolicy.ON_ARRIVAL
    assert [item.name for item in project.forms["lesion"].items] == ["lesion", "quality", "diameter"]
    assert [step.name for step in project.steps_for(About.EXAM)] == ["reading"]


@pytest.mark.requirement("R11")
def test_an_export_is_canonical_and_imports_as_the_same_project() -> None:
    project = parse_project(EXAMPLE)

    written = write_project(project)

    assert parse_project(written) == project
    assert write_project(parse_project(written)) == written


@pytest.mark.requirement("R11")
def test_two_exports_differ_only_where_the_set_up_differs() -> None:
    before = write_project(parse_project(EXAMPLE)).splitlines()
    after = write_project(parse_project(EXAMPLE.replace("max: 5\n", "max: 10\n"))).splitlines()

    assert [(a, b) for a, b in zip(before, after, strict=True) if a != b] == [
        ("        max: 5", "        max: 10")
    ]


@pytest.mark.parametrize(
    ("old", "new", "at", "words"),
    [
        ("project/1", "project/9", "collegium: ", "Possible are: project/1"),
        ("name: CT lesion pilot", "nmae: CT lesion pilot", "nmae: ", "“nmae” is not known here"),
        ("name: CT lesion pilot", "name:", "name:", "must stand text"),
        ('{code: "01",', "{code: 01,", "code: 01", "Put it in quotes"),
        ("create: on_arrival", "create: always", "create: always", "Possible are: on_arrival, listed"),
        (
            "{code: baseline, label",
            "{code: baseline, days: [1, 2], label",
            "days: [1",
            "The first visit is day 0",
        ),
        ("- name: lesion", "- name: day", "- name: day", "a word of the rule language"),
        ("- name: quality", "- name: lesion", "- name: ", "There is an item “lesion” already"),
        (
            "type: number",
            "type: numeric",
            "type: numeric",
            "Possible are: choice, choices, score, number, text",
        ),
        ("        unit: points\n", "", "- name: ", "“unit” is missing"),
        ("max: 5\n", "max: 0\n", "min: 1", "“min” is greater than “max”"),
        ('          "no": {en: "No", sv: Nej}\n', "", '"yes": {en', "at least two codes"),
        ('"no": {en: "No"', '"not_done": {en: "No"', '"not_done"', "needs no code of its own"),
        ("show_if: lesion = 'yes'", "show_if: diameter > 3", "- name: diameter", "depends on itself"),
        ("show_if: lesion = 'yes'", "show_if: lesion = 'ja'", "show_if: ", "not one of the codes no, yes"),
        ("show_if: lesion = 'yes'", "show_if: lesions = 'yes'", "show_if: ", "no item “lesions”"),
        ("show_if: lesion = 'yes'", "show_if: quality", "show_if: ", "must be true or false"),
        (
            "required_if: lesion = 'yes'",
            "required_if: lesion = 'yes'\n        required: true",
            "required_if: ",
            "not both",
        ),
        ("form: lesion", "form: lesson", "form: lesson", "no form “lesson”; there are lesion"),
        (
            "about: exam",
            "about: exam\n    open_if: screening.fit = 'yes'",
            "open_if: ",
            "no item “screening.fit”",
        ),
        ("SliceThickness", "slice thickness", "slice thickness", "not a DICOM keyword that can be shown"),
        ("sv: Central granskning", "fi: Luenta", "- step: reading", "“Central reading” is missing in sv"),
    ],
)
def test_a_fault_is_told_with_its_line_and_what_to_do(old: str, new: str, at: str, words: str) -> None:
    assert old in EXAMPLE

    broken = EXAMPLE.replace(old, new, 1)
    with pytest.raises(YamlError) as error:
        parse_project(broken)

    found = [problem.line for problem in error.value.problems if words in problem.message]
    assert len(found) == 1, str(error.value)
    assert at in broken.splitlines()[found[0] - 1]


def test_all_faults_of_a_file_are_told_at_once() -> None:
    broken = (
        EXAMPLE.replace("max: 5\n", "max: 0\n")
        .replace("form: lesion", "form: lesson")
        .replace("'yes'", "'ja'")
    )

    with pytest.raises(YamlError) as error:
        parse_project(broken)

    assert len(error.value.problems) == 4
