"""What reports of objects say together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collegium_deid import DeidError, Report

ONE = Report("trial", "2", "d1", Report.count("XXKU"), seconds=0.25)


def test_an_exam_s_report_is_the_sum_of_its_objects() -> None:
    looked_at = replace(ONE, areas=3, seconds=0.75)

    exam = Report.merged([ONE, looked_at])

    assert exam.counts == {"D": 0, "Z": 0, "X": 4, "K": 2, "C": 0, "U": 2}
    assert (exam.seconds, exam.areas, exam.objects) == (1.0, 3, 2)
    assert exam.recipe_digest == "d1"


def test_reports_of_two_recipes_are_not_one() -> None:
    for reports in ([], [ONE, replace(ONE, recipe_digest="d2")]):
        with pytest.raises(DeidError) as error:
            Report.merged(reports)
        assert error.value.code == "deid.report.mixed"
