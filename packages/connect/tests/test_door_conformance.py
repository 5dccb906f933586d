"""The conformance statement is made from code, and the one in the guide is of this very code."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydicom._uid_dict import UID_dictionary
from pynetdicom.sop_class import _STORAGE_CLASSES

from collegium_connect.receive.conformance import statement

PAGE = Path(__file__).parents[3] / "docs" / "operate" / "connect" / "conformance.md"


@pytest.mark.requirement("C26")
def test_the_statement_in_the_guide_is_the_one_that_the_code_makes() -> None:
    # If this fails: collegium-connect conformance > docs/operate/connect/conformance.md
    assert PAGE.read_text("utf-8") == statement()


@pytest.mark.requirement("C26")
def test_the_command_prints_the_very_statement_whatever_else_is_loaded_here() -> None:
    command = [sys.executable, "-m", "collegium_connect.cli", "conformance"]

    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert printed == statement()


def test_every_storage_class_that_is_taken_is_named() -> None:
    page = statement()

    known = [uid for uid in _STORAGE_CLASSES.values() if uid in UID_dictionary]
    assert len(known) > 150
    assert [uid for uid in known if f"| {uid} |" not in page] == []


def test_every_refusal_is_named_with_its_reason() -> None:
    page = statement()

    assert "| rejected-permanent, service user | 3 | calling AE title or address not listed |" in page
    assert (
        "| rejected-transient, service provider (presentation) | 2 | too many associations at once |" in page
    )
