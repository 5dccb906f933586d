"""A table of results is whole, whatever its size, or it is refused in words: never silently cut."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from collegium.kit.database import acting_as
from collegium.research.results import queries
from collegium.research.results import services as results
from collegium.research.results.csv_file import Shape
from collegium.research.results.errors import TableTooLarge
from collegium.trust.audit.models import AuditEntry
from collegium_testkit.committee import gathered
from collegium_testkit.world import PASSWORD, new_world

if TYPE_CHECKING:
    from collegium_testkit.beginnings import Beginnings
    from collegium_testkit.committee import Committee

pytestmark = pytest.mark.requirement("R80")


def three_read() -> Committee:
    """Three subjects, each read by two who agree."""
    made = gathered(new_world())
    for number in range(3):
        for task in made.until_reading(f"S-00{number}"):
            made.do(task, response="SD")
    return made


@pytest.fixture
def committee(beginnings: Beginnings) -> Committee:
    return beginnings.begin(three_read)


def file_of(committee: Committee, step: str = "reading", shape: Shape = Shape.WIDE) -> bytes:
    world = committee.world
    with acting_as(world.administrator.principal, [world.space_id]):
        return results.export_csv(actor=world.actor(), step=step, shape=shape).body


def exports(committee: Committee) -> int:
    world = committee.world
    with acting_as(world.administrator.principal, [world.space_id]):
        return AuditEntry.objects.filter(action="research.results.exported").count()


@pytest.mark.parametrize("shape", list(Shape))
@pytest.mark.parametrize("chunk", [1, 2, 5, 6])
def test_a_table_that_is_loaded_in_pieces_gives_the_same_bytes(
    committee: Committee, monkeypatch: pytest.MonkeyPatch, chunk: int, shape: Shape
) -> None:
    whole = file_of(committee, shape=shape)

    monkeypatch.setattr(queries, "CHUNK", chunk)

    assert file_of(committee, shape=shape) == whole
    assert {row["subject"] for row in csv.DictReader(io.StringIO(whole.decode()))} == {
        "S-000", "S-001", "S-002",
    }  # fmt: skip


@pytest.mark.parametrize("step", ["reading", "final.adjudication"])
def test_more_reads_than_a_table_holds_are_refused_in_words_and_no_file_is_made(
    committee: Committee, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr(queries, "MOST", 5)

    with pytest.raises(TableTooLarge) as refused:
        file_of(committee, step)

    assert (refused.value.number, refused.value.most) == (6, 5)
    assert refused.value.text.startswith("This table has 6 signed reads; one page or file holds 5.")
    assert exports(committee) == 0


def test_as_many_reads_as_a_table_holds_are_all_in_it(
    committee: Committee, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MOST", 6)

    assert len(list(csv.DictReader(io.StringIO(file_of(committee).decode())))) == 6


def test_the_page_says_so_too(committee: Committee, monkeypatch: pytest.MonkeyPatch) -> None:
    world = committee.world
    browser = Client()
    assert browser.login(email=world.administrator.email, password=PASSWORD)
    monkeypatch.setattr(queries, "MOST", 5)

    page = browser.get(f"/projects/{world.space_id}/results/?step=reading")

    assert page.status_code == 409
    assert "one page or file holds 5" in page.content.decode()
