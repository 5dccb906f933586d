"""Exams that no rule can place, or whose subject has no site, wait for a person (decision 0037)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collegium.kit.database import acting_as
from collegium.kit.errors import NotFound, Refused
from collegium.research.pipeline import queries, services, visit_pages
from collegium.research.pipeline.errors import (
    AlreadyPlaced,
    NotPlaced,
    ReasonNeeded,
    VisitBegun,
    VisitUnknown,
)
from collegium.research.pipeline.models import Unplaced
from collegium.research.projects.people import conflict_of
from collegium.trust.audit import queries as audit
from collegium_testkit.committee import Committee, gathered
from collegium_testkit.visits import (
    BASELINE,
    FITS_NOTHING,
    OVERLAPPING,
    THREE,
    WEEK8_ON,
    exams_shown,
    place,
    take_back,
    told,
    unplaced,
)

if TYPE_CHECKING:
    from collegium_testkit.world import World


@pytest.fixture
def committee(world: World) -> Committee:
    return gathered(world, THREE, readers=3)


@pytest.mark.requirement("I08")
def test_exams_that_waited_for_the_project_file_are_placed_from_the_earliest_on(world: World) -> None:
    committee = Committee(world)
    early, late = unplaced(committee, BASELINE), unplaced(committee, WEEK8_ON)

    committee.gather()
    with committee.acting() as actor:
        found = services.place_waiting_exams(actor=actor)
        placed = {one.exam_id: one.visit and one.visit.code for one in queries.placements(actor)}

    assert found == 2
    assert placed == {early.exam_id: "baseline", late.exam_id: "week8"}


@pytest.mark.requirement("I08")
@pytest.mark.parametrize(
    ("study_date", "why"),
    [(FITS_NOTHING, Unplaced.NO_VISIT), ("20240101", Unplaced.BEFORE_FIRST), ("", Unplaced.NO_DATE)],
)
def test_an_exam_that_fits_no_visit_is_kept_and_told(
    committee: Committee, study_date: str, why: Unplaced
) -> None:
    committee.arrive(study_date=BASELINE)

    left = unplaced(committee, study_date)

    assert (left.unplaced, left.visit) == (why, None)
    assert "exam_unplaced" in told(committee, "qc")
    assert "exam_unplaced" not in told(committee, "reader1")


@pytest.mark.requirement("I08")
def test_an_exam_between_two_windows_is_not_guessed_unless_its_day_is_known(world: World) -> None:
    committee = Committee(world)
    committee.gather(OVERLAPPING)
    committee.arrive(study_date=BASELINE)

    first = unplaced(committee, "20240320")
    place(committee, first.exam_id, "week16")
    again = unplaced(committee, "20240320")

    assert first.unplaced == Unplaced.AMBIGUOUS
    assert again.visit
    assert again.visit.code == "week16"


@pytest.mark.requirement("I07", "I09")
def test_a_rescan_of_another_day_is_placed_by_hand_and_checked_again(committee: Committee) -> None:
    committee.arrive(study_date=BASELINE)
    committee.do(committee.tasks(step="eligibility")[0], eligible="yes")
    committee.do(committee.tasks(step="qc")[0], verdict="correct")
    rescan = unplaced(committee, FITS_NOTHING)

    place(committee, rescan.exam_id, "baseline", "qc")

    assert committee.states("qc") == ["superseded", "open"]
    assert committee.tasks(step="qc")[0].has_late_images
    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        (line,) = [
            one
            for one in audit.history(committee.world.actor(), "research.exam", rescan.exam_id)
            if one.action == "research.exam.placed"
        ]
    assert line.reason == "The site says so."


@pytest.mark.requirement("I09")
def test_visits_that_came_in_the_wrong_order_are_put_right_by_hand(committee: Committee) -> None:
    later = committee.arrive(study_date=WEEK8_ON)
    earlier = unplaced(committee, BASELINE)
    assert earlier.unplaced == Unplaced.BEFORE_FIRST

    take_back(committee, later)
    place(committee, earlier.exam_id, "baseline")
    place(committee, later, "week8")

    committee.do(committee.tasks(step="eligibility")[0], eligible="yes")
    assert [task.state for task in committee.visit("baseline", "qc")] == ["open"]
    assert [task.state for task in committee.visit("week8", "qc")] == ["open"]
    for task in [*committee.visit("baseline", "qc"), *committee.visit("week8", "qc")]:
        committee.do(task, verdict="accept")
    assert [task.state for task in committee.visit("baseline")] == ["open", "open"]
    assert [task.state for task in committee.visit("week8")] == ["waiting", "waiting"]
    assert [len(exams_shown(committee, task)) for task in committee.visit("week8")] == [2, 2]


def test_what_was_taken_back_is_placed_by_a_person_only(committee: Committee) -> None:
    exam_id = committee.arrive(study_date=BASELINE)
    take_back(committee, exam_id, "qc")

    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        found = services.place_waiting_exams(actor=committee.world.actor())

    assert found == 0
    assert committee.visit("baseline", "qc") == []
    place(committee, exam_id, "baseline")
    assert [task.run for task in committee.visit("baseline", "qc")] == [2]


def test_an_exam_beside_another_is_taken_back_without_the_visits_tasks(committee: Committee) -> None:
    committee.arrive(study_date=BASELINE)
    second = committee.arrive(study_date=BASELINE)

    take_back(committee, second)

    assert [task.run for task in committee.visit("baseline", "qc")] == [1]
    assert len(exams_shown(committee, committee.visit("baseline")[0])) == 1


def test_an_exam_stays_once_a_task_on_it_was_begun(committee: Committee) -> None:
    exam_id = committee.arrive(study_date=BASELINE)
    committee.do(committee.tasks(step="eligibility")[0], eligible="yes")
    committee.open(committee.tasks(step="qc")[0])

    with pytest.raises(VisitBegun):
        take_back(committee, exam_id)


def test_placing_by_hand_says_why_where_and_once(committee: Committee) -> None:
    committee.arrive(study_date=BASELINE)
    left = unplaced(committee, FITS_NOTHING)

    with pytest.raises(ReasonNeeded):
        place(committee, left.exam_id, "baseline", reason=" ")
    with pytest.raises(VisitUnknown):
        place(committee, left.exam_id, "week99")
    with pytest.raises(NotPlaced):
        take_back(committee, left.exam_id)
    place(committee, left.exam_id, "baseline")
    with pytest.raises(AlreadyPlaced):
        place(committee, left.exam_id, "week8")


def test_exams_of_another_site_are_placed_by_its_own_people(committee: Committee) -> None:
    committee.arrive("S-002", BASELINE, site="02")
    left = unplaced(committee, FITS_NOTHING, "S-002", site="02")

    with pytest.raises(NotFound):
        place(committee, left.exam_id, "baseline", "qc")
    with pytest.raises(Refused):
        place(committee, left.exam_id, "baseline", "reader1")


def test_the_page_lists_what_waits_and_places_it(committee: Committee) -> None:
    committee.arrive(study_date=BASELINE)
    left = unplaced(committee, FITS_NOTHING)
    browser, address = committee.browser("qc"), f"/projects/{committee.world.space_id}/visits/"

    page = browser.get(address).content.decode()
    refused = browser.post(address, {"act": "place", "id": left.exam_id, "visit": "baseline", "reason": ""})
    done = browser.post(
        address, {"act": "place", "id": left.exam_id, "visit": "baseline", "reason": "A second scan."}
    )

    assert "S-001" in page
    assert "2.25." not in page
    assert FITS_NOTHING not in page
    assert (refused.status_code, done.status_code) == (422, 302)
    assert "Placed by hand" in browser.get(address).content.decode()
    assert browser.post(address, {"act": "take-back", "id": left.exam_id, "reason": "No."}).status_code == 302


def test_the_page_says_how_many_more_exams_wait(
    committee: Committee, monkeypatch: pytest.MonkeyPatch
) -> None:
    committee.arrive(study_date=BASELINE)
    monkeypatch.setattr(visit_pages, "PAGE_SIZE", 1)
    for _ in range(3):
        unplaced(committee, FITS_NOTHING)

    page = committee.browser().get(f"/projects/{committee.world.space_id}/visits/").content.decode()

    assert "2 more wait; they are listed once these are placed." in page


def test_the_page_shows_nothing_of_other_sites_and_opens_to_placers_only(committee: Committee) -> None:
    committee.arrive("S-902", BASELINE, site="02")
    unplaced(committee, FITS_NOTHING, "S-902", site="02")
    address = f"/projects/{committee.world.space_id}/visits/"

    assert "S-902" not in committee.browser("qc").get(address).content.decode()
    assert "S-902" in committee.browser().get(address).content.decode()
    assert committee.browser("reader1").get(address).status_code == 403
    assert committee.browser().post(address, {"act": "place", "id": "x", "reason": "No."}).status_code == 404


# A subject whose site is not known


@pytest.mark.requirement("R21")
def test_a_subject_of_unknown_site_is_given_to_nobody_who_belongs_to_one(world: World) -> None:
    committee = Committee(world)
    committee.gather()
    committee.at_site(committee.people["reader1"])

    committee.arrive("S-100", site="")

    assert {committee.who(task) for task in committee.tasks(step="reading")} == {"reader2", ""}
    subject = committee.tasks(step="reading")[0].unit.subject
    with acting_as(world.administrator.principal, [world.space_id]):
        actor = world.actor()
        assert conflict_of(actor, committee.people["reader1"].principal.text, subject) == "site_unknown"
        assert conflict_of(actor, committee.people["reader2"].principal.text, subject) == ""


@pytest.mark.requirement("R21")
def test_a_site_that_becomes_known_later_finds_its_own_people_without_a_task(world: World) -> None:
    committee = Committee(world)
    committee.gather()
    for name in ("reader1", "reader2"):
        committee.at_site(committee.people[name])

    committee.arrive("S-100", site="")
    committee.arrive("S-100", WEEK8_ON, site="01")

    assert {task.assignee for task in committee.tasks(step="reading")} == {""}
