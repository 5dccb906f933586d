"""The pages of the house: each for its members, the same "nothing here" for everyone else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from collegium.kit.ids import uuid7
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collegium_testkit.world import Person, World

FRESH = re.compile(rb"[0-9a-f]{8}(?=[\"<])|[A-Za-z0-9]{64}")
"""What differs between two answers that say the same: the reference to quote, the form's token."""


def client_of(person: Person) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    return client


def addresses(resolver: URLResolver | None = None) -> Iterator[URLPattern]:
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern)
        else:
            yield pattern


def names_with(*parameters: str) -> list[str]:
    return [str(p.name) for p in addresses() if set(p.pattern.converters) == set(parameters) and p.name]


def test_home_and_the_list_show_my_projects_and_no_others(world: World, other_world: World) -> None:
    client = client_of(world.administrator)

    for address in ("/", "/projects/"):
        page = client.get(address).content.decode()
        assert str(world.space_id) in page
        assert str(other_world.space_id) not in page


@pytest.mark.requirement("U03")
def test_a_list_that_nothing_matches_offers_the_way_back(world: World) -> None:
    page = client_of(world.administrator).get("/projects/?q=zzz").content.decode()

    assert "No project matches" in page
    assert "Show all projects" in page


def test_a_project_shows_its_people_and_history(world: World) -> None:
    reader = world.join("Reader")

    page = client_of(world.administrator).get(f"/projects/{world.space_id}/").content.decode()

    assert reader.full_name in page
    assert "added a member" in page


@pytest.mark.requirement("R02")
@pytest.mark.parametrize("method", ["get", "post"])
def test_no_address_of_a_project_tells_a_stranger_that_it_exists(
    world: World, other_world: World, method: str
) -> None:
    client = client_of(world.administrator)

    for name in names_with("space_id"):
        foreign = getattr(client, method)(reverse(name, args=[other_world.space_id]))
        invented = getattr(client, method)(reverse(name, args=[uuid7()]))
        assert foreign.status_code == invented.status_code, name
        assert foreign.status_code in {404, 405}, name
        assert FRESH.sub(b"", foreign.content) == FRESH.sub(b"", invented.content), name


def test_a_stranger_address_looks_like_a_forbidden_one(world: World, other_world: World) -> None:
    client = client_of(world.administrator)

    forbidden = client.get(f"/projects/{other_world.space_id}/")
    strange = client.get("/no/such/address")

    assert forbidden.status_code == strange.status_code == 404
    assert FRESH.sub(b"", forbidden.content) == FRESH.sub(b"", strange.content)


@pytest.mark.requirement("U05")
def test_a_role_without_the_right_is_refused_in_words(world: World) -> None:
    reader = world.join("Reader")

    answer = client_of(reader).get(f"/projects/{world.space_id}/history/")

    assert answer.status_code == 403
    assert b"Your role does not allow this" in answer.content


def test_malformed_ids_are_simply_not_found(world: World) -> None:
    assert client_of(world.administrator).get("/projects/not-an-id/").status_code == 404


def test_health_needs_nobody_and_says_nothing_else() -> None:
    answer = Client().get("/health")

    assert answer.json() == {"ok": True}


@pytest.mark.requirement("U03")
def test_the_list_pages_by_key(world: World) -> None:
    answer = client_of(world.administrator).get(f"/projects/?after={UUID(int=0)}")

    assert "You belong to no project yet" in answer.content.decode()
