"""A new version of a project at work: what tasks and signed answers rest on stays, all else may change (R05)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collegium.kit.database import acting_as
from collegium.research.pipeline import services
from collegium.research.pipeline.publishing import publish_project
from collegium.research.projects import queries as projects
from collegium.research.projects.errors import StillInUse
from collegium.research.results import services as results
from collegium_testkit.committee import TEXT, Committee, gathered
from collegium_testkit.world import PASSWORD, new_world

if TYPE_CHECKING:
    from collegium_testkit.beginnings import Beginnings
    from collegium_testkit.world import World

GROUPED = TEXT.replace(
    "      - {name: sum, type: number",
    """      - group: targets
        label: {en: Targets}
        row: {en: target}
        prefix: T
        max: 5
        carry: true
        fixed: [place]
        items:
          - {name: place, type: text, label: {en: Where}}
          - {name: seen, type: text, label: {en: How}, required: false}
      - {name: sum, type: number""",
)
WEEK_16 = "  - {code: week16, label: {en: Week 16}, days: [90, 140]}\n"
WINDOW = "days: [40, 80]}\n"


def baseline_read() -> Committee:
    """A committee whose first visit was read and signed by both readers."""
    made = gathered(new_world(), GROUPED)
    for task in made.until_reading():
        made.do(task, response="SD")
    return made


@pytest.fixture
def committee(beginnings: Beginnings) -> Committee:
    return beginnings.begin(baseline_read)


def publish(committee: Committee, text: str) -> int:
    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        return publish_project(actor=committee.world.actor(), text=text).version


def renamed(before: str, after: str) -> str:
    assert before in GROUPED
    return GROUPED.replace(before, after)


@pytest.mark.requirement("R05")
@pytest.mark.parametrize(
    ("text", "named"),
    [
        (renamed("step: reading", "step: read2").replace("of: reading", "of: read2"), "Step “reading”"),
        (
            renamed("step: eligibility", "step: entry").replace("open_if: eligibility.", "open_if: entry."),
            "Step “eligibility”",
        ),
        (renamed("code: baseline", "code: first"), "Visit “baseline”"),
        (
            renamed("  eligibility:\n    label", "  entry:\n    label").replace("form: eligibility", "form: entry"),
            "Step “eligibility” has another form",
        ),
        (
            renamed("name: response\n", "name: outcome\n").replace(
                "a.response != b.response", "a.outcome != b.outcome"
            ),
            "Item “response” of form “response”",
        ),
        (renamed("group: targets", "group: lesions"), "Group “targets” of form “response”"),
        (renamed("{name: seen,", "{name: found,"), "Item “targets.seen” of form “response”"),
    ],
    ids=["step", "first step", "visit", "form", "item", "group", "item of a group"],
)  # fmt: skip
def test_what_answers_rest_on_is_not_renamed(committee: Committee, text: str, named: str) -> None:
    with pytest.raises(StillInUse) as refused:
        publish(committee, text)

    assert len(refused.value.parts) == 1
    assert refused.value.parts[0].startswith(named)
    assert "Keep" in refused.value.parts[0]
    with committee.acting() as actor:
        assert projects.current_version(actor).version == 1


@pytest.mark.requirement("R05")
def test_every_part_that_is_missing_is_named_at_once(committee: Committee) -> None:
    text = renamed("group: targets", "group: lesions").replace("code: baseline", "code: first")

    with pytest.raises(StillInUse) as refused:
        publish(committee, text)

    assert [part.split("”")[0] for part in refused.value.parts] == ["Visit “baseline", "Group “targets"]


@pytest.mark.requirement("R70")
def test_an_adjudication_whose_reads_were_judged_is_not_taken_out(committee: Committee) -> None:
    with pytest.raises(StillInUse) as refused:
        publish(committee, GROUPED[: GROUPED.index("  - step: adjudication")])

    assert "Step “adjudication”" in refused.value.parts[0]


@pytest.mark.requirement("R70")
def test_an_adjudication_keeps_its_form_while_its_answers_count(world: World) -> None:
    committee = gathered(world)
    first, second = committee.until_reading()
    committee.do(first, response="PR")
    committee.do(second, response="PD")
    committee.do(committee.tasks("adjudicator1")[0], chosen="a")
    anew = TEXT.replace("mode: choose\n    chooses: chosen\n", "mode: anew\n").replace(
        "form: settling", "form: response"
    )

    with pytest.raises(StillInUse, match="Nothing was published"):
        publish(committee, anew)

    with acting_as(world.administrator.principal, [world.space_id]):
        (row,) = results.view_results(actor=world.actor(), step="final.adjudication").rows
    assert row.answers["response"].value in {"PR", "PD"}


@pytest.mark.requirement("R05")
def test_what_nobody_rests_on_may_go(committee: Committee) -> None:
    assert publish(committee, renamed("code: week8", "code: w8")) == 2


@pytest.mark.requirement("R05")
def test_a_cancelled_task_rests_on_nothing(world: World) -> None:
    committee = gathered(world)
    committee.arrive()
    tasks = committee.tasks()[::-1]
    with acting_as(world.administrator.principal, [world.space_id]):
        for task in tasks:
            services.cancel_task(actor=world.actor(), task_id=task.id, reason="A rehearsal.")

    assert publish(committee, TEXT.replace("code: baseline", "code: first")) == 2


@pytest.mark.requirement("R05")
@pytest.mark.parametrize(
    "text",
    [
        GROUPED.replace(WINDOW, WINDOW + WEEK_16),
        renamed("label: {en: Independent reading}", "label: {en: Reading}"),
        renamed("days: [40, 80]", "days: [30, 90]"),
        renamed(
            "      - {name: sum, type: number",
            "      - {name: note, type: text, label: {en: Note}, required: false}\n      - {name: sum, type: number",
        ),
        renamed(
            "          - {name: seen,",
            "          - {name: size, type: text, label: {en: Size}, required: false}\n          - {name: seen,",
        ),
    ],
    ids=["visit", "label", "window", "item", "item of a group"],
)  # fmt: skip
def test_adding_and_relabelling_is_published_and_the_next_visit_reads_on(
    committee: Committee, text: str
) -> None:
    number = publish(committee, text)
    later = committee.until_reading(study_date="20240301")

    assert number == 2
    assert [task.project_version.version for task in later] == [2, 2]
    committee.do(later[0], response="PR")


@pytest.mark.requirement("R28")
def test_a_visit_added_before_a_read_one_keeps_the_sequence(committee: Committee) -> None:
    publish(committee, GROUPED.replace(WINDOW, WINDOW + WEEK_16))

    last = committee.until_reading(study_date="20240420")
    assert len(last) == 2
    for task in last:
        committee.do(task, response="SD")
    committee.until_reading(study_date="20240301")

    found = [
        task
        for task in committee.tasks(step="reading")
        if task.unit.visit and task.unit.visit.code == "week8"
    ]
    assert [task.state for task in found] == ["waiting", "waiting"]


def test_the_set_up_page_lists_what_is_missing(committee: Committee) -> None:
    browser = committee.browser()

    page = browser.post(
        f"/projects/{committee.world.space_id}/setup/",
        {"text": renamed("code: baseline", "code: first"), "password": PASSWORD, "seen": 1},
    )

    assert page.status_code == 422
    assert "Visit “baseline” is gone" in page.content.decode()
