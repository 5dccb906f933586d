"""The manager's page of a task: what may be done in each state, with a reason, and what is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from collegium.kit.database import acting_as
from collegium.research.reads import services as reads
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


def begin(committee: Committee, task: Task) -> None:
    person = committee.people[committee.who(task)]
    with acting_as(person.principal, [committee.world.space_id]):
        reads.open_task(actor=committee.world.actor(person), task_id=task.id)


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


def test_a_begun_task_is_given_to_another_who_begins_anew_and_the_draft_is_kept(
    committee: Committee, manager: Client
) -> None:
    first, second = committee.until_reading()
    begin(committee, first)
    busy = {committee.who(first), committee.who(second)}
    free = next(one for name, one in committee.people.items() if name[:6] == "reader" and name not in busy)
    shown = manager.get(page(committee, first)).content.decode()

    done = manager.post(
        page(committee, first), {"act": "reassign", "to": free.principal.text, "reason": "Holiday."}
    )

    assert "Their draft is kept" in shown
    assert committee.states("reading") == ["cancelled", "open", "open"]
    fresh = committee.tasks(step="reading")[-1]
    assert (fresh.assignee, fresh.run) == (free.principal.text, 2)
    assert done.headers["Location"] == page(committee, fresh)


def test_run_again_is_offered_after_the_signature_and_names_what_it_supersedes(
    committee: Committee, manager: Client
) -> None:
    first, second = committee.until_reading()
    before = manager.get(page(committee, first)).content.decode()
    committee.do(first, response="PR")
    committee.do(second, response="SD")

    signed = manager.get(page(committee, first)).content.decode()
    dialog = signed[signed.index('id="rerun"') :].partition("</dialog>")[0]

    assert 'id="rerun"' not in before
    assert "These count no more" in dialog
    assert committee.people[committee.who(first)].full_name in dialog
    assert "Adjudication" in dialog


def test_a_task_page_that_is_only_looked_at_leaves_no_entry(committee: Committee, manager: Client) -> None:
    first, _second = committee.until_reading()
    before = manager.get(page(committee, first)).content.decode().count("<li")

    again = manager.get(page(committee, first)).content.decode().count("<li")

    assert before == again


def test_a_refused_act_opens_its_dialog_again_with_what_was_written(
    committee: Committee, manager: Client
) -> None:
    first, _second = committee.until_reading()

    refused = manager.post(page(committee, first), {"act": "cancel", "reason": "x"}).content.decode()

    dialog = refused[refused.index('id="cancel"') :].partition("</dialog>")[0]
    assert "data-open" in dialog
    assert ">x</textarea>" in dialog


def test_the_history_of_a_task_says_who_signed_and_what_followed_by_itself(
    committee: Committee, manager: Client
) -> None:
    first, second = committee.until_reading()
    committee.do(first, response="PR")
    committee.do(second, response="SD")
    (settling,) = committee.tasks(step="adjudication")
    signer = committee.people[committee.who(second)].full_name

    read = manager.get(page(committee, first)).content.decode()
    adjudication = manager.get(page(committee, settling)).content.decode()

    assert (
        f'<span class="who">{committee.people[committee.who(first)].full_name}</span> signed the read' in read
    )
    assert f"after {signer} signed the read" in adjudication
    assert f'<span class="who">{signer}</span> made a task' not in adjudication
