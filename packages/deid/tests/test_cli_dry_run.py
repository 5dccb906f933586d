"""Looking before cleaning: both sides of every attribute, and nothing written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from collegium_deid.cli import main

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
Printed = pytest.CaptureFixture[str]


@pytest.fixture
def original(tmp_path: Path, ct: Dataset, write: Tool, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "1.dcm").write_bytes(write(ct, pixels=bytes(8)))
    return tmp_path / "1.dcm"


@pytest.mark.requirement("C20")
def test_both_sides_of_an_attribute_stand_beside_each_other_and_nothing_is_sent(
    original: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.socket", None)

    code = main(["dry-run", "--subject", "S-001", str(original)])

    printed = capsys.readouterr()
    assert code == 0
    assert re.search(r"\(0010,0010\) PatientName +D +Brambleworth\^Leopoldine +S-001\n", printed.out)
    assert re.search(r"\(0018,0060\) KVP +K +120 +120\n", printed.out)
    assert re.search(r"\(0010,1040\) PatientAddress +X +7 Larkspur Lane +-\n", printed.out)
    assert re.search(r"\(0012,0062\) PatientIdentityRemoved +\+ +- +YES\n", printed.out)
    assert "patient data" in printed.err
    assert list(original.parent.iterdir()) == [original]


def test_what_is_inside_a_sequence_is_indented(original: Path, capsys: Printed) -> None:
    main(["dry-run", str(original)])

    lines = capsys.readouterr().out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("(0008,1140)"))
    assert lines[at + 1].strip() == "item 1"
    assert re.match(r"  \(0008,1150\) \w+ +U ", lines[at + 2])
    assert re.match(r"  \(0008,1155\) \w+ +U +1\.2\.3\.4\.5\.7 +2\.25\.", lines[at + 3])


def test_only_what_changes_can_be_shown(original: Path, capsys: Printed) -> None:
    main(["dry-run", "--changed-only", str(original)])

    out = capsys.readouterr().out
    assert "PatientName" in out
    assert "KVP" not in out


def test_who_decided_can_be_asked(original: Path, capsys: Printed) -> None:
    main(["dry-run", "--why", str(original)])

    assert re.search(r"\(0010,1040\) PatientAddress .*\n.*Table E\.1-1", capsys.readouterr().out)


def test_a_file_that_would_be_rejected_is_said_to_be(original: Path, capsys: Printed) -> None:
    original.write_bytes(original.read_bytes()[:400])

    code = main(["dry-run", str(original)])

    assert code == 1
    assert "It would be rejected" in capsys.readouterr().err


def test_the_page_is_for_its_owner_only_and_shows_markup_as_text(
    tmp_path: Path, ct: Dataset, write: Tool
) -> None:
    ct.PatientName = "<script>alert(1)</script>"
    (tmp_path / "1.dcm").write_bytes(write(ct, pixels=bytes(8)))
    page = tmp_path / "page.html"

    code = main(["dry-run", "--html", str(page), str(tmp_path / "1.dcm")])

    assert code == 0
    assert "&lt;script&gt;" in page.read_text()
    assert "<script>" not in page.read_text()
    assert page.stat().st_mode & 0o777 == 0o600


def test_the_page_says_who_decided_when_asked(original: Path, tmp_path: Path) -> None:
    main(["dry-run", "--html", str(tmp_path / "plain.html"), str(original)])
    main(["dry-run", "--why", "--html", str(tmp_path / "why.html"), str(original)])

    assert "Table E.1-1" not in (tmp_path / "plain.html").read_text()
    assert re.search(r"PatientAddress<td>X<td>.*<td>.*Table E\.1-1", (tmp_path / "why.html").read_text())


@pytest.mark.parametrize("page", ["packages/deid/README.md", "docs/operate/de-identification.md"])
def test_the_recipes_of_the_documentation_are_valid(page: str, tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / page).read_text()
    (tmp_path / "recipe.yaml").write_text(text.split("```yaml\n")[1].split("```")[0])

    assert main(["recipe", "check", str(tmp_path / "recipe.yaml")]) == 0
