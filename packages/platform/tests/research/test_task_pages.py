"""The manager's page of a task: what may be done in each state, with a reason, and what is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from collegium_testkit.committee import Committee
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from collegium.research.pipeline.models import Task
    from collegium_testkit.world import World


@pytest.fixture
def committee(world: World) -> Committee:
    gathered = Committee(world)
    gathered.gather(readers=3)
    return gathered


@pytest.fixture
def manager(world: World) -> Client:
    client = Client()
    assert client.login(email=world.administrator.email, password=PASSWORD)
    return client


def page(committee: Committee, task: Task) -> str:
    return f"/projects/{committee.world.space_id}/tasks/{task.id}/"


def test_an_open_task_is_given_to_another_reader_with_a_reason(committee: Committee, manager: Client) -> None:
    first, second = committee.until_reading()
    busy = {committee.who(first), committee.who(second)}
    free = next(one for name, one in committee.people.items() if name[:6] == "reader" and name not in busy)
    shown = manager.get(page(committee, first)).content.decode()

    done = manager.post(
        page(committee, first), {"act": "reassign", "to": free.principal.text, "reason": "Holiday."}
    )

    assert free.full_name in shown
    assert done.status_code == 302
    assert committee.tasks(step="reading")[0].assignee == free.principal.text
    assert "Holiday." in manager.get(page(committee, first)).content.decode()


def test_an_act_without_a_reason_is_refused_in_words(committee: Committee, manager: Client) -> None:
    first, _ = committee.until_reading()

    refused = manager.post(page(committee, first), {"act": "cancel", "reason": ""})

    assert refused.status_code == 422
    assert "Say why" in refused.content.decode()
    assert committee.states("reading") == ["open", "open"]


def test_a_signed_task_is_run_again_and_its_page_leads_to_the_new_run(
    committee: Committee, manager: Client
) -> None:
    first, _ = committee.until_reading()
    committee.do(first, response="PR")

    done = manager.post(
        page(committee, first), {"act": "rerun", "reason": "The wrong series was shown."}, follow=True
    )

    body = done.content.decode()
    assert committee.states("reading") == ["superseded", "open", "open"]
    assert done.redirect_chain[0][0] != page(committee, first)
    assert "Superseded" in body


def test_a_judgement_that_waits_for_a_person_stands_above_the_tasks(
    committee: Committee, manager: Client
) -> None:
    first, second = committee.until_reading()
    committee.do(first, response="PR")
    committee.do(second, not_evaluable="response")
    listed = manager.get(f"/projects/{committee.world.space_id}/tasks/").content.decode()
    found = re.search(r'action="([^"]*/discrepancies/[^"]*)"', listed)
    assert found

    manager.post(found[1], {"differs": "yes", "reason": "Not evaluable is a difference."})

    assert "You decide" in listed
    assert committee.states("adjudication") == ["open"]
