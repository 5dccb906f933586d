"""From an arrived exam to a signed read, and every way that must be refused."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from collegium.forms.errors import EntryFrozen, EntryIncomplete, EntryStale
from collegium.imaging.grants import queries as grants
from collegium.kit import clock, ids
from collegium.kit.canonical import digest
from collegium.kit.database import acting_as
from collegium.kit.errors import NotFound, Refused
from collegium.research.pipeline.models import Task
from collegium.research.pipeline.queries import owner_of
from collegium.research.pipeline.services import cancel_task
from collegium.research.reads import services as reads
from collegium.research.reads.errors import (
    MarkChanged,
    MarkGone,
    ReadMoved,
    ReadNotADraft,
    ReadNotSubmitted,
    ReasonMissing,
)
from collegium.research.reads.models import ReadVersion
from collegium.trust.audit.models import AuditEntry
from collegium.trust.identity.errors import AccountLocked, WrongPassword
from collegium_testkit.world import PASSWORD, new_person

if TYPE_CHECKING:
    from collegium_testkit.study import Study
    from collegium_testkit.world import World


def signed(study: Study) -> tuple[Task, ReadVersion]:
    task, revision = study.drafted()
    version = study.submit(task, revision)
    return task, study.sign(task, version.digest, PASSWORD)


def actions(study: Study) -> list[str]:
    """What the trail of the project says, in order."""
    with acting_as(study.world.administrator.principal, [study.world.space_id]):
        rows = AuditEntry.objects.filter(space_id=study.world.space_id).order_by("id")
        return list(rows.values_list("action", flat=True))


@pytest.mark.requirement("S03", "R53")
def test_a_read_is_opened_answered_measured_submitted_and_signed(study: Study) -> None:
    task, version = signed(study)

    assert study.task().state == "signed"
    assert version.signature is not None
    assert version.signature.full_name == study.reader.full_name
    assert version.signature.digest == digest(version.record)
    assert '"value":"12.5000"' in version.record
    wanted = [
        "research.read.opened",
        "forms.entry.flushed",
        "research.read.submitted",
        "signatures.record.signed",
    ]
    assert [action for action in actions(study) if action in wanted] == wanted
    assert task.label.startswith("R-")


@pytest.mark.requirement("R54")
def test_the_same_operation_again_changes_nothing_and_answers_alike(study: Study) -> None:
    study.arrive()
    task, op = study.task(), ids.uuid7()
    study.open(task)

    first = study.save(task, 0, {"quality": {"text": "4"}}, op)
    again = study.save(task, 0, {"quality": {"text": "4"}}, op)

    assert (first.revision, again.revision) == (1, 1)
    assert again.state == first.state


@pytest.mark.requirement("R54")
def test_a_second_window_is_told_that_its_form_is_stale_and_loses_nothing(study: Study) -> None:
    study.arrive()
    task = study.task()
    study.open(task)
    study.save(task, 0, {"quality": {"text": "4"}})

    with pytest.raises(EntryStale) as error:
        study.save(task, 0, {"quality": {"text": "2"}})

    assert error.value.revision == 1
    answer = error.value.state["quality"].answer
    assert answer is not None
    assert answer.value == "4"


@pytest.mark.requirement("R52")
def test_an_answer_out_of_range_is_saved_told_and_stops_the_submission(study: Study) -> None:
    task, revision = study.drafted()

    saved = study.save(task, revision, {"quality": {"text": "9"}})
    with pytest.raises(EntryIncomplete) as error:
        study.submit(task, saved.revision)

    assert saved.state["quality"].problems[0].message == "Between 1 and 5 points is possible."
    assert list(error.value.problems) == ["quality"]
    assert study.task().state == "in_progress"


@pytest.mark.requirement("R55")
def test_not_evaluable_is_an_answer_and_hides_what_depends_on_it(study: Study) -> None:
    task, revision = study.drafted()

    saved = study.save(task, revision, {"lesion": {"absent": "not_evaluable"}})
    version = study.submit(task, saved.revision)

    assert "diameter" in saved.changed
    assert '"lesion":{"kind":"not_evaluable"}' in version.record
    assert "diameter" not in version.record


def test_a_measured_value_is_read_from_its_mark_and_not_from_the_page(study: Study) -> None:
    study.arrive()
    task = study.task()
    study.open(task)
    mark = study.draw(task, "31.4159")

    saved = study.save(task, 0, {"diameter": {"mark_id": str(mark)}})

    answer = saved.state["diameter"].answer
    assert answer is not None
    assert answer.mark is not None
    assert (answer.value, answer.mark.revision) == ("31.4159", 1)


def test_a_mark_changed_after_it_was_taken_over_stops_the_submission(study: Study) -> None:
    task, revision = study.drafted()
    mark = study.draw(task)
    saved = study.save(task, revision, {"diameter": {"mark_id": str(mark)}})
    study.redraw(task, mark, "14.0000")

    with pytest.raises(MarkChanged) as error:
        study.submit(task, saved.revision)

    assert error.value.items == ["diameter"]
    assert study.task().state == "in_progress"


def test_a_mark_removed_after_it_was_taken_over_stops_the_submission(study: Study) -> None:
    task, revision = study.drafted()
    mark = study.draw(task)
    saved = study.save(task, revision, {"diameter": {"mark_id": str(mark)}})
    study.redraw(task, mark, "12.5000", is_struck=True)

    with pytest.raises(MarkGone):
        study.submit(task, saved.revision)


def test_a_submitted_read_cannot_be_changed_in_place(study: Study) -> None:
    task, revision = study.drafted()
    study.submit(task, revision)

    with pytest.raises(ReadNotADraft):
        study.save(task, revision, {"quality": {"text": "1"}})
    with pytest.raises(ReadNotADraft):
        study.submit(task, revision)


@pytest.mark.requirement("S03", "S04")
def test_a_wrong_password_signs_nothing_is_counted_and_locks_in_the_end(study: Study) -> None:
    task, revision = study.drafted()
    version = study.submit(task, revision)
    before = actions(study)

    for _ in range(5):
        with pytest.raises(WrongPassword):
            study.sign(task, version.digest, "not my password")

    with pytest.raises(AccountLocked):
        study.sign(task, version.digest, PASSWORD)
    assert study.task().state == "submitted"
    assert actions(study) == before


def test_only_the_version_that_was_looked_at_is_signed(study: Study) -> None:
    task, revision = study.drafted()
    study.submit(task, revision)

    with pytest.raises(ReadMoved):
        study.sign(task, "0" * 64, PASSWORD)


def test_a_draft_cannot_be_signed(study: Study) -> None:
    task, _ = study.drafted()

    with pytest.raises(ReadNotSubmitted):
        study.sign(task, "", PASSWORD)


@pytest.mark.requirement("R57", "R08")
def test_a_correction_is_a_new_version_with_a_reason_and_the_old_one_stays(study: Study) -> None:
    task, first = signed(study)

    study.correct(task, "Wrong quality score.")
    study.save(task, 1, {"quality": {"text": "3"}})
    second = study.submit(task, 2)
    study.sign(task, second.digest, PASSWORD)

    with acting_as(study.world.administrator.principal, [study.world.space_id]):
        versions = ReadVersion.objects.filter(read=first.read).order_by("number")
        found = [(version.number, version.state, version.reason) for version in versions]
        kept = versions[0].record
    assert found == [(1, "superseded", ""), (2, "signed", "Wrong quality score.")]
    assert kept == first.record


def test_a_correction_without_a_reason_is_refused(study: Study) -> None:
    task, _ = signed(study)

    with pytest.raises(ReasonMissing):
        study.correct(task, "  ")


def test_marks_cannot_be_drawn_on_what_was_submitted(study: Study) -> None:
    task, revision = study.drafted()
    study.submit(task, revision)

    opened = study.open(task)

    assert opened.grant
    assert opened.grant.mode == "view"


@pytest.mark.requirement("R07", "R32")
def test_a_reader_sees_only_own_tasks(study: Study) -> None:
    other = study.world.join("Reader")
    study.arrive()
    mine, theirs = study.tasks(), study.tasks(other)

    with acting_as(other.principal, [study.world.space_id]), pytest.raises(NotFound):
        reads.open_task(actor=study.world.actor(other), task_id=mine[0].id)

    assert len(mine) == len(theirs) == 1
    assert mine[0].id != theirs[0].id


@pytest.mark.requirement("R01")
def test_an_administrator_cannot_answer_for_a_reader(study: Study) -> None:
    study.arrive()
    task = study.task()

    with acting_as(study.world.administrator.principal, [study.world.space_id]), pytest.raises(NotFound):
        reads.open_task(actor=study.world.actor(), task_id=task.id)


@pytest.mark.requirement("R01")
def test_a_reader_whose_role_was_taken_away_is_refused(study: Study) -> None:
    study.arrive()
    task = study.task()
    viewer = study.world.join("Viewer")
    with acting_as(study.world.administrator.principal, [study.world.space_id]):
        Task.objects.filter(id=task.id).update(assignee=viewer.principal.text)

    with acting_as(viewer.principal, [study.world.space_id]), pytest.raises(Refused):
        reads.open_task(actor=study.world.actor(viewer), task_id=task.id)


@pytest.mark.requirement("R02")
def test_a_task_of_another_project_is_not_found_like_an_invented_one(
    study: Study, other_world: World
) -> None:
    study.arrive()
    task = study.task()
    stranger = other_world.join("Reader")

    for task_id in (task.id, ids.uuid7()):
        with acting_as(stranger.principal), pytest.raises(NotFound):
            reads.open_task(actor=other_world.actor(stranger), task_id=task_id)


def test_a_person_without_a_project_has_no_tasks(study: Study) -> None:
    study.arrive()

    assert study.tasks(new_person()) == []


def test_two_operations_at_once_cannot_both_win(study: Study) -> None:
    study.arrive()
    task = study.task()
    study.open(task)
    study.save(task, 0, {"quality": {"text": "4"}, "lesion": {"text": "no"}})
    study.submit(task, 1)

    with pytest.raises((EntryFrozen, ReadNotADraft)):
        study.save(task, 1, {"quality": {"text": "2"}})


def live_grants(study: Study, task: Task) -> list[object]:
    with acting_as(study.world.administrator.principal, [study.world.space_id]):
        return [grant.id for grant in grants.live_grants(study.world.actor(), owner=owner_of(task))]


@pytest.mark.requirement("R40", "R54")
def test_a_page_loaded_again_goes_on_under_the_same_grant(study: Study) -> None:
    study.arrive()
    task = study.task()
    first = study.open(task)

    again = study.open(task)

    assert first.grant
    assert again.grant
    assert again.grant.id == first.grant.id
    assert live_grants(study, task) == [first.grant.id]


@pytest.mark.requirement("R40")
def test_a_grant_about_to_end_is_replaced_and_ended(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    study.arrive()
    task = study.task()
    first = study.open(task)
    later = clock.now() + timedelta(hours=5)
    monkeypatch.setattr(clock, "now", lambda: later)

    again = study.open(task)

    assert first.grant
    assert again.grant
    assert again.grant.id != first.grant.id
    assert live_grants(study, task) == [again.grant.id]


@pytest.mark.requirement("R40")
def test_cancelling_a_task_takes_its_images_from_its_reader_at_once(study: Study) -> None:
    study.arrive()
    task = study.task()
    study.open(task)

    with acting_as(study.world.administrator.principal, [study.world.space_id]):
        cancel_task(actor=study.world.actor(), task_id=task.id, reason="Sent by mistake.")

    assert live_grants(study, task) == []
