"""The bell and the list behind it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from collegium.kit.database import acting_as
from collegium.notifications import pages, queries, services
from collegium.notifications.models import NotificationKind
from collegium.settings.installation import installation
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from collegium_testkit.world import Person, World

LIST = "/notifications/"


def client_of(person: Person) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    return client


def tell(world: World, person: Person, *kinds: NotificationKind, address: str = "") -> None:
    with acting_as(world.administrator.principal, [world.space_id]):
        for kind in kinds:
            services.tell(world.actor(), to=person.principal, kind=kind, address=address)


def text_of(page: bytes) -> str:
    return re.sub(r"<[^>]+>|\s+", " ", page.decode())


def test_the_bell_counts_what_is_new_on_every_page(world: World) -> None:
    reader = world.join("Reader")
    tell(world, reader, NotificationKind.TASK_OPENED, NotificationKind.TASK_OPENED)

    home = client_of(reader).get("/").content.decode()

    assert 'aria-label="Notifications, 2 new"' in home


def test_the_list_tells_what_waits_in_which_project(world: World) -> None:
    reader = world.join("Reader")
    tell(world, reader, *[NotificationKind.TASK_OPENED] * 3)

    page = text_of(client_of(reader).get(LIST).content)

    assert "3 new tasks" in page
    assert "Project " in page


def test_an_empty_list_says_what_it_is_for(world: World) -> None:
    page = text_of(client_of(world.join("Reader")).get(LIST).content)

    assert "Nothing new" in page


@pytest.mark.parametrize(
    ("told", "leads_to"), [("/tasks/?state=open", "/tasks/?state=open"), ("", "/tasks/")]
)
def test_opening_a_line_leads_to_where_it_waits_and_notes_it_as_seen(
    world: World, told: str, leads_to: str
) -> None:
    reader = world.join("Reader")
    tell(world, reader, NotificationKind.TASK_OPENED, address=told)

    answer = client_of(reader).post(
        f"{LIST}seen", {"space": str(world.space_id), "kind": "task_opened", "go": "yes"}
    )

    assert answer["Location"] == leads_to
    with acting_as(reader.principal):
        assert queries.unseen_count(reader.principal) == 0


def test_one_line_can_be_seen_and_the_others_stay_new(world: World) -> None:
    reader = world.join("Reader")
    tell(world, reader, NotificationKind.TASK_OPENED, NotificationKind.QUERY_OPENED)

    client_of(reader).post(f"{LIST}seen", {"space": str(world.space_id), "kind": "task_opened"})

    with acting_as(reader.principal):
        assert queries.unseen_count(reader.principal) == 1


def test_all_can_be_seen_at_once(world: World, other_world: World) -> None:
    reader = world.join("Reader")
    other_world.admit(reader.principal, "Reader")
    tell(world, reader, NotificationKind.TASK_OPENED)
    tell(other_world, reader, NotificationKind.TASK_OPENED)

    client_of(reader).post(f"{LIST}seen")

    with acting_as(reader.principal):
        assert queries.unseen_count(reader.principal) == 0


@pytest.mark.parametrize(
    "sent", [{"space": "x", "kind": "task_opened"}, {"space": "", "kind": "\0"}, {"kind": "x"}]
)
def test_what_makes_no_sense_changes_no_other_line(world: World, sent: dict[str, str]) -> None:
    answer = client_of(world.join("Reader")).post(f"{LIST}seen", sent)

    assert answer["Location"] == LIST


def test_another_persons_lines_cannot_be_marked(world: World) -> None:
    reader, other = world.join("Reader"), world.join("Reader")
    tell(world, reader, NotificationKind.TASK_OPENED)

    client_of(other).post(f"{LIST}seen", {"space": str(world.space_id), "kind": "task_opened"})

    with acting_as(reader.principal):
        assert queries.unseen_count(reader.principal) == 1


def test_e_mail_can_be_turned_off_and_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told = installation().model_copy(update={"mail_host": "mail.example"})
    monkeypatch.setattr(pages, "installation", lambda: told)
    client = client_of(world.join("Reader"))

    off = text_of(client.post(f"{LIST}mail", {"wants": "no"}, follow=True).content)
    on = text_of(client.post(f"{LIST}mail", {"wants": "yes"}, follow=True).content)

    assert "You get no e-mail" in off
    assert "never a subject" in on


def test_the_list_pages_by_key(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = world.join("Reader")
    tell(world, reader, *NotificationKind)
    monkeypatch.setattr(pages, "PAGE_SIZE", 5)
    client = client_of(reader)

    with acting_as(reader.principal):
        first = queries.lines(reader.principal, limit=5)
        rest = queries.lines(reader.principal, after=first[-1].id)

    assert len(first) == 5
    assert len(rest) == len(NotificationKind) - 5
    assert client.get(f"{LIST}?after={first[-1].id}").status_code == 200


def test_what_an_open_page_loads_by_itself_keeps_nobody_signed_in(world: World) -> None:
    client = client_of(world.administrator)
    client.get("/", headers={"X-Live": "1"})

    assert "seen" not in client.session

    client.get("/")

    assert "seen" in client.session
