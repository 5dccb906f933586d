"""The list of queries, one query's page, a new one: what each role sees there and may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from collegium.kit import ids
from collegium.kit.database import acting_as
from collegium.kit.pages.lists import PAGE_SIZE
from collegium.notifications.models import Notification
from collegium.research.data_queries import services
from collegium.research.data_queries.models import DataQuery
from collegium.research.projects.models import Subject
from collegium_testkit.committee import gathered
from collegium_testkit.pages import client_of
from collegium_testkit.world import new_world

if TYPE_CHECKING:
    from typing import Any

    from collegium_testkit.beginnings import Beginnings
    from collegium_testkit.committee import Committee
    from collegium_testkit.study import Study
    from collegium_testkit.world import Person

QUESTION = "Is this the right lesion?"
TO_SITE = "Send the missing series."


def secret_being_read() -> Committee:
    """Two blinded reads of S-SECRET at the north hospital, signed by neither."""
    made = gathered(new_world())
    made.until_reading("S-SECRET")
    return made


@pytest.fixture
def committee(beginnings: Beginnings) -> Committee:
    return beginnings.begin(secret_being_read)


def ask(committee: Committee) -> DataQuery:
    """The administrator asks the first reader about the response."""
    world, task = committee.world, committee.tasks("reader1", "reading")[0]
    with acting_as(world.administrator.principal, [world.space_id]):
        return services.open_task_query(actor=world.actor(), task_id=task.id, text=QUESTION, item="response")


def ask_site(committee: Committee) -> DataQuery:
    world = committee.world
    with acting_as(world.administrator.principal, [world.space_id]):
        subject = Subject.objects.get(space_id=world.space_id)
        return services.open_subject_query(actor=world.actor(), subject_id=subject.id, text=TO_SITE)


def get(committee: Committee, who: Person, rest: str = "") -> Any:  # Any: the test client's answer
    return client_of(who).get(f"/projects/{committee.world.space_id}/queries/{rest}")


def post(committee: Committee, who: Person, rest: str, **given: object) -> Any:  # Any: the same
    return client_of(who).post(f"/projects/{committee.world.space_id}/queries/{rest}", given)


def say(
    committee: Committee, who: Person, query: DataQuery, act: str, text: str = "Because."
) -> Any:  # Any: the same
    return post(committee, who, f"{query.id}/", **{"query-act": act, "query-text": text})


def state(committee: Committee, query: DataQuery) -> str:
    world = committee.world
    with acting_as(world.administrator.principal, [world.space_id]):
        return DataQuery.objects.get(id=query.id).state


@pytest.mark.requirement("R40", "R42", "R56")
@pytest.mark.parametrize("rest", ["", "?q=SECRET", "?state=open&kind=manual", "?mine=1", "one"])
def test_a_blinded_reader_sees_own_queries_by_label_and_nothing_that_tells(
    committee: Committee, rest: str
) -> None:
    query, _ = ask(committee), ask_site(committee)
    reader, task = committee.people["reader1"], committee.tasks("reader1", "reading")[0]

    seen = get(committee, reader, f"{query.id}/" if rest == "one" else rest).content.decode()

    main = seen.split("<main", 1)[1].replace('value="SECRET"', "").replace("q=SECRET", "")
    assert "SECRET" not in main
    assert TO_SITE not in main
    assert "North hospital" not in main
    assert committee.world.administrator.full_name not in main
    assert str(task.unit.id) not in main
    assert (task.label in main) == (rest in {"", "?state=open&kind=manual", "one"})


@pytest.mark.requirement("R32")
@pytest.mark.parametrize("who", ["reader2", "adjudicator1", "site", "qc"])
def test_nobody_else_of_the_committee_sees_it(committee: Committee, who: str) -> None:
    query, person = ask(committee), committee.people[who]

    assert QUESTION not in get(committee, person).content.decode()
    assert get(committee, person, f"{query.id}/").status_code == 404
    for act in ("answer", "close", "reopen"):
        assert say(committee, person, query, act).status_code == 404
    assert state(committee, query) == "open"


@pytest.mark.requirement("R01")
@pytest.mark.parametrize("role", ["Viewer", "Editor", "Sponsor viewer"])
def test_who_neither_asks_nor_is_asked_has_no_such_page(committee: Committee, role: str) -> None:
    query, person = ask(committee), committee.world.join(role)

    answers = [get(committee, person), get(committee, person, f"{query.id}/"), get(committee, person, "new")]

    assert [answer.status_code for answer in answers] == [403] * 3


@pytest.mark.requirement("R01")
@pytest.mark.parametrize("who", ["reader1", "site", "adjudicator1"])
def test_who_is_asked_asks_nobody(committee: Committee, who: str) -> None:
    person, task = committee.people[who], committee.tasks("reader1", "reading")[0]

    assert get(committee, person, "new").status_code == 403
    assert post(committee, person, "new", task=task.id, text=QUESTION).status_code == 403


@pytest.mark.requirement("R56")
def test_a_dialogue_is_held_on_the_page(committee: Committee) -> None:
    query, reader, manager = ask(committee), committee.people["reader1"], committee.world.join("Monitor")

    assert say(committee, reader, query, "answer", "Yes, it is.").status_code == 302
    assert state(committee, query) == "answered"
    assert say(committee, manager, query, "reopen", "And the other one?").status_code == 302
    assert state(committee, query) == "open"
    assert say(committee, manager, query, "close", "").status_code == 302
    assert state(committee, query) == "closed"

    seen = get(committee, manager, f"{query.id}/").content.decode()
    assert "S-SECRET" in seen
    assert "Yes, it is." in seen
    assert reader.full_name in seen


@pytest.mark.parametrize(
    ("act", "text", "status"), [("answer", " ", 422), ("answer", "x" * 1001, 422), ("king", "x", 404)]
)
def test_what_cannot_be_said_is_refused_in_words_and_stays_in_the_page(
    committee: Committee, act: str, text: str, status: int
) -> None:
    query = ask(committee)

    answer = say(committee, committee.people["reader1"], query, act, text)

    assert answer.status_code == status
    assert state(committee, query) == "open"


@pytest.mark.requirement("R41")
def test_a_last_word_that_names_the_subject_is_refused(committee: Committee) -> None:
    query = ask(committee)

    answer = say(committee, committee.world.administrator, query, "close", "Thanks about S-SECRET.")

    assert answer.status_code == 422
    assert "Leave its code and its site out" in answer.content.decode()


@pytest.mark.requirement("R56")
def test_an_answer_from_the_reading_page_comes_back_as_the_query_alone(committee: Committee) -> None:
    query, reader = ask(committee), committee.people["reader1"]
    address = f"/projects/{committee.world.space_id}/queries/{query.id}/"
    client = client_of(reader)

    refused = client.post(address, {"query-act": "answer", "query-text": ""}, headers={"HX-Request": "true"})
    done = client.post(address, {"query-act": "answer", "query-text": "Yes."}, headers={"HX-Request": "true"})

    assert (refused.status_code, done.status_code) == (422, 200)
    assert refused.content.lstrip().startswith(f'<section class="query-note" id="query-{query.id}"'.encode())
    assert b"Answered" in done.content
    assert b"<main" not in done.content


def test_a_query_is_opened_by_choosing_a_task_and_an_item(committee: Committee) -> None:
    manager, task = committee.world.administrator, committee.tasks("reader1", "reading")[0]

    chooser = get(committee, manager, "new?q=secret").content.decode()
    form = get(committee, manager, f"new?task={task.id}").content.decode()
    named = post(committee, manager, "new", task=task.id, item="response", text="Why S-SECRET?")
    made = post(committee, manager, "new", task=task.id, item="response", text=QUESTION)

    assert f"?task={task.id}" in chooser
    assert '<option value="response"' in form
    assert "Why S-SECRET?" in named.content.decode()
    assert (named.status_code, made.status_code) == (422, 302)


def test_a_query_to_a_site_is_opened_by_choosing_a_subject(committee: Committee) -> None:
    manager = committee.people["qc"]
    chooser = get(committee, manager, "new").content.decode()
    subject = committee.tasks("reader1", "reading")[0].unit.subject

    made = post(committee, manager, "new", subject=subject.id, visit="baseline", text=TO_SITE)

    assert f"?subject={subject.id}" in chooser
    assert "?task=" not in chooser
    assert made.status_code == 302
    assert TO_SITE in get(committee, committee.people["site"]).content.decode()


@pytest.mark.requirement("R02")
def test_a_subject_of_another_site_is_not_found_by_a_sites_data_manager(committee: Committee) -> None:
    committee.arrive("B-SECRET", site="02")
    other = next(task for task in committee.tasks() if task.unit.subject.code == "B-SECRET").unit.subject
    manager = committee.people["qc"]

    chooser = get(committee, manager, "new").content.decode()

    assert "B-SECRET" not in chooser
    assert get(committee, manager, f"new?subject={other.id}").status_code == 404
    assert post(committee, manager, "new", subject=other.id, text=TO_SITE).status_code == 404
    assert get(committee, manager, f"new?task={ids.uuid7()}").status_code == 404


@pytest.mark.requirement("R03", "R40")
def test_whom_a_query_is_put_to_is_told_without_a_word_of_it(committee: Committee) -> None:
    query, to_site = ask(committee), ask_site(committee)
    say(committee, committee.people["reader1"], query, "answer", "Yes.")

    told: dict[str, list[tuple[str, str]]] = {}
    people = {**committee.people, "administrator": committee.world.administrator}
    for name, person in people.items():
        with acting_as(person.principal):
            rows = Notification.objects.filter(person=person.principal.id, kind__startswith="query")
            told[name] = list(rows.values_list("kind", "address"))

    def at(one: DataQuery) -> str:
        return f"/projects/{committee.world.space_id}/queries/{one.id}/"

    assert told == {
        "reader1": [("query_opened", at(query))], "reader2": [], "adjudicator1": [],
        "site": [("query_opened", at(to_site))], "qc": [("query_opened", at(to_site))],
        "administrator": [("query_answered", at(query))],
    }  # fmt: skip


def test_the_list_pages_by_key_and_narrows(committee: Committee) -> None:
    ask(committee)
    newer = [ask_site(committee) for _ in range(PAGE_SIZE)]
    manager = committee.world.administrator

    first = get(committee, manager).content.decode()
    rest = get(committee, manager, f"?after={newer[0].listing}").content.decode()
    nothing = get(committee, manager, "?state=closed").content.decode()

    assert (first.count(TO_SITE), first.count(QUESTION)) == (PAGE_SIZE, 0)
    assert "after=" in first
    assert (rest.count(TO_SITE), rest.count(QUESTION)) == (0, 1)
    assert "No query matches" in nothing


def test_a_list_costs_the_same_number_of_questions_to_the_database_whatever_its_length(
    committee: Committee,
) -> None:
    client = client_of(committee.world.administrator)
    address = f"/projects/{committee.world.space_id}/queries/"
    ask_site(committee)
    client.get(address)  # the first page of a session marks it as seen
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    made = [ask_site(committee) for _ in range(5)]

    with CaptureQueriesContext(connection) as many:
        client.get(address)

    assert made
    assert len(many) == len(few)


@pytest.mark.requirement("R56")
def test_a_warning_that_stands_at_submission_opens_a_query_and_a_correction_closes_it(study: Study) -> None:
    task, revision = study.drafted("1.0000")
    poor = study.save(task, revision, {"quality": {"text": "3"}})
    study.submit(task, poor.revision)
    asked = _system(study)
    draft = study.correct(task, "A better look.")
    better = study.save(task, draft.entry.revision, {"quality": {"text": "4"}})
    study.submit(task, better.revision)

    assert asked == [("diameter", "open")]
    assert _system(study) == [("diameter", "closed")]


@pytest.mark.requirement("R56", "R40")
def test_the_reading_page_and_the_task_list_show_what_is_asked(study: Study) -> None:
    study.arrive("S-SECRET")
    task, world = study.task(), study.world
    with acting_as(world.administrator.principal, [world.space_id]):
        actor = world.actor()
        services.open_task_query(actor=actor, task_id=task.id, text="Is the quality right?", item="quality")
        services.open_task_query(actor=actor, task_id=task.id, text="Anything else?")
    client = client_of(study.reader)

    tasks = client.get("/tasks/").content.decode()
    page = client.get(f"/tasks/{task.id}/read").content.decode()

    quality = page.split('data-item="quality"')[1].split("</fieldset>")[0]
    assert "2 queries" in tasks
    assert "Is the quality right?" in quality
    assert "Anything else?" in page.split("<form data-form")[0]
    assert f'hx-post="/projects/{world.space_id}/queries/' in quality
    assert "I know this subject" in page
    assert world.administrator.full_name not in page
    assert "S-SECRET" not in page


def _system(study: Study) -> list[tuple[str, str]]:
    world = study.world
    with acting_as(world.administrator.principal, [world.space_id]):
        rows = DataQuery.objects.filter(space_id=world.space_id, kind="system").order_by("listing")
        return list(rows.values_list("item", "state"))
