"""Lists: the order, the search and the filters stand in the address, and paging goes on in the order asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from collegium.kit.pages.lists import PAGE_SIZE
from collegium_testkit.study import Study, new_study
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from collegium_testkit.world import World


@pytest.fixture
def manager(world: World) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": world.administrator.email, "password": PASSWORD})
    return client


@pytest.fixture
def study(world: World) -> Study:
    return new_study(world)


def codes(page: str) -> list[str]:
    return re.findall(r'<td class="mono"><a [^>]+>(S-\d+)</a>', page)


@pytest.mark.requirement("U03")
def test_subjects_are_sorted_by_the_address_over_all_pages(study: Study, manager: Client) -> None:
    numbers = [(number * 37) % (PAGE_SIZE + 3) for number in range(PAGE_SIZE + 3)]
    for number in numbers:
        study.arrive(f"S-{number:03d}")
    address = f"/projects/{study.world.space_id}/subjects/?sort=code"

    first = manager.get(address).content.decode()
    (following,) = re.findall(r'href="([^"]+after=[^"]+)"', first)
    second = manager.get(following.replace("&amp;", "&")).content.decode()

    assert 'aria-sort="ascending"' in first
    assert codes(first) + codes(second) == [f"S-{number:03d}" for number in sorted(numbers)]


def test_a_column_that_does_not_exist_sorts_nothing(study: Study, manager: Client) -> None:
    study.arrive("S-001")

    answer = manager.get(f"/projects/{study.world.space_id}/tasks/?sort=assignee")

    assert answer.status_code == 200
    assert "aria-sort" not in answer.content.decode()


@pytest.mark.requirement("U03")
def test_a_search_keeps_the_filters_and_the_order(study: Study, manager: Client) -> None:
    study.arrive("S-001")

    page = manager.get(f"/projects/{study.world.space_id}/tasks/?state=open&sort=-due").content.decode()

    assert '<input type="hidden" name="state" value="open">' in page
    assert '<input type="hidden" name="sort" value="-due">' in page
    assert "sort=-due" in page[page.index('class="chip"') :].partition("</form>")[0]


def test_tasks_without_a_due_date_come_last_whichever_way(study: Study, manager: Client) -> None:
    study.arrive("S-001")
    address = f"/projects/{study.world.space_id}/tasks/?sort="

    pages = [manager.get(address + way).content.decode() for way in ("due", "-due")]

    assert all("S-001" in page for page in pages)
