"""What is on the screen is what is in the file, wherever the reader goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from collegium_testkit import real_data

if TYPE_CHECKING:
    from collegium_testkit.phantoms import ExamTruth
    from tests.browser.viewer.driver import Driver
    from tests.browser.viewer.server import Study

pytestmark = pytest.mark.browser


def test_every_image_shows_the_stored_values_of_its_file(study: Study, ct: ExamTruth, driver: Driver) -> None:
    study.add(*ct.files)
    driver.open(study.viewer_page()).wait_for_all()

    for index in (0, 4, 8):
        driver.go_to(index)
        shown = driver.pixels()
        stored = study.instance(shown["instanceUid"]).dataset

        assert stored.InstanceNumber == index + 1
        assert (shown["rows"], shown["columns"]) == (256, 256)
        assert np.array_equal(shown["values"], stored.pixel_array.ravel())


def test_the_middle_image_is_first_and_waits_for_no_other(
    study: Study, ct: ExamTruth, driver: Driver
) -> None:
    study.add(*ct.files)
    study.hold_all_but(ct.series_uid, 5)

    driver.open(study.viewer_page()).wait_for_image()

    # How soon that is on a reader's machine is measured by `make bench-first_image`.
    assert (driver.state()["index"], driver.state()["loaded"]) == (4, 1)


def test_frames_are_fetched_from_the_middle_outwards(study: Study, ct: ExamTruth, driver: Driver) -> None:
    study.add(*ct.files)
    study.frame_delay_s = 0.05

    driver.open(study.viewer_page()).wait_for_all()

    numbers = [int(study.instance(uid).dataset.InstanceNumber) for uid in driver.frames_asked()]
    distances = [abs(number - 5) for number in numbers]
    assert numbers[0] == 5
    assert sorted(set(numbers)) == list(range(1, 10))
    assert max(distances[:5]) <= 3
    assert len(numbers) == 9


def test_values_become_grey_as_the_window_says(study: Study, ct: ExamTruth, driver: Driver) -> None:
    study.add(*ct.files)
    driver.open(study.viewer_page()).wait_for_all().go_to(ct.rod.slice_index)
    driver.press("2")
    driver.until(lambda: driver.state()["preset"] == "2", "the preset")

    rod = [sum(part) / 2 for part in zip(*ct.rod.world_points, strict=True)]
    body = (60.0, 0.0, rod[2])

    # PS3.3 C.11.2.1.2.1 with center 40 and width 400: 40 HU is (40 - 39.5) / 399 + 0.5 of white; noise is 12 HU.
    assert driver.grey(*driver.on_screen(body)) == pytest.approx(255 * (0.5 / 399 + 0.5), abs=3)
    assert driver.grey(*driver.on_screen(rod), size=2) == pytest.approx(255, abs=2)


@pytest.mark.requirement("V02")
def test_wheel_keys_and_slider_go_through_the_images(study: Study, ct: ExamTruth, driver: Driver) -> None:
    study.add(*ct.files)
    driver.open(study.viewer_page()).wait_for_all()

    driver.page.mouse.move(*driver.centre())
    driver.page.mouse.wheel(0, 120)
    driver.until(lambda: driver.state()["index"] == 5, "the wheel")
    driver.press("ArrowUp", "ArrowUp")
    driver.until(lambda: driver.state()["index"] == 3, "the arrow keys")
    driver.press("PageDown")
    driver.until(lambda: driver.state()["index"] == 8, "Page Down, which stops at the end")
    driver.press("Home")
    driver.until(lambda: driver.state()["index"] == 0, "Home")
    driver.press("End")
    driver.until(lambda: driver.state()["index"] == 8, "End")
    driver.page.locator("collegium-viewer .slider input").fill("2")
    driver.until(lambda: driver.state()["index"] == 2, "the slider")

    assert driver.text(".slice") == "Image 3 / 9"
    assert driver.problems == []


@pytest.mark.requirement("V02")
def test_presets_and_dragging_change_the_window(study: Study, ct: ExamTruth, driver: Driver) -> None:
    study.add(*ct.files)
    driver.open(study.viewer_page()).wait_for_all()
    from_file = driver.state()["window"]

    driver.press("3")
    driver.until(lambda: driver.state()["window"] == {"center": -600, "width": 1500}, "the lung window")
    lung_label = driver.text(".bottom-left")
    driver.page.get_by_role("button", name="Bone").click()
    driver.until(lambda: driver.state()["window"] == {"center": 480, "width": 2500}, "the bone window")
    x, y = driver.centre()
    driver.drag((x, y), (x + 60, y + 40))
    driver.until(lambda: driver.state()["window"]["width"] > 2520, "dragging")
    dragged = driver.state()
    driver.press("r")
    driver.until(lambda: driver.state()["window"] == from_file, "the reset")

    assert "W 1500" in lung_label
    assert "Lung" in lung_label
    assert dragged["preset"] is None
    assert dragged["window"]["center"] > 480


@pytest.mark.requirement("V02")
def test_zoom_pan_invert_and_reset(study: Study, ct: ExamTruth, driver: Driver) -> None:
    study.add(*ct.files)
    driver.open(study.viewer_page()).wait_for_all()
    x, y = driver.centre()

    driver.press("+", "+")
    driver.until(lambda: driver.state()["zoom"] == pytest.approx(1.44), "zoom by key")
    driver.drag((x, y), (x, y - 50), button="right")
    driver.until(lambda: driver.state()["zoom"] != pytest.approx(1.44), "zoom by the right button")
    driver.press("p")
    driver.drag((x, y), (x + 50, y + 20))
    driver.until(lambda: driver.state()["pan"] != [0, 0], "pan")
    before = driver.grey(x - 60, y - 60)
    driver.press("i")
    driver.until(lambda: driver.state()["inverted"], "invert")
    driver.until(lambda: driver.grey(x - 60, y - 60) == pytest.approx(255 - before, abs=4), "inverted grey")
    driver.press("r")
    driver.until(lambda: driver.state()["zoom"] == pytest.approx(1), "reset")

    assert driver.state()["pan"] == pytest.approx([0, 0], abs=0.5)
    assert driver.state()["inverted"] is False


def test_pet_starts_dark_on_white_and_each_series_keeps_its_place(
    study: Study, ct: ExamTruth, pet: ExamTruth, driver: Driver
) -> None:
    study.add(*ct.files)
    study.add(*pet.files)
    driver.open(study.viewer_page()).wait_for_all().go_to(1)

    driver.press("]")
    driver.until(lambda: driver.state()["count"] == 7, "the PET series")
    shown = driver.state()
    driver.press("[")
    driver.until(lambda: driver.state()["count"] == 9, "the CT series again")

    assert shown["inverted"] is True
    assert shown["window"]["center"] - shown["window"]["width"] / 2 == pytest.approx(0, abs=1)
    assert driver.state()["index"] == 1


def test_letters_tell_where_the_patient_is(study: Study, ct: ExamTruth, driver: Driver) -> None:
    study.add(*ct.files)

    driver.open(study.viewer_page(label="S-042")).wait_for_image()

    # An axial image with cosines 1,0,0 / 0,1,0 is seen from the feet: the patient's right is on the left.
    assert [driver.text(f".letter.{side}") for side in ("left", "right", "top", "bottom")] == [
        "R",
        "L",
        "A",
        "P",
    ]
    assert driver.text(".label") == "S-042"
    assert driver.text(".caution") == "Not for primary diagnosis"


SLICE = "CT_1.2.840.10008.1.2"
EXACT = (".1", "", ".2", ".4.57", ".4.70", ".4.80", ".4.90", ".5")
TWELVE_BIT = (".4.51", ".4.53", ".4.55")
NEARLY = (".4.81", ".4.91")


@pytest.fixture
def syntaxes(study: Study) -> Study:
    """One CT slice in many transfer syntaxes, each a series named by its syntax."""
    folder = real_data.folder()
    if folder is None:
        pytest.skip("No real images on this machine (COLLEGIUM_REAL_DATA).")
    study.add(
        *(folder / "transfer_syntax" / f"{SLICE}{end}.dcm" for end in (*EXACT, *NEARLY, *TWELVE_BIT)),
        alone=True,
    )
    return study


def test_every_lossless_syntax_shows_the_same_values(syntaxes: Study, driver: Driver) -> None:
    truth = dcmread_pixels(syntaxes, EXACT[0])
    driver.open(syntaxes.viewer_page()).wait_for_image()

    shown = {end: driver.show_series(SLICE + end) for end in EXACT}

    assert [end for end, values in shown.items() if not np.array_equal(values, truth)] == []


@pytest.mark.requirement("V12")
def test_a_lossy_syntax_is_labelled_and_near_the_truth(syntaxes: Study, driver: Driver) -> None:
    truth = dcmread_pixels(syntaxes, EXACT[0])
    driver.open(syntaxes.viewer_page()).wait_for_image()

    near = {end: np.abs(driver.show_series(SLICE + end) - truth).max() for end in (".4.81", ".4.91")}
    label = driver.text(".lossy")

    assert near[".4.81"] <= 1
    assert near[".4.91"] <= 60
    assert label.startswith("Lossy")


def test_twelve_bit_jpeg_is_neither_too_bright_nor_too_dark(syntaxes: Study, driver: Driver) -> None:
    truth = dcmread_pixels(syntaxes, EXACT[0]) - 1024.0
    driver.open(syntaxes.viewer_page()).wait_for_image()

    # These files say slope 2.0002442 and intercept -4047; the uncompressed one 1 and -1024.
    bias = {end: np.mean(driver.show_series(SLICE + end) * 2.0002442 - 4047 - truth) for end in TWELVE_BIT}

    assert {end: round(float(value)) for end, value in bias.items()} == dict.fromkeys(TWELVE_BIT, -1)


@pytest.mark.requirement("V01")
def test_a_syntax_that_cannot_be_decoded_is_named(study: Study, ct: ExamTruth, driver: Driver) -> None:
    study.add(*ct.files, syntax="1.2.840.10008.1.2.4.100")

    driver.open(study.viewer_page())

    driver.until(driver.page.locator("collegium-viewer .message[role=alert]").is_visible, "a message")
    assert "MPEG-2 Main Profile (1.2.840.10008.1.2.4.100)" in driver.text(".message")
    assert driver.events("error")[0]["kind"] == "syntax"


def dcmread_pixels(study: Study, end: str) -> np.ndarray:
    instance = next(
        each
        for all_of in study.series.values()
        for each in all_of
        if each.dataset.SeriesDescription == SLICE + end
    )
    return np.asarray(instance.dataset.pixel_array).ravel()
