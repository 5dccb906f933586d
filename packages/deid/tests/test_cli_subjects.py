"""Several patients in one run: one code each, from a table or the next free one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydicom import dcmread

from collegium_deid.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
Printed = pytest.CaptureFixture[str]


@pytest.fixture
def clinic(tmp_path: Path, ct: Dataset, write: Tool) -> Path:
    """Three patients, two slices of the second."""
    (tmp_path / "in").mkdir()
    for number, local_id in enumerate(["MRN-1", "MRN-2", "MRN-2", "MRN-3"]):
        ct.PatientID, ct.PatientName = local_id, f"Brambleworth^{local_id}"
        ct.SOPInstanceUID, ct.StudyInstanceUID = f"1.2.3.4.5.{number}", f"1.2.3.{local_id[-1]}"
        (tmp_path / "in" / f"{number}.dcm").write_bytes(write(ct, pixels=bytes(8)))
    (tmp_path / "site.key").write_text("11" * 32)
    return tmp_path


def apply(clinic: Path, *options: str, out: str = "out") -> int:
    return main(["apply", "--key", str(clinic / "site.key"), *options, str(clinic / "in"), str(clinic / out)])


def subjects(folder: Path) -> list[str]:
    return sorted(dcmread(file).PatientID for file in folder.rglob("*.dcm"))


def test_new_patients_get_the_next_free_code_and_keep_it(clinic: Path) -> None:
    first = apply(clinic, "--allocate", "LK-")
    second = apply(clinic, "--allocate", "LK-", out="again")

    links = clinic / "site.links.csv"
    assert (first, second) == (0, 0)
    assert links.read_text() == "local_id,subject\nMRN-1,LK-0001\nMRN-2,LK-0002\nMRN-3,LK-0003\n"
    assert links.stat().st_mode & 0o777 == 0o600
    assert (
        subjects(clinic / "out") == subjects(clinic / "again") == ["LK-0001", "LK-0002", "LK-0002", "LK-0003"]
    )


def test_allocation_goes_on_from_the_link_table(clinic: Path) -> None:
    (clinic / "links.csv").write_text("local_id;subject\nMRN-9;LK-0007\nMRN-2;LK-0003\n")

    apply(clinic, "--allocate", "LK-", "--links", str(clinic / "links.csv"))

    assert subjects(clinic / "out") == ["LK-0003", "LK-0003", "LK-0008", "LK-0009"]


def test_a_table_gives_the_codes_and_a_patient_it_does_not_know_is_rejected(
    clinic: Path, capsys: Printed
) -> None:
    (clinic / "codes.csv").write_text("local_id,subject\nMRN-1,A\nMRN-2,B\n")

    code = apply(clinic, "--subjects", str(clinic / "codes.csv"))

    printed = capsys.readouterr()
    assert code == 1
    assert subjects(clinic / "out") == ["A", "B", "B"]
    assert "[deid.subject.unknown]" in printed.err
    assert "MRN" not in printed.err


def test_a_second_patient_never_gets_the_code_of_the_first(clinic: Path, capsys: Printed) -> None:
    code = apply(clinic, "--subject", "S-001")

    assert code == 1
    assert subjects(clinic / "out") == ["S-001"]
    assert capsys.readouterr().err.count("[deid.subject.second_patient]") == 3


def test_the_link_table_never_lies_in_the_output(clinic: Path) -> None:
    code = apply(clinic, "--allocate", "LK-", "--links", str(clinic / "out" / "links.csv"))

    assert code == 2
    assert not (clinic / "out").exists()


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("MRN-1,A\n", 1),
        ("local_id,subject\nMRN-1,A\nMRN-1,B\n", 3),
        ("local_id,subject\nMRN-1,A\nMRN-2,A\n", 3),
        ("local_id,subject\nMRN-1\n", 2),
    ],
)
def test_a_table_that_is_not_one_code_a_patient_is_refused_with_its_line(
    clinic: Path, table: str, line: int, capsys: Printed
) -> None:
    (clinic / "codes.csv").write_text(table)

    code = apply(clinic, "--subjects", str(clinic / "codes.csv"))

    printed = capsys.readouterr()
    assert code == 2
    assert f"line {line}:" in printed.err
    assert "MRN" not in printed.err
