"""The command line: files and folders, reasons, exit codes, keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydicom import dcmread

from collegium_deid.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name


@pytest.fixture
def exam(tmp_path: Path, ct: Dataset, write: Tool) -> Path:
    """A folder of two slices, a broken file and a text file."""
    folder = tmp_path / "Brambleworth Leopoldine"
    (folder / "sub").mkdir(parents=True)
    (folder / "1.dcm").write_bytes(write(ct, pixels=b"\1\2\3\4\5\6\7\x08"))
    ct.SOPInstanceUID, ct.InstanceNumber = "1.2.3.4.5.8", "18"
    (folder / "sub" / "2").write_bytes(write(ct, pixels=bytes(70_000)))
    (folder / "broken.dcm").write_bytes(write(ct, pixels=bytes(8))[:-6])
    (folder / "note.txt").write_text("Brambleworth")
    return folder


def key_file(tmp_path: Path) -> str:
    path = tmp_path / "site.key"
    path.write_text("11" * 32)
    return str(path)


def test_a_folder_is_cleaned_and_one_bad_file_never_stops_the_rest(
    tmp_path: Path, exam: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"

    code = main(["apply", "--key", key_file(tmp_path), "--subject", "S-001", str(exam), str(out)])

    files = sorted(file for file in out.rglob("*") if file.is_file())
    printed = capsys.readouterr()
    assert code == 1
    assert len(files) == 2
    assert "2 cleaned, 2 rejected" in printed.out
    assert "broken.dcm" in printed.err
    assert "[deid.truncated]" in printed.err
    assert "note.txt" in printed.err
    assert "ramble" not in " ".join(map(str, files)).replace(str(tmp_path), "")
    assert {dcmread(file).PatientID for file in files} == {"S-001"}
    assert {bytes(dcmread(file).PixelData) for file in files} == {b"\1\2\3\4\5\6\7\x08", bytes(70_000)}


def test_cleaned_files_verify(tmp_path: Path, exam: Path) -> None:
    out = tmp_path / "out"
    main(["apply", "--key", key_file(tmp_path), "--subject", "S-001", str(exam), str(out)])

    assert main(["verify", str(out)]) == 0
    assert main(["verify", "--against", str(exam / "1.dcm"), str(out)]) == 0


def test_originals_do_not_verify(exam: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--against", str(exam / "1.dcm"), str(exam)]) == 1

    printed = capsys.readouterr()
    assert "(0010,1040)" in printed.err
    assert "Brambleworth^" not in printed.err


def test_one_file_goes_to_one_file(tmp_path: Path, exam: Path) -> None:
    out = tmp_path / "one.dcm"

    code = main(["apply", "--key", key_file(tmp_path), "--subject", "S-001", str(exam / "1.dcm"), str(out)])

    assert code == 0
    assert dcmread(out).PatientName == "S-001"


def test_an_output_is_never_overwritten(
    tmp_path: Path, exam: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "one.dcm"
    out.write_text("mine")

    code = main(["apply", "--key", key_file(tmp_path), "--subject", "S-001", str(exam / "1.dcm"), str(out)])

    assert code == 1
    assert out.read_text() == "mine"
    assert "[deid.file.exists]" in capsys.readouterr().err


def test_a_new_key_is_made_for_its_owner_only_and_gives_the_same_again(tmp_path: Path, exam: Path) -> None:
    key = tmp_path / "new.key"
    arguments = ["--subject", "S-001", str(exam / "1.dcm")]

    first = main(["apply", "--new-key", str(key), *arguments, str(tmp_path / "a.dcm")])
    second = main(["apply", "--key", str(key), *arguments, str(tmp_path / "b.dcm")])

    assert (first, second) == (0, 0)
    assert key.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"--recipe": "no-such"},
        {"--key": "/no/such/key"},
        {"in": "/no/such/folder"},
    ],
)
def test_wrong_use_does_nothing_and_exits_with_2(tmp_path: Path, exam: Path, change: dict[str, str]) -> None:
    given = {"--recipe": "trial", "--key": key_file(tmp_path), "in": str(exam)} | change
    out = tmp_path / "out"

    code = main(
        [
            "apply",
            "--recipe",
            given["--recipe"],
            "--key",
            given["--key"],
            "--subject",
            "S",
            given["in"],
            str(out),
        ]
    )

    assert code == 2
    assert not out.exists()


def test_a_broken_pixel_part_leaves_no_file_behind(tmp_path: Path, exam: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()

    main(["apply", "--key", key_file(tmp_path), "--subject", "S", str(exam / "broken.dcm"), str(out)])

    assert not [file for file in out.rglob("*") if file.is_file()]
