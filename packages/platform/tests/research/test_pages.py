"""The pages and the calls of the reading page, as a browser makes them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from collegium.kit import ids
from collegium_testkit.study import EXAMPLE
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from uuid import UUID

    from django.test import Client

    from collegium_testkit.study import Study
    from collegium_testkit.world import Person, World


def browser(person: Person) -> Client:
    from django.test import Client

    from collegium.trust.identity.models import Account

    client = Client()
    client.force_login(
        Account.objects.get(id=person.principal.id), "allauth.account.auth_backends.AuthenticationBackend"
    )
    return client


def post(client: Client, task_id: UUID, act: str, body: object) -> Any:  # Any: the test client's answer
    return client.post(f"/api/v1/tasks/{task_id}/{act}", json.dumps(body), content_type="application/json")


def change(client: Client, task_id: UUID, base: int, **changes: object) -> Any:  # Any: the same
    return post(
        client, task_id, "changes", {"op_id": str(ids.uuid7()), "base_revision": base, "changes": changes}
    )


def text(response: Any) -> str:  # Any: the test client's answer
    return str(response.content.decode())


@pytest.mark.requirement("R07")
def test_the_task_list_shows_own_tasks_with_their_label_and_nothing_of_the_subject(study: Study) -> None:
    study.arrive("S-SECRET")
    task = study.task()

    page = text(browser(study.reader).get("/tasks/"))

    assert task.label in page
    assert f"/tasks/{task.id}/read" in page
    assert "S-SECRET" not in page


@pytest.mark.requirement("R53", "R42")
def test_the_reading_page_places_the_viewer_under_a_grant_and_shows_no_subject_code(study: Study) -> None:
    study.arrive("S-SECRET")
    task = study.task()

    page = text(browser(study.reader).get(f"/tasks/{task.id}/read"))

    assert re.search(r'<collegium-viewer dicomweb="/dicom-web/grants/[0-9a-f-]{36}"', page)
    assert f'label="{task.label}"' in page
    assert 'data-item="diameter"' in page
    assert "S-SECRET" not in page
    assert " style=" not in page
    assert "<script>" not in page


@pytest.mark.requirement("R52", "R54")
def test_a_change_is_answered_with_the_items_that_look_different_and_no_field(study: Study) -> None:
    study.arrive()
    task, client = study.task(), browser(study.reader)
    client.get(f"/tasks/{task.id}/read")

    answer = change(client, task.id, 0, lesion={"text": "yes"}).json()

    assert answer["revision"] == 1
    assert sorted(answer["items"]) == ["diameter", "lesion"]
    assert answer["items"]["diameter"]["visible"] is True
    assert "<input" not in json.dumps(answer)
    assert answer["open"] == 2


def test_a_change_on_an_old_revision_is_a_conflict_that_names_the_new_one(study: Study) -> None:
    study.arrive()
    task, client = study.task(), browser(study.reader)
    client.get(f"/tasks/{task.id}/read")
    change(client, task.id, 0, quality={"text": "4"})

    answer = change(client, task.id, 0, quality={"text": "3"})

    assert answer.status_code == 409
    assert (answer.json()["code"], answer.json()["revision"]) == ("forms.entry.stale", 1)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"op_id": "x", "base_revision": 0, "changes": {}},
        {"op_id": str(ids.uuid7()), "base_revision": "0", "changes": {}},
        {"op_id": str(ids.uuid7()), "base_revision": True, "changes": {}},
        {"op_id": str(ids.uuid7()), "base_revision": 0, "changes": {"quality": 4}},
        {"op_id": str(ids.uuid7()), "base_revision": 0, "changes": {"quality": {"text": 4}}},
        {"op_id": str(ids.uuid7()), "base_revision": 0, "changes": {"quality": {"text": "4", "x": 1}}},
        {"op_id": str(ids.uuid7()), "base_revision": 0, "changes": {"quality": {"absent": "lazy"}}},
        {
            "op_id": str(ids.uuid7()),
            "base_revision": 0,
            "changes": {"quality": {"mark_id": str(ids.uuid7())}},
        },
        {"op_id": str(ids.uuid7()), "base_revision": 0, "changes": {"diameter": {"text": "12"}}},
        {"op_id": str(ids.uuid7()), "base_revision": 0, "changes": {"nothing": {"text": "12"}}},
        {"op_id": str(ids.uuid7()), "base_revision": 0, "changes": {}, "more": 1},
    ],
)
def test_a_change_that_cannot_be_understood_is_refused_in_words(study: Study, body: object) -> None:
    study.arrive()
    task, client = study.task(), browser(study.reader)
    client.get(f"/tasks/{task.id}/read")

    answer = post(client, task.id, "changes", body)

    assert answer.status_code == 422
    assert answer.json()["message"]


@pytest.mark.requirement("S03")
def test_a_read_is_submitted_and_signed_from_the_page_and_shown_with_its_signature(study: Study) -> None:
    task, revision = study.drafted()
    client = browser(study.reader)

    submitted = post(client, task.id, "submit", {"revision": revision}).json()
    wrong = post(client, task.id, "sign", {"password": "wrong", "digest": submitted["digest"]})
    signed = post(client, task.id, "sign", {"password": PASSWORD, "digest": submitted["digest"]})
    page = text(client.get(f"/tasks/{task.id}/read"))

    assert (wrong.status_code, wrong.json()["code"]) == (403, "identity.password.wrong")
    assert signed.status_code == 200
    assert "Signature valid" in page
    assert study.reader.full_name in page
    assert 'mode="view"' in page
    assert "I have read these images" in page


@pytest.mark.requirement("R80")
def test_the_administrator_sees_the_results_and_takes_them_out_as_csv(study: Study) -> None:
    task, revision = study.drafted("31.4159")
    study.sign(task, study.submit(task, revision).digest, PASSWORD)
    client = browser(study.world.administrator)

    page = text(client.get(f"/projects/{study.world.space_id}/results/"))
    file = client.post(f"/projects/{study.world.space_id}/results/csv", {"step": "reading"})

    assert "31.42" in page
    assert "Valid" in page
    assert file.headers["Content-Type"].startswith("text/csv")
    assert b"31.4159" in file.content


@pytest.mark.parametrize("tab", ["subjects/", "tasks/", "results/"])
def test_every_tab_of_research_opens_empty_and_full(study: Study, tab: str) -> None:
    client = browser(study.world.administrator)

    before = client.get(f"/projects/{study.world.space_id}/{tab}")
    task, revision = study.drafted()
    study.sign(task, study.submit(task, revision).digest, PASSWORD)
    after = client.get(f"/projects/{study.world.space_id}/{tab}")

    assert (before.status_code, after.status_code) == (200, 200)
    assert "S-001" in text(after)


@pytest.mark.requirement("R02")
@pytest.mark.parametrize("tab", ["subjects/", "tasks/", "results/"])
def test_a_tab_of_a_project_of_others_is_not_found(study: Study, other_world: World, tab: str) -> None:
    client = browser(other_world.administrator)

    assert client.get(f"/projects/{study.world.space_id}/{tab}").status_code == 404


@pytest.mark.requirement("R01", "R12")
@pytest.mark.parametrize("tab", ["subjects/", "tasks/", "results/"])
def test_a_reader_is_refused_the_tabs_of_those_who_manage(study: Study, tab: str) -> None:
    study.arrive("S-SECRET")

    answer = browser(study.reader).get(f"/projects/{study.world.space_id}/{tab}")

    assert answer.status_code == 403
    assert "S-SECRET" not in text(answer)


def test_a_task_of_another_reader_is_not_found_on_any_of_its_addresses(study: Study) -> None:
    other = study.world.join("Reader")
    study.arrive()
    task, client = study.task(), browser(other)

    answers = [
        client.get(f"/tasks/{task.id}/read"),
        change(client, task.id, 0, quality={"text": "4"}),
        post(client, task.id, "submit", {"revision": 0}),
        post(client, task.id, "sign", {"password": PASSWORD, "digest": ""}),
        post(client, task.id, "correct", {"reason": "because"}),
    ]

    assert [answer.status_code for answer in answers] == [404] * 5


@pytest.mark.requirement("R11", "R51")
def test_a_project_is_published_from_the_page_with_a_password_and_downloaded_again(world: World) -> None:
    client, address = browser(world.administrator), f"/projects/{world.space_id}/setup/"
    example = text(client.get(address)).count("CT lesion pilot")

    answer = client.post(address, {"text": EXAMPLE, "password": PASSWORD, "seen": "0"})
    page = text(client.get(address))
    file = client.get(f"{address}file")

    assert example == 1
    assert answer.status_code == 302
    assert f"Signed by {world.administrator.full_name}" in page
    assert file.content.startswith(b"collegium: project/1")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"text": EXAMPLE.replace("max: 5\n", "max: 0\n")}, "Line 33: “min” is greater than “max”."),
        ({"password": "wrong"}, "That is not your password"),
        ({"password": ""}, "needs the project file and your password"),
        ({"seen": "7"}, "Somebody published another version meanwhile"),
    ],
)
def test_what_stops_a_publication_is_told_and_the_file_stays_in_the_page(
    world: World, changes: dict[str, str], words: str
) -> None:
    client, address = browser(world.administrator), f"/projects/{world.space_id}/setup/"

    answer = client.post(address, {"text": EXAMPLE, "password": PASSWORD, "seen": "0"} | changes)

    assert answer.status_code == 422
    assert words in text(answer)
    assert "Longest diameter" in text(answer)


@pytest.mark.requirement("R01")
def test_the_set_up_is_refused_to_an_editor(world: World) -> None:
    client = browser(world.join("Editor"))

    assert client.get(f"/projects/{world.space_id}/setup/").status_code == 403


def test_a_new_reader_is_given_the_missing_tasks_from_the_page(study: Study) -> None:
    study.arrive()
    late = study.world.join("Reader")

    answer = browser(study.world.administrator).post(f"/projects/{study.world.space_id}/tasks/")

    assert answer.status_code == 302
    assert len(study.tasks(late)) == 1


@pytest.mark.requirement("R22")
def test_a_long_list_of_tasks_goes_on_after_its_last_line_and_shows_each_once(study: Study) -> None:
    from collegium.kit.pages.lists import PAGE_SIZE

    for number in range(PAGE_SIZE + 2):
        study.arrive(f"S-{number:03d}")
    client = browser(study.reader)

    first = text(client.get("/tasks/"))
    (address,) = re.findall(r'href="(/tasks/\?after=[^"]+)"', first)
    second = text(client.get(address))

    shown = [set(re.findall(r"/tasks/([0-9a-f-]{36})/read", one)) for one in (first, second)]
    assert [len(one) for one in shown] == [PAGE_SIZE, 2]
    assert shown[0] | shown[1] == {str(task.id) for task in study.tasks()}
    assert "after=" not in second
