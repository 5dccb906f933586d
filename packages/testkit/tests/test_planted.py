"""The generator plants what it says it plants, and the scorer sees what is wrong."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import pytest
from pydicom import dcmread

from collegium_testkit.planted import CLASSES, PLAIN, Action, Syntax, plant, score, total
from collegium_testkit.planted.table import plain_rows, rows

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from collegium_testkit.planted import Planted


def parsed(planted: Planted) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # identity is planted where it does not belong, and pydicom says so
        return dcmread(io.BytesIO(planted.data))


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, again = list(plant(3, 4)), list(plant(3, 4))

    assert [planted.data for planted in first] == [planted.data for planted in again]


def test_every_row_of_a_data_set_stands_at_the_top_and_deeper_in_three_objects() -> None:
    facts = [fact for planted in plant(1, 3) for fact in planted.truth.facts]

    top = {fact.path[0][0] for fact in facts if len(fact.path) == 1}
    deep = {fact.path[-1][0] for fact in facts if len(fact.path) > 1}
    wanted = {row.tag for row in plain_rows()}
    assert len(rows()) == 655  # and the row of private attributes, which private blocks stand for
    assert wanted - deep == {0x00120040} - deep
    assert wanted - top == {0x00120040, 0x00420011} - top


@pytest.mark.parametrize("syntax", list(Syntax))
def test_pydicom_reads_every_class_in_every_syntax(syntax: Syntax) -> None:
    objects = list(plant(2, len(CLASSES), classes=CLASSES, syntaxes=[syntax]))

    read = [parsed(planted) for planted in objects]

    assert {ds.SOPClassUID for ds in read} == set(CLASSES.values())
    assert [ds.get("PixelData", b"") for ds in read if syntax is not Syntax.BIG] == [
        planted.truth.pixels for planted in objects if syntax is not Syntax.BIG
    ]


def test_a_file_that_was_not_cleaned_scores_no_removal() -> None:
    planted = next(plant(4, 1))

    result = score(planted, planted.data)

    assert result.files_with_tokens == 1
    assert result.by_action()[Action.UID_CHANGED][0] == 0
    assert result.by_action()[Action.DATE_SHIFTED][0] == 0
    assert result.by_action()[Action.PIXELS_RETAINED] == (1, 1)
    assert result.share < 0.6


def test_a_missing_file_is_right_where_something_had_to_go_and_wrong_where_it_had_to_stay() -> None:
    result = score(next(plant(4, 1)), None)

    removed, required = result.by_action()[Action.TEXT_REMOVED]
    assert removed == required
    assert result.by_action()[Action.TAG_RETAINED][0] == 0


def test_a_file_that_cannot_be_read_is_a_problem() -> None:
    assert score(next(plant(4, 1)), b"no dicom").share == 0


def test_one_uid_that_became_two_is_inconsistent() -> None:
    planted = next(plant(5, 1))
    one, two = score(planted, planted.data), score(planted, planted.data)
    one.uids, two.uids = {"1.2": {"2.25.1"}}, {"1.2": {"2.25.2"}}
    one.offsets, two.offsets = {0: {-400}}, {0: {-401}}

    whole = total([one, two])

    assert whole.by_action()[Action.UID_CONSISTENT] == (0, 1)
    assert whole.by_action()[Action.INTERVAL_EXACT] == (0, 1)
    assert set(PLAIN) < set(CLASSES)
