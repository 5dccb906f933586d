"""Places where a device writes, as a recipe names them: hidden on every frame of its pictures, unread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from collegium_deid import Recipe, RecipeError, load_recipe, parse_file, parse_recipe
from collegium_deid.engine.pixelplan import Look, pixel_plan
from collegium_deid.rules.compare import looser_than
from collegium_deid.rules.pixels import DevicePlaces

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Draw, Hide, Make

CT = "1.2.840.10008.5.1.4.1.1.2"
TRIAL = load_recipe("trial").text
LINE = "{maker: Siemens, model: S2000, rows: 120, columns: 320, boxes: [[4, 90, 60, 110], [200, 0, 320, 12]]}"
PLACES = DevicePlaces("Siemens", "S2000", 120, 320, ((4, 90, 60, 110), (200, 0, 320, 12)))


def naming(*devices: str) -> str:
    return TRIAL.replace("pixels:\n", "pixels:\n  devices:\n" + "".join(f"    - {one}\n" for one in devices))


@pytest.mark.requirement("C10")
@pytest.mark.parametrize("frames", [1, 3])
def test_the_places_of_a_device_are_hidden_on_every_frame_and_nothing_else(
    draw: Draw, make: Make, hide: Hide, frames: int
) -> None:
    picture = np.stack([draw()] * frames) if frames > 1 else draw()

    ds, done = hide(make(picture, ManufacturerModelName="S2000"), devices=(PLACES,))

    after = ds.pixel_array.reshape(-1, 120, 320)
    kept = np.ones((120, 320), bool)
    for left, top, right, bottom in PLACES.boxes:
        kept[top:bottom, left:right] = False
        assert all(len(np.unique(frame[top:bottom, left:right])) == 1 for frame in after)
    assert all(np.array_equal(frame[kept], draw()[kept]) for frame in after)
    assert {area.reason for area in done.areas} == {"device"}


@pytest.mark.requirement("C10")
@pytest.mark.parametrize(
    "other",
    [{"Manufacturer": "Acme"}, {"ManufacturerModelName": "S3000"}, {"ManufacturerModelName": ""}],
)
def test_pictures_of_another_device_stay_as_they_are(
    draw: Draw, make: Make, hide: Hide, other: dict[str, str]
) -> None:
    ds, done = hide(make(draw(), **({"ManufacturerModelName": "S2000"} | other)), devices=(PLACES,))

    assert done.areas == ()
    assert np.array_equal(ds.pixel_array, draw())


def test_pictures_of_another_size_stay_as_they_are(draw: Draw, make: Make, hide: Hide) -> None:
    picture = draw(rows=160)

    ds, _ = hide(make(picture, ManufacturerModelName="S2000"), devices=(PLACES,))

    assert np.array_equal(ds.pixel_array, picture)


@pytest.mark.requirement("C10")
def test_a_device_that_is_named_is_looked_at_whatever_its_header_says(
    draw: Draw, make: Make, looking: Callable[..., Recipe]
) -> None:
    head = parse_file(
        make(draw(), SOPClassUID=CT, Manufacturer=" SIEMENS ", ManufacturerModelName="s2000"), complete=True
    )

    named = pixel_plan(head, looking(look="doubtful", devices=(PLACES,)))
    others = pixel_plan(head, looking(look="doubtful"))

    assert (named.look, others.look) == (Look.READ, Look.NONE)


def test_a_recipe_names_devices() -> None:
    policy = parse_recipe(naming(LINE)).pixels

    assert policy is not None
    assert policy.devices == (PLACES,)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (LINE.replace("rows: 120, ", ""), "rows is missing"),
        (LINE.replace("maker: Siemens", "maker: ''"), "maker and model"),
        (LINE.replace("rows: 120", "rows: many"), "whole numbers"),
        (LINE.replace("[4, 90, 60, 110]", "[4, 90, 4, 110]"), "inside the picture"),
        (LINE.replace("[4, 90, 60, 110]", "[4, 90, 60, 121]"), "inside the picture"),
        (LINE.replace("[4, 90, 60, 110]", "[4, 90, 60]"), "inside the picture"),
        (LINE.replace("[[4, 90, 60, 110], [200, 0, 320, 12]]", "[]"), "inside the picture"),
        (LINE.replace("maker:", "vendor:"), "Unknown key"),
    ],
)
def test_a_device_that_cannot_be_is_refused(line: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        parse_recipe(naming(line))


def test_a_device_is_named_once() -> None:
    with pytest.raises(RecipeError, match="twice"):
        parse_recipe(naming(LINE, LINE.replace("Siemens", "SIEMENS")))


@pytest.mark.parametrize(
    ("before", "after", "is_looser"),
    [
        (TRIAL, naming(LINE), False),
        (naming(LINE), TRIAL, True),
        (naming(LINE), naming(LINE.replace(", [200, 0, 320, 12]", "")), True),
        (naming(LINE), naming(LINE.replace("[[4,", "[[9, 9, 19, 19], [4,")), False),
        (naming(LINE), naming(LINE.replace("model: S2000", "model: S3000")), True),
    ],
)
def test_hiding_fewer_places_is_looser(before: str, after: str, *, is_looser: bool) -> None:
    told = looser_than(parse_recipe(before), parse_recipe(after))

    assert told == (("It hides fewer places of devices.",) if is_looser else ())


def test_devices_are_told_with_the_recipe(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    from collegium_deid.cli import main

    (tmp_path / "own.yaml").write_text(naming(LINE), "utf-8")

    assert main(["recipe", "show", str(tmp_path / "own.yaml")]) == 0
    assert "device   Siemens S2000, 320 by 120: 2 places hidden" in capsys.readouterr().out
