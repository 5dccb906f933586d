"""The page of people, one person's page, and the reader's own word that they know a subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collegium.kit import ids
from collegium.kit.database import acting_as
from collegium.research.projects.models import Conflict, Site, Subject
from collegium.research.projects.people import queries as people
from collegium.research.projects.people.services import declare_conflict, join_site
from collegium.trust.tenancy.models import Membership
from collegium_testkit.committee import Committee
from collegium_testkit.pages import client_of
from collegium_testkit.world import new_person

if TYPE_CHECKING:
    from typing import Any
    from uuid import UUID

    from collegium_testkit.study import Study
    from collegium_testkit.world import Person, World


def membership(world: World, person: Person) -> UUID:
    with acting_as(world.administrator.principal, [world.space_id]):
        row = Membership.objects.get(space_id=world.space_id, principal=person.principal.text, ended_at=None)
        return row.id


def site_id(world: World) -> UUID:
    with acting_as(world.administrator.principal, [world.space_id]):
        return Site.objects.get(space_id=world.space_id).id


def subject_id(world: World) -> UUID:
    with acting_as(world.administrator.principal, [world.space_id]):
        return Subject.objects.get(space_id=world.space_id).id


def listing(world: World, person: Person) -> Any:  # Any: the test client's answer
    return client_of(person).get(f"/projects/{world.space_id}/people/")


def post(world: World, person: Person, act: str, **given: object) -> Any:  # Any: the same
    """The administrator does something to a person on that person's page."""
    address = f"/projects/{world.space_id}/people/{membership(world, person)}/"
    return client_of(world.administrator).post(address, {"act": act, **given})


def role_of(world: World, person: Person) -> str:
    with acting_as(world.administrator.principal, [world.space_id]):
        rows = Membership.objects.filter(
            space_id=world.space_id, principal=person.principal.text, ended_at=None
        )
        return ", ".join(rows.values_list("role__name", flat=True))


def test_the_administrator_sees_everybody_with_site_conflicts_and_open_tasks(study: Study) -> None:
    study.arrive("S-7")
    world, reader = study.world, study.reader.principal
    site, subject = site_id(world), subject_id(world)
    with acting_as(world.administrator.principal, [world.space_id]):
        actor = world.actor()
        join_site(actor=actor, principal=reader, site_id=site)
        declare_conflict(actor=actor, principal=reader, subject_id=subject, reason="An old friend.")

    page = listing(world, world.administrator).content.decode()

    assert study.reader.full_name in page
    assert study.reader.email in page
    assert "Example hospital" in page
    assert "S-7" in page
    assert '<td class="number">1</td>' in page


@pytest.mark.requirement("R01")
@pytest.mark.parametrize("role", ["Viewer", "Editor", "Monitor"])
def test_others_see_names_and_roles_and_nothing_private(study: Study, role: str) -> None:
    study.arrive("S-7")
    world = study.world
    post(world, study.reader, "declare", about=f"subject:{subject_id(world)}", reason="An old friend.")

    page = listing(world, world.join(role)).content.decode()

    assert study.reader.full_name in page
    assert study.reader.email not in page
    assert "S-7" not in page
    assert "old friend" not in page
    assert "Add somebody" not in page


@pytest.mark.requirement("R01", "R41")
@pytest.mark.parametrize("role", ["Reader", "Adjudicator", "Data manager", "Site user", "Sponsor viewer"])
def test_who_reads_or_belongs_to_a_site_does_not_see_the_people(study: Study, role: str) -> None:
    assert listing(study.world, study.world.join(role)).status_code == 403


@pytest.mark.requirement("R01")
@pytest.mark.parametrize("role", ["Viewer", "Editor", "Monitor", "Reader", "Site user"])
def test_only_who_manages_members_changes_anything(study: Study, role: str) -> None:
    world = study.world
    client, one = client_of(world.join(role)), membership(world, study.reader)
    stranger = new_person()

    answers = [
        client.get(f"/projects/{world.space_id}/people/{one}/"),
        client.post(f"/projects/{world.space_id}/people/", {"email": stranger.email, "role": "Reader"}),
        *(
            client.post(
                f"/projects/{world.space_id}/people/{one}/", {"act": act, "reason": "x", "role": "Viewer"}
            )
            for act in ("role", "end", "declare", "join", "leave", "withdraw", "take-back")
        ),
    ]

    assert [answer.status_code for answer in answers] == [403] * 9
    assert role_of(world, study.reader) == "Reader"
    assert not role_of(world, stranger)


@pytest.mark.requirement("R02")
def test_a_person_of_another_project_is_not_found(study: Study, other_world: World) -> None:
    there = membership(other_world, other_world.administrator)
    client = client_of(study.world.administrator)

    assert client.get(f"/projects/{study.world.space_id}/people/{there}/").status_code == 404
    assert client.get(f"/projects/{study.world.space_id}/people/{ids.uuid7()}/").status_code == 404
    assert client.get(f"/projects/{other_world.space_id}/people/{there}/").status_code == 404


