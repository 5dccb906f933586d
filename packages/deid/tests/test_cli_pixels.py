"""Text in pictures by the command line: hidden, reported, learned, confirmed by a person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydicom import dcmread

from collegium_deid.cli import main

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
Printed = pytest.CaptureFixture[str]
cv2 = pytest.importorskip("cv2")
np = pytest.importorskip("numpy")
ULTRASOUND = "1.2.840.10008.5.1.4.1.1.6.1"


@pytest.fixture
def scan(tmp_path: Path, ct: Dataset, write: Tool) -> Path:
    """An ultrasound picture with the patient's name at its top."""
    picture = np.zeros((240, 480), np.uint8)
    cv2.putText(picture, "BRAMBLEWORTH LEOPOLDINE", (10, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2)
    ct.SOPClassUID, ct.Modality = ULTRASOUND, "US"
    ct.Rows, ct.Columns, ct.BitsAllocated, ct.BitsStored, ct.HighBit = 240, 480, 8, 8, 7
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.dcm").write_bytes(write(ct, pixels=picture.tobytes()))
    (tmp_path / "site.key").write_text("11" * 32)
    return tmp_path


def apply(folder: Path, out: str, *options: str) -> int:
    return main(
        [
            "apply",
            "--key",
            str(folder / "site.key"),
            "--subject",
            "S",
            *options,
            str(folder / "in"),
            str(folder / out),
        ]
    )


def picture(folder: Path) -> Any:  # Any: numpy is optional here
    return dcmread(next(folder.rglob("*.dcm"))).pixel_array


def report(folder: Path) -> Any:  # Any: JSON
    return json.loads(next((folder / "reports").iterdir()).read_text())


@pytest.mark.requirement("C10", "C21")
def test_a_name_in_a_picture_is_hidden_reported_learned_and_hidden_unread_once_confirmed(
    scan: Path, capsys: Printed
) -> None:
    file = str(scan / "masks.json")

    first = apply(scan, "out", "--masks", file)
    told = report(scan / "out")
    device = next(iter(json.loads((scan / "masks.json").read_text())["masks"]))
    listed = main(["masks", file])
    confirmed = main(["masks", "--confirm", device, "--by", "A. Quill", file])
    mixed = apply(scan, "out", "--masks", file)
    second = apply(scan, "again", "--masks", file)

    printed = capsys.readouterr()
    assert (first, listed, confirmed, mixed, second) == (0, 0, 0, 2, 0)
    assert picture(scan / "out").max() == 0
    assert picture(scan / "again").max() == 0
    assert told["pixels"] == {"redacted": 1}
    assert [area["reason"] for area in told["redacted"][0]["areas"]] == ["known"]
    assert [area["reason"] for area in report(scan / "again")["redacted"][0]["areas"]] == ["mask"]
    assert f"{device}: a suggestion\n  1: " in printed.out
    assert f"{device}: confirmed by A. Quill\n" in printed.out
    assert "[deid.run.other]" in printed.err


def test_pictures_that_a_person_must_see_are_told(scan: Path, capsys: Printed) -> None:
    apply(scan, "out")

    told = report(scan / "out")
    assert told["look_at"] == [next((scan / "out").rglob("*.dcm")).stem]
    assert "Pictures of screens or cameras: 1. Look at them" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [["--confirm", "NOBODY|", "--by", "A. Quill"], ["--confirm", "D", "--by", "A", "--boxes", "7"], []],
)
def test_only_what_was_learned_can_be_confirmed(tmp_path: Path, options: list[str]) -> None:
    masks = {"D": {"boxes": [[1, 2, 3, 4]], "seen": [5], "confirmed_by": ""}}
    text = json.dumps({"version": 1, "every": 20, "masks": masks}) if options else "{}"
    (tmp_path / "masks.json").write_text(text)

    assert main(["masks", *options, str(tmp_path / "masks.json")]) == 2
    assert (tmp_path / "masks.json").read_text() == text


def test_the_example_for_programmers_works(scan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).parents[1] / "README.md").read_text()
    code = text.split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(scan)
    (scan / "in" / "1.dcm").rename("IM0001")

    exec(compile(code, "README.md", "exec"), {})

    assert dcmread("clean.dcm").PatientID == "S-001"
    assert dcmread("clean.dcm").pixel_array.max() == 0
