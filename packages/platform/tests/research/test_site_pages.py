"""A site's own page: its subjects and what is asked of it; nothing of other sites, nothing of reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collegium.kit import ids
from collegium.kit.database import acting_as
from collegium.research.data_queries import services as data_queries
from collegium.research.projects.models import Site, Subject
from collegium_testkit.committee import TEXT, Committee
from collegium_testkit.pages import client_of

if TYPE_CHECKING:
    from typing import Any
    from uuid import UUID

    from collegium_testkit.world import Person, World

QC_WITH_WORDS = TEXT.replace(
    "correct: {en: Ask for a corrective action}}",
    "correct: {en: Ask for a corrective action}}\n"
    "      - {name: action, type: text, label: {en: What to do}, required: false}",
)


@pytest.fixture
def committee(world: World) -> Committee:
    made = Committee(world)
    made.gather(QC_WITH_WORDS)
    return made


def page(committee: Committee, person: Person, question: str = "") -> str:
    answer = client_of(person).get(f"/projects/{committee.world.space_id}/site/{question}")
    assert answer.status_code == 200
    return str(answer.content.decode())


def add(committee: Committee, person: Person, code: str, site: str = "01") -> Any:  # Any: the client's answer
    return client_of(person).post(
        f"/projects/{committee.world.space_id}/site/", {"code": code, "site": site_id(committee, site)}
    )


def site_id(committee: Committee, code: str) -> UUID:
    world = committee.world
    with acting_as(world.administrator.principal, [world.space_id]):
        return Site.objects.get(space_id=world.space_id, code=code).id


def codes(committee: Committee) -> list[tuple[str, str]]:
    world = committee.world
    with acting_as(world.administrator.principal, [world.space_id]):
        rows = Subject.objects.filter(space_id=world.space_id).order_by("code")
        return list(rows.values_list("code", "site__code"))


@pytest.mark.requirement("I08")
def test_a_site_user_sees_the_own_subjects_their_visits_and_what_has_arrived(committee: Committee) -> None:
    committee.arrive("A-1")
    committee.arrive("A-1", "20240301")

    seen = page(committee, committee.people["site"])

    assert "A-1" in seen
    assert "2024-01-05" in seen
    assert "2024-03-01" in seen


@pytest.mark.requirement("R02", "R01")
def test_nothing_of_another_site_is_on_the_page_or_found_by_it(committee: Committee) -> None:
    committee.arrive("A-1")
    committee.arrive("B-SECRET", site="02")
    committee.arrive("N-SECRET", site="")

    seen = page(committee, committee.people["site"]) + page(committee, committee.people["site"], "?q=SECRET")

    assert "A-1" in seen
    assert "B-SECRET" not in seen
    assert "N-SECRET" not in seen
    assert "South hospital" not in seen


@pytest.mark.requirement("R41", "R32")
def test_nothing_of_reads_or_readers_is_on_the_page(committee: Committee) -> None:
    reads = committee.until_reading("A-1")
    for task, response in zip(reads, ("PD", "CR"), strict=True):
        committee.do(task, response=response)
    world = committee.world
    with acting_as(world.administrator.principal, [world.space_id]):
        data_queries.open_task_query(
            actor=world.actor(), task_id=reads[0].id, text="Are you sure of it?", item="response"
        )

    seen = page(committee, committee.people["site"])

    secrets = [task.label for task in committee.tasks() if task.label != "A-1"]
    secrets += [str(task.id) for task in committee.tasks() if task.step in {"reading", "adjudication"}]
    secrets += [
        one.full_name for name, one in committee.people.items() if name.startswith(("reader", "adju"))
    ]
    secrets += ["Independent reading", "Adjudication", "Progression", "PD", "Are you sure of it?"]
    assert [one for one in secrets if one in seen] == []


@pytest.mark.requirement("I07")
def test_forms_corrective_actions_and_queries_stand_under_what_is_asked(committee: Committee) -> None:
    committee.arrive("A-1")
    asked_first = page(committee, committee.people["site"])
    (eligibility,) = committee.tasks(step="eligibility")
    committee.do(eligibility, eligible="yes")
    (qc,) = committee.tasks(step="qc")
    committee.do(qc, verdict="correct", action="Send the thin slices again.")
    world = committee.world
    with acting_as(world.administrator.principal, [world.space_id]):
        subject = Subject.objects.get(space_id=world.space_id, code="A-1")
        data_queries.open_subject_query(
            actor=world.actor(), subject_id=subject.id, text="When was the last dose?", visit_code="baseline"
        )

    seen = page(committee, committee.people["site"])

    assert f"/tasks/{eligibility.id}/read" in asked_first
    assert f"/tasks/{eligibility.id}/read" not in seen
    assert "Send the thin slices again." in seen
    assert "When was the last dose?" in seen


@pytest.mark.requirement("I07")
def test_a_corrective_action_is_asked_until_new_images_have_come(committee: Committee) -> None:
    committee.arrive("A-1")
    (eligibility,) = committee.tasks(step="eligibility")
    committee.do(eligibility, eligible="yes")
    (qc,) = committee.tasks(step="qc")
    committee.do(qc, verdict="correct", action="Send the thin slices again.")
    before = page(committee, committee.people["site"])

    committee.arrive("A-1")

    assert before.count("Send the thin slices again.") == 1
    assert "Corrective action" not in page(committee, committee.people["site"])


@pytest.mark.requirement("R09")
def test_a_subject_added_by_its_site_gets_the_sites_own_form(committee: Committee) -> None:
    answer = add(committee, committee.people["site"], "A-7")

    assert answer.status_code == 302
    assert codes(committee) == [("A-7", "01")]
    assert [task.step for task in committee.tasks("site")] == ["eligibility"]


@pytest.mark.requirement("R02")
@pytest.mark.parametrize("site", ["02", "none", "invented"])
def test_a_subject_is_added_to_an_own_site_alone(committee: Committee, site: str) -> None:
    given = {"02": site_id(committee, "02"), "none": "", "invented": ids.uuid7()}[site]

    answer = client_of(committee.people["site"]).post(
        f"/projects/{committee.world.space_id}/site/", {"code": "A-7", "site": given}
    )

    assert answer.status_code == 404
    assert codes(committee) == []


@pytest.mark.parametrize(
    ("code", "words"), [("", "letters, digits"), ("Ada Lovelace", "letters, digits"), ("B-1", "already")]
)
def test_a_code_that_cannot_be_or_is_taken_is_refused_in_words(
    committee: Committee, code: str, words: str
) -> None:
    committee.arrive("B-1", site="02")

    answer = add(committee, committee.people["site"], code)

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert codes(committee) == [("B-1", "02")]


@pytest.mark.requirement("R01")
@pytest.mark.parametrize("role", ["Viewer", "Editor", "Reader", "Adjudicator", "Monitor", "Sponsor viewer"])
def test_other_roles_have_no_such_page_even_when_they_belong_to_the_site(
    committee: Committee, role: str
) -> None:
    committee.arrive("A-1")
    person = committee.world.join(role)
    committee.at_site(person)
    address = f"/projects/{committee.world.space_id}/site/"

    seen, tried = client_of(person).get(address), add(committee, person, "A-7")

    assert (seen.status_code, tried.status_code) == (403, 403)
    assert "A-1" not in seen.content.decode()


def test_who_belongs_to_no_site_is_told_so(committee: Committee) -> None:
    committee.arrive("A-1")

    seen = page(committee, committee.world.join("Site user"))

    assert "You belong to no site" in seen
    assert "A-1" not in seen


@pytest.mark.requirement("R02")
def test_a_place_at_a_site_that_ended_shows_nothing_any_more(committee: Committee) -> None:
    committee.arrive("A-1")
    world, person = committee.world, committee.people["site"]
    with acting_as(world.administrator.principal, [world.space_id]):
        from collegium.research.projects.people.services import leave_site

        leave_site(
            actor=world.actor(), principal=person.principal, site_id=Site.objects.get(
                space_id=world.space_id, code="01"
            ).id
        )  # fmt: skip

    assert "A-1" not in page(committee, person)
