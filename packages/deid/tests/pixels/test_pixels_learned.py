"""Masks that a person confirmed, and one look at a whole series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from collegium_deid import DeidError, parse_file
from collegium_deid.pixels import Area, series_pass
from collegium_deid.pixels.masks import Masks, device_of

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Draw, Hide, Make

CT = "1.2.840.10008.5.1.4.1.1.2"
AREA = Area(0, 0, 10, 12, 150, 20, "known")


def test_a_mask_is_a_suggestion_until_a_person_confirms_it(draw: Draw, make: Make, tmp_path: Path) -> None:
    head = parse_file(make(draw()), complete=True)
    masks = Masks()

    masks.learn(head, [AREA])
    assert masks.confirmed(head) == ()
    masks.confirm(device_of(head), by="M. Example")
    masks.save(tmp_path / "masks.json")

    assert Masks.load(tmp_path / "masks.json").confirmed(head) == ((10, 12, 160, 32),)
    assert masks.suggestions() == {}


def test_the_file_of_masks_holds_no_patient(draw: Draw, make: Make, tmp_path: Path) -> None:
    masks = Masks()
    masks.learn(parse_file(make(draw()), complete=True), [AREA])

    masks.save(tmp_path / "masks.json")

    text = (tmp_path / "masks.json").read_text("utf-8").casefold()
    assert "brambleworth" not in text
    assert "4471123" not in text


def test_a_broken_file_of_masks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "masks.json").write_text('{"version": 1, "masks": {"x": 3}}', "utf-8")

    with pytest.raises(DeidError) as error:
        Masks.load(tmp_path / "masks.json")

    assert error.value.code == "deid.pixels.masks"


@pytest.mark.requirement("C10")
def test_a_confirmed_mask_is_hidden_without_reading(draw: Draw, make: Make, hide: Hide) -> None:
    picture = draw(("Liver 3.5 cm", 10, 30))
    data = make(picture, StudyInstanceUID="1.2.3.4")
    head = parse_file(data, complete=True)
    masks = Masks(every=1_000_000)
    masks.learn(head, [AREA])
    masks.confirm(device_of(head), by="M. Example")

    ds, done = hide(data, aids={"masks": masks})

    assert [area.reason for area in done.areas] == ["mask"]
    assert not np.array_equal(ds.pixel_array[12:32, 10:160], picture[12:32, 10:160])


def test_every_nth_study_is_read_in_full(draw: Draw, make: Make) -> None:
    due = [
        Masks(every=20).is_due(parse_file(make(draw(), StudyInstanceUID=f"1.2.3.{n}"), complete=True))
        for n in range(200)
    ]

    assert 2 < sum(due) < 25


def _series(draw: Draw, make: Make, text: str) -> list[bytes]:
    """Slices whose anatomy moves and whose writing stands still."""
    rng = np.random.default_rng(5)
    slices = []
    for number in range(8):
        picture = draw((text, 10, 30), rows=160) if text else draw(rows=160)
        noise = rng.normal(0, 3, picture.shape)
        y, x = np.ogrid[:160, :320]
        shape = 90 * np.exp(-(((x - 100 - 15 * number) / 40) ** 2 + ((y - 100) / 30) ** 2))
        stored = (picture + shape + noise).clip(0, 255).astype(np.int16)
        slices.append(make(stored, SOPClassUID=CT, SOPInstanceUID=f"1.2.3.{number}", Modality="CT"))
    return slices


def test_what_stands_still_in_a_series_is_read_once_and_hidden_on_every_slice(
    draw: Draw, make: Make, hide: Hide
) -> None:
    files = _series(draw, make, "BRAMBLEWORTH")

    look = series_pass(files)
    results = [hide(data, aids={"series": look, "reader": _NoReader()})[1] for data in files[:3]]

    assert [done.code for done in results] == ["redacted"] * 3


class _NoReader:
    """Fails the test when a slice is read by itself; it may be looked at from afar."""

    def find(self, _picture: object, _zoom: float) -> list[object]:
        return []

    def read(self, *_: object) -> list[object]:
        raise AssertionError("The series was read already.")


def test_a_series_without_writing_is_not_read_at_all(draw: Draw, make: Make) -> None:
    look = series_pass(_series(draw, make, ""))

    assert look is not None
    assert look.lines == ()


def test_too_few_slices_are_no_series(draw: Draw, make: Make) -> None:
    assert series_pass(_series(draw, make, "")[:3]) is None
