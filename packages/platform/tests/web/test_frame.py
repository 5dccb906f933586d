"""The parts of a project: one order on every page, each person sees their own, each lands where they work."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from collegium_testkit.committee import Committee
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from collegium_testkit.world import Person, World


def client_of(person: Person) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    return client


def tabs(page: str) -> list[str]:
    """The words of the tabs in their order; those behind "More" last."""
    bar = page[page.index('<nav class="tabs"') :].partition("</nav>")[0]
    return [re.sub(r"<[^>]+>", "", one).strip() for one in re.findall(r"<a [^>]+>(.*?)</a>", bar)]


def title(page: str) -> str:
    return page.partition("<title>")[2].partition("</title>")[0]


MAIN = ["Overview", "Subjects", "Tasks", "Queries", "Results", "People"]


@pytest.mark.parametrize("part", ["", "tasks/", "people/", "board/", "history/", "setup/"])
def test_an_administrator_has_the_same_tabs_on_every_page(world: World, part: str) -> None:
    page = client_of(world.administrator).get(f"/projects/{world.space_id}/{part}").content.decode()

    found = tabs(page)
    assert found[:6] == MAIN
    assert {"Progress", "History", "Unblinding", "Gateways", "Set-up"} <= set(found[6:])
    assert "My site" not in found


@pytest.mark.parametrize(
    ("role", "lands", "shown"),
    [
        ("Sponsor viewer", "board/", ["Progress"]),
        ("Site user", "site/", ["My site", "Queries"]),
    ],
)
def test_who_works_in_one_part_lands_there(world: World, role: str, lands: str, shown: list[str]) -> None:
    address = f"/projects/{world.space_id}/"

    answer = client_of(world.join(role)).get(address, follow=True)

    assert answer.redirect_chain == [(address + lands, 302)]
    assert tabs(answer.content.decode()) == shown


def test_few_parts_need_no_menu(world: World) -> None:
    page = client_of(world.join("Monitor")).get(f"/projects/{world.space_id}/").content.decode()

    assert "tabs-more" in client_of(world.administrator).get(f"/projects/{world.space_id}/").content.decode()
    assert tabs(page)[:5] == ["Overview", "Subjects", "Tasks", "Queries", "People"]


def test_every_part_has_a_title_of_its_own_that_names_the_project(world: World) -> None:
    client, address = client_of(world.administrator), f"/projects/{world.space_id}/"
    parts = ("", "subjects/", "tasks/", "queries/", "results/", "people/", "board/", "exams/", "history/",
             "unblinding/", "gateways/", "setup/", "queries/new", "visits/")  # fmt: skip

    titles = [title(client.get(address + part).content.decode()) for part in parts]

    assert len(set(titles)) == len(parts)
    assert all(one.endswith("Collegium") and len(one.split(" \u2013 ")) == 3 for one in titles), titles


def test_the_history_says_what_followed_by_itself_and_calls_things_by_their_labels(world: World) -> None:
    committee = Committee(world)
    committee.gather()
    first, _second = committee.until_reading()
    committee.do(first, response="PR")

    page = client_of(world.administrator).get(f"/projects/{world.space_id}/history/").content.decode()

    reader = committee.people[committee.who(first)].full_name
    assert re.search(
        rf'<span class="who">{re.escape(reader)}</span> signed the read: <a [^>]+>[^<]*S-001', page
    )
    assert '<span class="who">Automatically</span>, after' in page
    assert not [code for code in ("seal:", "entry revision", "in_progress", "waiting →") if code in page]
