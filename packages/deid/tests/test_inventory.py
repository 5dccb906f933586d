"""The inventory: distinct values with counts, what is new, what must not be listed."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from collegium_deid.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
Printed = pytest.CaptureFixture[str]


@pytest.fixture
def cleaned(tmp_path: Path, ct: Dataset, write: Tool, capsys: Printed) -> Path:
    """Two cleaned slices."""
    (tmp_path / "in").mkdir()
    (tmp_path / "site.key").write_text("11" * 32)
    for number in (1, 2):
        ct.SOPInstanceUID, ct.InstanceNumber = f"1.2.3.4.5.{number}", str(number)
        (tmp_path / "in" / f"{number}.dcm").write_bytes(write(ct, pixels=bytes(8)))
    main(
        [
            "apply",
            "--key",
            str(tmp_path / "site.key"),
            "--subject",
            "S-001",
            str(tmp_path / "in"),
            str(tmp_path / "out"),
        ]
    )
    capsys.readouterr()
    return tmp_path / "out"


def listed(capsys: Printed) -> dict[tuple[str, str], str]:
    rows = csv.DictReader(io.StringIO(capsys.readouterr().out))
    return {(row["path"], row["value"]): row["count"] for row in rows}


def test_values_are_listed_with_their_counts_and_what_differs_by_its_kind(
    cleaned: Path, capsys: Printed
) -> None:
    code = main(["inventory", "--format", "csv", str(cleaned)])

    rows = listed(capsys)
    assert code == 0
    assert rows["(0008,0060)", "CT"] == "2"
    assert rows["(0010,0010)", "<subject>"] == "2"
    assert rows["(0008,0018)", "<keyed UID>"] == "2"
    assert rows["(0008,0020)", "<date>"] == "2"
    assert rows["(0020,0013)", "<number>"] == "2"
    assert rows["(0008,1140)/(0008,1155)", "<keyed UID>"] == "2"


def test_a_value_nobody_accepted_is_new_until_somebody_does(
    cleaned: Path, tmp_path: Path, capsys: Printed
) -> None:
    known = tmp_path / "known.csv"
    first = main(["inventory", "--accept", "--known", str(known), str(cleaned)])
    lines = known.read_text().splitlines()
    known.write_text("\n".join(line for line in lines if '"(0008,0060)"' not in line) + "\n")
    capsys.readouterr()

    second = main(["inventory", "--known", str(known), "--new-only", "--format", "json", str(cleaned)])
    new = json.loads(capsys.readouterr().out)
    third = main(["inventory", "--accept", "--known", str(known), str(cleaned)])

    assert (first, second, third) == (0, 1, 0)
    assert [(row["attribute"], row["value"], row["count"], row["new"]) for row in new] == [
        ("Modality", "CT", 2, True)
    ]
    assert known.read_text().splitlines() == lines


def test_a_list_of_known_values_that_is_not_there_says_how_to_begin_one(
    cleaned: Path, tmp_path: Path, capsys: Printed
) -> None:
    code = main(["inventory", "--known", str(tmp_path / "none.csv"), str(cleaned)])

    assert code == 2
    assert "Add --accept to begin one" in capsys.readouterr().err


def test_files_that_are_not_marked_are_left_out_loudly(cleaned: Path, capsys: Printed) -> None:
    code = main(["inventory", str(cleaned.parent / "in")])

    printed = capsys.readouterr()
    assert code == 1
    assert printed.err.count("NOT MARKED AS DE-IDENTIFIED") == 2
    assert "Brambleworth" not in printed.out + printed.err


def test_values_of_originals_are_only_listed_when_asked_for_and_never_accepted(
    cleaned: Path, tmp_path: Path, capsys: Printed
) -> None:
    originals = str(cleaned.parent / "in")

    code = main(["inventory", "--unmarked", "--format", "csv", originals])
    rows = listed(capsys)
    refused = main(["inventory", "--unmarked", "--accept", "--known", str(tmp_path / "k"), originals])

    assert code == 0
    assert rows["(0010,0010)", "Brambleworth^Leopoldine"] == "2"
    assert rows["(0019,1001)", "Brambleworth"] == "2"
    assert refused == 2
    assert not (tmp_path / "k").exists()
