"""The leak check is worth something: it finds every leak that is put into the product, and none where there is none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.security.canaried import TOO_MUCH, UNBLINDED
from tests.security.mutants import MUTANTS

pytestmark = [
    pytest.mark.requirement("R40", "R41", "R42", "R43"),
    pytest.mark.journey,
    pytest.mark.timeout(1800),
]

Reports = dict[str, dict[str, Any]]
"""Any: JSON. By mutant; the product as it is stands under the empty name."""


@pytest.fixture(scope="session")
def reports() -> Reports:
    """One project full of canaries, checked as it is and with each fault, in a process that may be changed."""
    command = [sys.executable, "-m", "tests.security.canaried"]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=1700
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_the_product_as_it_is_tells_nothing(reports: Reports) -> None:
    report = reports[""]

    assert (report["leaks"], report["unplanned"], report["broken"]) == ([], [], [])
    assert report["requests"] > 10 * report["routes"]


def test_the_check_leaves_its_own_entry_in_the_trail_and_nothing_else(reports: Reports) -> None:
    trail = ["trust_audit_auditentry", "trust_audit_audithead", "trust_audit_auditlink"]

    assert reports[""]["changed"] == trail


def test_the_check_looks_for_everything_that_is_hidden(reports: Reports) -> None:
    kinds = reports[""]["values"]

    assert {
        "subject code", "UID of the archive", "date", "site", "visit", "name of somebody else", "blob key", "digest",
        "principal of somebody else", "task of somebody else", "gateway", "StudyDescription of an exam",
        "PatientSex of an exam",
    } <= kinds.keys()  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_the_check_finds(reports: Reports, name: str) -> None:
    report = reports[name]

    assert report["leaks"], report


@pytest.mark.requirement("R44")
def test_what_a_second_person_unblinded_is_no_leak(reports: Reports) -> None:
    assert reports[UNBLINDED]["leaks"] == []


@pytest.mark.requirement("R44")
def test_the_check_finds_that_an_approval_opens_more_than_its_task(reports: Reports) -> None:
    assert reports[TOO_MUCH]["leaks"]


def test_the_check_reads_segmentations(reports: Reports) -> None:
    places = {leak["where"] for leak in reports["a segmentation refers to the archive"]["leaks"]}

    assert any(place.startswith("part: DICOM") for place in places)


def test_the_check_finds_only_what_was_let_out(reports: Reports) -> None:
    found = {leak["kind"] for leak in reports["a page tells the day in words"]["leaks"]}

    assert found == {"date"}