def test_an_account_is_added_with_a_role_from_the_page(study: Study) -> None:
    world, person = study.world, new_person("Newcomer")

    answer = client_of(world.administrator).post(
        f"/projects/{world.space_id}/people/", {"email": person.email.upper(), "role": "Monitor"}
    )

    assert answer.status_code == 302
    assert role_of(world, person) == "Monitor"


@pytest.mark.parametrize(
    ("email", "role", "words"),
    [
        ("nobody@example.org", "Reader", "collegium account add"),
        ("", "Reader", "collegium account add"),
        ("reader", "Reader", "is a member already"),
        ("reader", "Gateway", "not for people"),
        ("reader", "King", "not for people"),
    ],
)
def test_what_stops_somebody_from_being_added_is_told(
    study: Study, email: str, role: str, words: str
) -> None:
    world = study.world
    address = study.reader.email if email == "reader" else email

    answer = client_of(world.administrator).post(
        f"/projects/{world.space_id}/people/", {"email": address, "role": role}
    )

    assert answer.status_code == 422
    assert words in answer.content.decode()


@pytest.mark.requirement("R07")
def test_a_change_of_role_ends_one_membership_and_begins_the_next(study: Study) -> None:
    world, before = study.world, membership(study.world, study.reader)

    answer = post(world, study.reader, "role", role="Monitor", reason="Moves to monitoring.")

    assert answer.status_code == 302
    assert role_of(world, study.reader) == "Monitor"
    with acting_as(world.administrator.principal, [world.space_id]):
        assert Membership.objects.get(id=before).ended_at is not None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"role": "Monitor", "reason": " "}, "Say why"),
        ({"role": "King", "reason": "Because."}, "not for people"),
        ({"role": "Gateway", "reason": "Because."}, "not for people"),
    ],
)
def test_a_change_of_role_that_cannot_be_is_refused_in_words(
    study: Study, given: dict[str, str], words: str
) -> None:
    answer = post(study.world, study.reader, "role", **given)

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert role_of(study.world, study.reader) == "Reader"


def test_nobody_changes_the_own_role_and_the_last_administrator_stays(world: World) -> None:
    own = post(world, world.administrator, "role", role="Reader", reason="I want to read.")
    end = post(world, world.administrator, "end", reason="Enough.")

    assert (own.status_code, end.status_code) == (422, 422)
    assert "Nobody changes the own role" in own.content.decode()
    assert "needs an administrator" in end.content.decode()
    assert role_of(world, world.administrator) == "Administrator"


def test_a_membership_ends_with_its_places_at_sites_and_its_conflicts_stay(study: Study) -> None:
    world, reader = study.world, study.reader
    post(world, reader, "join", id=site_id(world))
    post(world, reader, "declare", about=f"site:{site_id(world)}", reason="Worked there.")

    answer = post(world, reader, "end", reason="Left the trial.")

    assert answer.status_code == 302
    assert not role_of(world, reader)
    assert client_of(reader).get(f"/projects/{world.space_id}/").status_code == 404
    with acting_as(world.administrator.principal, [world.space_id]):
        assert people.sites_of(world.actor()) == {}
        assert Conflict.objects.filter(space_id=world.space_id, withdrawn_at=None).count() == 1


def test_a_refused_end_leaves_the_places_at_sites_as_they_were(study: Study) -> None:
    admin = study.world.administrator
    post(study.world, admin, "join", id=site_id(study.world))

    post(study.world, admin, "end", reason="Enough.")

    with acting_as(admin.principal, [study.world.space_id]):
        assert list(people.sites_of(study.world.actor())) == [admin.principal.text]


def test_conflicts_are_declared_and_withdrawn_from_the_page(study: Study) -> None:
    world, reader = study.world, study.reader
    post(world, reader, "declare", about=f"site:{site_id(world)}", reason="Worked there.")
    with acting_as(world.administrator.principal, [world.space_id]):
        conflict = Conflict.objects.get(space_id=world.space_id)

    without = post(world, reader, "withdraw", id=conflict.id, reason="")
    done = post(world, reader, "withdraw", id=conflict.id, reason="Left the clinic.")

    assert (without.status_code, done.status_code) == (422, 302)
    with acting_as(world.administrator.principal, [world.space_id]):
        assert not people.live_conflicts(world.actor()).exists()


@pytest.mark.parametrize(
    "given", [{}, {"about": "site:x"}, {"about": "king"}, {"about": f"site:{ids.uuid7()}"}]
)
def test_a_conflict_about_nothing_known_is_refused(study: Study, given: dict[str, str]) -> None:
    answer = post(study.world, study.reader, "declare", reason="Because.", **given)

    assert answer.status_code in {404, 422}


@pytest.mark.parametrize("act", ["", "king", "join", "leave", "withdraw"])
def test_an_act_without_its_object_is_not_found(study: Study, act: str) -> None:
    assert post(study.world, study.reader, act, reason="Because.").status_code == 404


