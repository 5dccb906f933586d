"""What the reading page shows of a form alone, and of reads that are compared."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.test import Client

from collegium.forms.answers import Answer, AnswerKind
from collegium.forms.rows import row_answer
from collegium.research.projects.project_file import parse_project
from collegium.research.reads.comparison import compare
from collegium_testkit.committee import Committee
from collegium_testkit.trial_form import trial_project
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from collegium.research.pipeline.models import Task
    from collegium_testkit.world import World


@pytest.fixture
def committee(world: World) -> Committee:
    gathered = Committee(world)
    gathered.gather()
    return gathered


def page(committee: Committee, who: str, task: Task) -> str:
    client = Client()
    assert client.login(email=committee.people[who].email, password=PASSWORD)
    return client.get(f"/tasks/{task.id}/read").content.decode()


def test_a_form_without_images_follows_the_person_and_one_with_images_is_dark(committee: Committee) -> None:
    committee.arrive()
    (form,) = committee.tasks(step="eligibility")
    alone = page(committee, "site", form)
    committee.do(form, eligible="yes")
    (checking,) = committee.tasks(step="qc")

    assert "data-theme-fixed" not in alone
    assert 'data-theme-fixed data-bs-theme="dark"' in page(committee, "qc", checking)


@pytest.mark.requirement("R71")
def test_what_differs_stands_first_and_what_agrees_is_folded(committee: Committee) -> None:
    first, second = committee.until_reading()
    committee.do(first, response="PR", sum="12")
    committee.do(second, response="SD", sum="12")
    (settling,) = committee.tasks(step="adjudication")

    shown = page(committee, "adjudicator1", settling)

    differing, _, alike = shown.partition("compared-alike")
    assert "Response" in differing.partition("compared-table")[2]
    assert "1 answer is alike" in alike
    assert "Sum of diameters" in alike
    assert "Your assessment" in alike
    assert 'begin="mark"' in shown


def side(name: str, row: str, organ: str) -> Any:  # Any: only what is compared of a side
    form = SimpleNamespace(definition=parse_project(trial_project()).forms["lesion"].to_json())
    version = SimpleNamespace(entry=SimpleNamespace(form_version_id=uuid4(), form_version=form))
    found = Answer(AnswerKind.VALUE, organ)
    answers = {f"targets.{row}": row_answer(number=1), f"targets.{row}.organ": found}
    return SimpleNamespace(letter=name, version=version, answers=answers)


def test_the_first_lesion_of_each_reader_is_told_apart() -> None:
    found = compare([side("A", "0000a001", "liver"), side("B", "0000b001", "lung")], None, "en")

    assert found
    told = [(finding.letter, finding.name, finding.said[0].text) for finding in found.findings]
    assert told == [("A", "T1", "Liver"), ("B", "T1", "Lung")]
    assert found.differing == ()
