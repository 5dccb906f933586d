"""Rows, what is computed over them, and the findings that later timepoints take over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collegium.forms import queries, services
from collegium.forms.answers import Answer, AnswerKind, MarkReference
from collegium.forms.changes import read_changes
from collegium.forms.errors import (
    AnswerLocked,
    AnswerRefused,
    ChangeUnreadable,
    EntryIncomplete,
    ItemUnknown,
    RowCarried,
    RowsClosed,
    TooManyRows,
)
from collegium.forms.judge import judge
from collegium.forms.models import EntryChange
from collegium.forms.problems import ProblemCode
from collegium.forms.rows import CarriedRow, carried_rows, mentioned, row_answer
from collegium.kit import ids
from collegium.kit.database import acting_as
from collegium.research.projects.project_file import parse_project
from collegium_testkit.trial_form import trial_project

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from collegium.forms.definition import FormDefinition
    from collegium_testkit.world import World

FORM = parse_project(trial_project()).forms["lesion"]
ONE, TWO = "targets.0000000a", "targets.0000000b"
PRESENT, STRUCK = Answer(AnswerKind.VALUE, "present"), Answer(AnswerKind.VALUE, "struck")
COMPLETE = {f"{ONE}.organ": "liver", f"{ONE}.counted": "40", "quality": "4"}


def value(text: str) -> Answer:
    return Answer(AnswerKind.VALUE, text)


def answers(words: Mapping[str, str], rows: tuple[str, ...] = (ONE,), struck: str = "") -> dict[str, Answer]:
    found = {path: row_answer(number=n, is_struck=path == struck) for n, path in enumerate(rows, 1)}
    return found | {path: value(text) for path, text in words.items()}


def computed(words: Mapping[str, str], rows: tuple[str, ...] = (ONE,), struck: str = "") -> dict[str, str]:
    state = judge(FORM, answers(words, rows, struck))
    return {path: answer.value for path, answer in state.computed.items()}


# ---- judging


@pytest.mark.requirement("R50", "R52")
def test_a_sum_over_rows_is_computed_whole_or_not_at_all() -> None:
    both = {f"{ONE}.counted": "20.5", f"{TWO}.counted": "10"}

    assert computed(both, (ONE, TWO)) == {"sum": "30.5"}
    assert computed({f"{ONE}.counted": "20.5"}, (ONE, TWO)) == {}
    assert computed({}, ()) == {}


@pytest.mark.requirement("R57")
def test_a_struck_row_counts_nowhere() -> None:
    both = {f"{ONE}.counted": "20.5", f"{TWO}.counted": "10", f"{ONE}.organ": "bone"}

    state = judge(FORM, answers(both, (ONE, TWO), struck=TWO))

    assert state.computed["sum"].value == "20.5"
    assert [one.path for one in state.visible if one.path.startswith(TWO)] == []
    assert state.counted[TWO].value == "struck"
    assert f"{TWO}.counted" not in state.counted


def test_an_item_of_a_row_is_shown_and_computed_from_its_own_row() -> None:
    words = {f"{ONE}.organ": "liver", f"{ONE}.counted": "9", f"{TWO}.organ": "lung", f"{TWO}.counted": "8"}

    found = computed(words, (ONE, TWO))

    assert found == {f"{ONE}.half": "4.50", "sum": "17.0"}


def test_a_check_of_a_row_judges_its_own_row() -> None:
    words = {f"{ONE}.organ": "node", f"{ONE}.counted": "9", f"{TWO}.organ": "lung", f"{TWO}.counted": "8"}

    state = judge(FORM, answers(words, (ONE, TWO)))

    assert [problem.code for problem in state[f"{ONE}.counted"].problems] == [ProblemCode.CHECK]
    assert state[f"{TWO}.counted"].problems == ()


@pytest.mark.parametrize(
    ("sum_now", "response"),
    [("69", "pr"), ("70", "pr"), ("70.1", "sd"), ("71.9", "sd"), ("72", "pd"), ("0", "cr")],
)
@pytest.mark.requirement("R52")
def test_a_response_is_computed_from_what_earlier_timepoints_gave(sum_now: str, response: str) -> None:
    # Baseline 100, nadir 60: partial response to 70, progression from 72 (+20 %, at least 5 mm). RECIST 1.1, 4.3.1.
    found = computed({f"{ONE}.counted": sum_now, "baseline": "100", "nadir": "60"})

    assert found["response"] == response


def test_a_response_without_a_baseline_is_not_shown() -> None:
    assert not judge(FORM, answers({f"{ONE}.counted": "70"}))["response"].visible


def test_too_few_and_too_many_rows_stop_a_submission() -> None:
    many = tuple(f"targets.0000000{n}" for n in range(4))

    none = [problem.code for path, problem in judge(FORM, {}).errors if path == "targets"]
    four = [problem.code for path, problem in judge(FORM, answers({}, many)).errors if path == "targets"]

    assert (none, four) == ([ProblemCode.REQUIRED], [ProblemCode.ROWS])


def test_derived_items_are_never_asked_for() -> None:
    state = judge(FORM, answers(COMPLETE))

    assert state.is_complete, state.errors
    assert [state[name].is_locked for name in ("sum", "baseline", "quality")] == [True, True, False]


ITEMS = [*(f"{row}.{name}" for row in (ONE, TWO) for name in ("counted", "half")), "sum", "baseline", "nadir"]
ROWS = st.builds(row_answer, number=st.integers(1, 3), carried=st.booleans(), is_struck=st.booleans())
NUMBERS = st.builds(
    Answer, st.sampled_from(AnswerKind), st.sampled_from(["1", "2.5", "-3", "9" * 20 + ".123456789"])
)


@settings(deadline=None)  # the machine is shared
@given(
    rows=st.dictionaries(st.sampled_from([ONE, TWO]), ROWS),
    numbers=st.dictionaries(st.sampled_from(ITEMS), NUMBERS),
)
def test_judging_never_fails_and_what_counts_judges_alike(
    rows: dict[str, Answer], numbers: dict[str, Answer]
) -> None:
    state = judge(FORM, rows | numbers)

    again = judge(FORM, state.counted)

    assert again.record() == state.record()
    assert judge(FORM, state.counted, is_frozen=True).record() == state.record()


# ---- changes


def read(changes: Mapping[str, object]) -> dict[str, Answer | None]:
    mark = Answer(AnswerKind.VALUE, "20", MarkReference("m", 1))
    return read_changes(FORM, changes, measured=lambda _: mark)  # type: ignore[arg-type]  # what a client may send


def test_a_client_names_rows_items_and_marks_by_their_paths() -> None:
    mark = str(ids.uuid7())

    found = read(
        {ONE: {"row": "present"}, f"{ONE}.organ": {"text": "liver"}, f"{ONE}.diameter": {"mark_id": mark}}
    )

    assert list(found) == [ONE, f"{ONE}.organ", f"{ONE}.diameter"]
    assert (found[ONE], found[f"{ONE}.organ"]) == (PRESENT, value("liver"))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({ONE: None}, ChangeUnreadable),
        ({ONE: {"row": "gone"}}, ChangeUnreadable),
        ({ONE: {"text": "present"}}, ChangeUnreadable),
        ({ONE: {"row": "present", "number": 7}}, ChangeUnreadable),
        ({"targets.0000000A": {"row": "present"}}, ItemUnknown),
        ({"targets": {"row": "present"}}, ItemUnknown),
        ({"others.0000000a": {"row": "present"}}, ItemUnknown),
        ({f"{ONE}.nothing": {"text": "x"}}, ItemUnknown),
        ({f"{ONE}.organ.more": {"text": "x"}}, ItemUnknown),
        ({"quality": {"row": "present"}}, ChangeUnreadable),
        ({f"{ONE}.diameter": {"text": "12"}}, AnswerRefused),
        ({f"{ONE}.organ": {"mark_id": str(ids.uuid7())}}, ChangeUnreadable),
    ],
)
def test_what_does_not_fit_the_form_is_refused(changes: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        read(changes)


# ---- entries


class Draft:
    """An entry and a person who changes it."""

    def __init__(self, world: World, form: FormDefinition = FORM, **start: object) -> None:
        self.world = world
        with acting_as(world.administrator.principal, [world.space_id]):
            version = services.publish_form(actor=world.actor(), definition=form)
            entry = services.open_entry(
                actor=world.actor(),
                form_version_id=version.id,
                owner=str(ids.uuid7()),
                **start,  # type: ignore[arg-type]  # passed on
            )
        self.id: UUID = entry.id
        self.revision: int = entry.revision

    def save(self, changes: Mapping[str, Answer | None]) -> services.Saved:
        with acting_as(self.world.administrator.principal, [self.world.space_id]):
            saved = services.save_changes(
                actor=self.world.actor(),
                entry_id=self.id,
                op_id=ids.uuid7(),
                base_revision=self.revision,
                changes=changes,
            )
        self.revision = saved.revision
        return saved

    def freeze(self) -> None:
        with acting_as(self.world.administrator.principal, [self.world.space_id]):
            services.freeze_entry(actor=self.world.actor(), entry_id=self.id, expected_revision=self.revision)

    @property
    def answers(self) -> dict[str, Answer]:
        with acting_as(self.world.administrator.principal, [self.world.space_id]):
            return queries.answers_of(queries.entry(self.world.actor(), self.id))

    def changed(self) -> list[tuple[int, str]]:
        with acting_as(self.world.administrator.principal, [self.world.space_id]):
            rows = EntryChange.objects.filter(entry_id=self.id).order_by("revision", "item")
            return [(row.revision, row.item) for row in rows]


def complete(draft: Draft) -> None:
    draft.save({ONE: PRESENT, **{path: value(text) for path, text in COMPLETE.items()}})


@pytest.mark.requirement("R57", "R60")
def test_rows_are_numbered_as_they_come_and_a_number_is_never_used_again(world: World) -> None:
    draft = Draft(world)
    draft.save({ONE: PRESENT, TWO: PRESENT})
    draft.save({TWO: STRUCK})
    draft.save({"targets.0000000c": PRESENT})
    draft.save({TWO: PRESENT})

    rows = {path: (answer.row.number, answer.value) for path, answer in draft.answers.items() if answer.row}

    assert rows == {ONE: (1, "present"), TWO: (2, "present"), "targets.0000000c": (3, "present")}


@pytest.mark.requirement("R57")
def test_a_row_is_struck_out_and_never_removed(world: World) -> None:
    draft = Draft(world)
    draft.save({ONE: PRESENT, f"{ONE}.organ": value("liver")})

    with pytest.raises(ItemUnknown):
        draft.save({ONE: None})
    draft.save({ONE: STRUCK})

    assert draft.answers[ONE].value == "struck"
    assert draft.answers[f"{ONE}.organ"] == value("liver")


def test_an_item_of_a_row_that_was_never_added_is_refused(world: World) -> None:
    with pytest.raises(ItemUnknown):
        Draft(world).save({f"{ONE}.organ": value("liver")})


def test_a_save_names_every_path_that_looks_different_now(world: World) -> None:
    draft = Draft(world)
    complete(draft)

    saved = draft.save({f"{ONE}.counted": value("30")})

    assert set(saved.changed) == {f"{ONE}.counted", f"{ONE}.half", "sum", ONE, "targets"}


@pytest.mark.requirement("R52")
@pytest.mark.parametrize("path", ["sum", "baseline", f"{ONE}.half"])
def test_what_is_computed_or_given_cannot_be_typed(world: World, path: str) -> None:
    draft = Draft(world)
    draft.save({ONE: PRESENT})

    with pytest.raises(AnswerLocked):
        draft.save({path: value("1")})


def test_a_line_is_no_answer_to_two_diameters_nor_they_to_a_line(world: World) -> None:
    draft = Draft(world)
    draft.save({ONE: PRESENT})
    mark = MarkReference("m", 1)
    line, two = Answer(AnswerKind.VALUE, "9", mark), Answer(AnswerKind.VALUE, "9", mark, short="4")

    with pytest.raises(AnswerRefused):
        draft.save({f"{ONE}.size": line})
    with pytest.raises(AnswerRefused):
        draft.save({f"{ONE}.diameter": two})
    draft.save({f"{ONE}.size": two, f"{ONE}.diameter": line})

    assert draft.answers[f"{ONE}.size"].short == "4"


def test_rows_without_end_are_refused(world: World) -> None:
    with pytest.raises(TooManyRows):
        Draft(world).save({f"targets.{n:08x}": PRESENT for n in range(201)})


@pytest.mark.requirement("R52", "R57")
def test_computed_values_are_frozen_with_the_answers_and_are_part_of_their_history(world: World) -> None:
    draft = Draft(world)
    complete(draft)
    draft.freeze()

    assert draft.answers["sum"] == value("40.0")
    assert [path for revision, path in draft.changed() if revision == 2] == ["sum", f"{ONE}.half"]


def test_a_copy_of_frozen_answers_computes_anew(world: World) -> None:
    draft = Draft(world)
    complete(draft)
    draft.freeze()

    with acting_as(world.administrator.principal, [world.space_id]):
        copy = services.copy_entry(actor=world.actor(), entry_id=draft.id, owner="copy")
        kept = queries.answers_of(copy)

    assert set(kept) == {ONE, *COMPLETE}


def test_what_is_incomplete_is_told_by_path(world: World) -> None:
    draft = Draft(world)
    draft.save({ONE: PRESENT})

    with pytest.raises(EntryIncomplete) as error:
        draft.freeze()

    assert set(error.value.problems) == {f"{ONE}.organ", f"{ONE}.counted", "quality"}


# ---- later timepoints


def follow_up(world: World) -> Draft:
    """A later timepoint after one with T1 in the liver, a struck T2, and a sum of 40."""
    first = Draft(world)
    complete(first)
    first.save({TWO: PRESENT, f"{ONE}.place": value("segment 7")})
    first.save({TWO: STRUCK})
    first.freeze()
    with acting_as(world.administrator.principal, [world.space_id]):
        carried = carried_rows(FORM, queries.counted_answers(queries.entry(world.actor(), first.id)))
    return Draft(world, given={"baseline": value("40.0"), "nadir": value("40.0")}, carried=carried)


@pytest.mark.requirement("R60")
def test_a_finding_keeps_its_identity_and_number_and_is_measured_anew(world: World) -> None:
    second = follow_up(world)
    second.save({"targets.0000000c": PRESENT})

    found = second.answers
    assert (found[ONE].row, found["targets.0000000c"].row) == (
        row_answer(number=1, carried=True).row,
        row_answer(number=3).row,
    )
    assert (found[f"{ONE}.organ"], found[f"{ONE}.place"]) == (value("liver"), value("segment 7"))
    assert f"{ONE}.counted" not in found
    assert found["baseline"] == value("40.0")


@pytest.mark.requirement("R60")
@pytest.mark.parametrize("path", [f"{ONE}.organ", f"{ONE}.place"])
def test_what_identifies_a_carried_finding_is_locked(world: World, path: str) -> None:
    with pytest.raises(AnswerLocked):
        follow_up(world).save({path: value("lung")})


@pytest.mark.requirement("R60")
@pytest.mark.parametrize(("path", "answer"), [(ONE, STRUCK), (TWO, PRESENT)])
def test_a_carried_finding_is_neither_struck_out_nor_brought_back(
    world: World, path: str, answer: Answer
) -> None:
    with pytest.raises(RowCarried):
        follow_up(world).save({path: answer})


@pytest.mark.requirement("R60")
def test_findings_that_are_chosen_first_take_no_further_row_later(world: World) -> None:
    closed = parse_project(trial_project().replace("carry: true", "carry: true\n        add: first")).forms[
        "lesion"
    ]
    first = Draft(world, closed)
    first.save({ONE: PRESENT})
    second = Draft(world, closed, carried=carried_rows(closed, first.answers))

    with pytest.raises(RowsClosed):
        second.save({TWO: PRESENT})

    assert second.answers[ONE].row == row_answer(number=1, carried=True).row
    assert judge(closed, second.answers).groups[0].is_closed


def test_only_given_items_and_carrying_groups_take_something_over(world: World) -> None:
    with pytest.raises(AnswerLocked):
        Draft(world, given={"quality": value("3")})
    with pytest.raises(AnswerLocked):
        Draft(world, carried={"others": [CarriedRow("0000000a", 1, {})]})


def test_the_start_of_an_entry_is_in_its_history(world: World) -> None:
    second = follow_up(world)

    assert second.revision == 1
    assert [path for _, path in second.changed()] == sorted(
        ["baseline", "nadir", ONE, f"{ONE}.organ", f"{ONE}.place", TWO]
    )


def test_items_of_rows_are_named_after_their_rows_and_struck_rows_are_not_named() -> None:
    found = {
        path: label["en"]
        for path, _, label in mentioned(FORM, answers(COMPLETE), answers({}, (ONE, TWO), TWO))
    }

    assert found[f"{ONE}.organ"] == "T1 Organ"
    assert found["quality"] == "Image quality"
    assert not any(path.startswith(TWO) for path in found)