@pytest.mark.requirement("R21")
def test_tasks_that_may_not_be_read_any_more_are_shown_and_given_to_others(study: Study) -> None:
    world, other = study.world, study.world.join("Reader")
    study.arrive("S-7")
    subject = subject_id(world)
    with acting_as(world.administrator.principal, [world.space_id]):
        declare_conflict(
            actor=world.actor(), principal=study.reader.principal, subject_id=subject,
            reason="An old friend.",
        )  # fmt: skip
    address = f"/projects/{world.space_id}/people/{membership(world, study.reader)}/"

    before = client_of(world.administrator).get(address).content.decode()
    post(world, study.reader, "take-back")
    after = client_of(world.administrator).get(address).content.decode()

    assert "holds 1 task" in before
    assert "holds 1 task" not in after
    assert [task.state for task in study.tasks()] == ["cancelled"]
    assert study.tasks(other)


@pytest.mark.requirement("R21")
def test_what_an_administrator_declares_takes_the_tasks_away_at_once(study: Study) -> None:
    world, other = study.world, study.world.join("Reader")
    study.arrive("S-7")

    post(world, study.reader, "declare", about=f"subject:{subject_id(world)}", reason="An old friend.")

    assert [task.state for task in study.tasks()] == ["cancelled"]
    assert [task.state for task in study.tasks(other)] == ["open"]


@pytest.mark.requirement("R21", "R40")
def test_a_reader_who_knows_the_subject_says_so_and_the_task_leaves_them(study: Study) -> None:
    study.arrive("S-SECRET")
    task, client = study.task(), client_of(study.reader)

    page = client.get(f"/tasks/{task.id}/conflict").content.decode()
    answer = client.post(f"/tasks/{task.id}/conflict", {"reason": "My neighbour."})

    world = study.world
    assert answer.status_code == 302
    assert task.label in page
    assert "SECRET" not in page
    assert study.task().state == "cancelled"
    with acting_as(world.administrator.principal, [world.space_id]):
        (conflict,) = people.live_conflicts(world.actor())
        assert (conflict.principal, conflict.reason) == (study.reader.principal.text, "My neighbour.")
        assert conflict.subject is not None


@pytest.mark.requirement("R21")
def test_a_reader_gives_a_reason_or_keeps_the_task(study: Study) -> None:
    study.arrive()
    task = study.task()

    answer = client_of(study.reader).post(f"/tasks/{task.id}/conflict", {"reason": " "})

    assert answer.status_code == 422
    assert study.task().state == "open"


@pytest.mark.requirement("R32")
def test_nobody_says_it_for_the_task_of_another(study: Study) -> None:
    study.arrive()
    task = study.task()

    for other in (study.world.join("Reader"), study.world.administrator):
        client = client_of(other)
        assert client.get(f"/tasks/{task.id}/conflict").status_code == 404
        assert client.post(f"/tasks/{task.id}/conflict", {"reason": "Mine."}).status_code == 404
    assert study.task().state == "open"


def test_a_form_is_no_read_and_nobody_gives_it_back_for_knowing_the_subject(world: World) -> None:
    committee = Committee(world)
    committee.gather()
    committee.arrive("A-1")
    (eligibility,) = committee.tasks(step="eligibility")
    client = client_of(committee.people["site"])

    answer = client.post(f"/tasks/{eligibility.id}/conflict", {"reason": "My own patient."})

    assert answer.status_code == 404
    assert "I know this subject" not in client.get(f"/tasks/{eligibility.id}/read").content.decode()


@pytest.mark.requirement("R21")
def test_all_reads_of_the_subject_leave_the_reader_those_that_wait_too(world: World) -> None:
    committee = Committee(world)
    committee.gather(readers=3)
    committee.until_reading("A-1")
    committee.arrive("A-1", "20240301")
    reader = committee.who(committee.tasks(step="reading")[0])
    own = [task for task in committee.tasks(reader, "reading") if task.state == "open"]

    client_of(committee.people[reader]).post(f"/tasks/{own[0].id}/conflict", {"reason": "My neighbour."})

    assert {task.state for task in committee.tasks(reader, "reading")} == {"cancelled"}
    live = [task for task in committee.tasks(step="reading") if task.state in {"open", "waiting"}]
    assert len(live) == 4
    assert reader not in {committee.who(task) for task in live}


@pytest.mark.parametrize(("act", "given"), [("end", {}), ("role", {"role": "Monitor"})])
def test_who_leaves_or_changes_role_leaves_no_task_behind(
    world: World, act: str, given: dict[str, str]
) -> None:
    committee = Committee(world)
    committee.gather(readers=3)
    committee.until_reading("A-1")
    name = committee.who(committee.tasks(step="reading")[0])

    answer = post(world, committee.people[name], act, reason="Leaves.", **given)

    assert answer.status_code == 302
    assert [task.state for task in committee.tasks(name)] == ["cancelled"]
    assert [task.state for task in committee.tasks(step="reading")].count("open") == 2
