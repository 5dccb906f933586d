import io
from dataclasses import replace

import numpy as np
import pytest
from pydicom import dcmread

from collegium_testkit import burned
from collegium_testkit.burned import Box, Scene

SMALL = ("us_grey", "mr")


def scene_of(kind: str, seed: int = 3) -> Scene:
    return next(burned.scenes(seed, 1, kinds=(kind,)))


def filled(scene: Scene, boxes: list[Box], value: int = 0) -> bytes:
    """The same native object with these boxes filled on all frames."""
    ds = dcmread(io.BytesIO(scene.data))
    pixels = burned.pixels_of(scene.data).copy()
    for box in boxes:
        pixels[:, box.top : box.bottom, box.left : box.right] = value
    ds.PixelData = pixels.tobytes()
    out = io.BytesIO()
    ds.save_as(out)
    return out.getvalue()


def native(kind: str) -> Scene:
    """A scene of this kind whose pixels stand as they are in the file."""
    found = (scene_of(kind, seed) for seed in range(100))
    return next(scene for scene in found if scene.name.endswith("plicit"))


def test_the_same_seed_gives_the_same_scenes() -> None:
    first = list(burned.scenes(7, 2, kinds=SMALL))

    second = list(burned.scenes(7, 2, kinds=SMALL))

    assert [scene.data for scene in first] == [scene.data for scene in second]
    assert first[0].lines == second[0].lines


def test_another_seed_gives_other_people() -> None:
    assert scene_of("mr", 1).identity != scene_of("mr", 2).identity


@pytest.mark.parametrize("kind", [kind for kind in burned.KINDS if kind not in {"cr", "dx", "mg"}])
def test_a_scene_is_a_valid_object_that_says_what_it_holds(kind: str) -> None:
    scene = scene_of(kind)

    ds = dcmread(io.BytesIO(scene.data))

    pixels = burned.pixels_of(scene.data)
    assert pixels.shape[:3] == (int(ds.get("NumberOfFrames", 1)), ds.Rows, ds.Columns)
    assert ds.PatientID == scene.identity.patient_id
    assert scene.identifying
    assert scene.diagnostic


def test_a_twin_has_the_same_picture_without_writing() -> None:
    scene = native("mr")
    seed = next(seed for seed in range(100) if scene_of("mr", seed).data == scene.data)

    twin = next(burned.scenes(seed, 1, kinds=("mr",), with_text=False))

    differs = (burned.pixels_of(scene.data) != burned.pixels_of(twin.data))[0]
    for line in scene.lines:
        box = line.box
        differs[box.top - 3 : box.bottom + 3, box.left - 3 : box.right + 3] = False
    assert not twin.lines
    assert not differs.any()


@pytest.mark.parametrize("kind", ["us_grey", "us_cine", "us_palette", "ct", "mr"])
def test_nothing_is_hidden_in_what_nobody_touched(kind: str) -> None:
    scene = scene_of(kind)

    assert max(burned.hidden(scene, scene.data)) == 0
    assert min(burned.kept(scene, scene.data)) == 1
    assert burned.is_untouched(scene, scene.data)


@pytest.mark.parametrize("value", [0, 90, 255])
def test_a_filled_box_hides_a_line_whatever_it_is_filled_with(value: int) -> None:
    scene = native("us_grey")
    boxes = [Box(*line.box) for line in scene.identifying]

    output = filled(scene, boxes, value)

    assert min(burned.hidden(scene, output)) > burned.ENOUGH
    assert not burned.is_untouched(scene, output)


def test_half_a_box_hides_half_a_line() -> None:
    scene = native("us_grey")
    line = max(
        (line for line in scene.identifying if not line.is_turned),
        key=lambda line: line.box.right - line.box.left,
    )
    box = line.box._replace(right=(line.box.left + line.box.right) // 2)

    output = filled(replace(scene, lines=(line,)), [box])

    (gone,) = burned.hidden(replace(scene, lines=(line,)), output)
    assert 0.3 < gone < 0.7


def test_a_diagnostic_line_under_a_box_is_not_kept() -> None:
    scene = native("us_grey")

    output = filled(scene, [line.box for line in scene.diagnostic])

    assert max(burned.kept(scene, output)) < 0.2


def test_a_line_that_stays_on_one_frame_is_not_hidden() -> None:
    scene = next(
        one
        for one in (scene_of("xa", seed) for seed in range(100))
        if one.name.endswith("plicit") and one.identifying
    )
    ds = dcmread(io.BytesIO(scene.data))
    pixels = burned.pixels_of(scene.data).copy()
    for line in scene.identifying:
        pixels[:-1, line.box.top : line.box.bottom, line.box.left : line.box.right] = 0
    ds.PixelData = np.ascontiguousarray(pixels).tobytes()
    out = io.BytesIO()
    ds.save_as(out)

    assert max(burned.hidden(scene, out.getvalue())) < 0.2
