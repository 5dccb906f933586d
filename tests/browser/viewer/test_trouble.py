"""When something is missing or broken, the viewer says what, and goes on when it can."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from collegium_testkit import browser as browsers
from tests.browser.viewer.driver import Driver
from tests.browser.viewer.server import DICOMWEB

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from collegium_testkit.phantoms import ExamTruth
    from tests.browser.viewer.server import Study

pytestmark = pytest.mark.browser


def message(driver: Driver) -> str:
    alert = driver.page.locator("collegium-viewer .message[role=alert]")
    driver.until(alert.is_visible, "a message")
    return alert.inner_text()


def test_a_missing_exam_is_said_and_can_be_retried(study: Study, ct: ExamTruth, driver: Driver) -> None:
    study.add(*ct.files)
    study.failing[f"{DICOMWEB}/studies"] = 404
    driver.open(study.viewer_page())
    said = message(driver)

    study.failing.clear()
    driver.page.get_by_role("button", name="Retry").click()

    driver.wait_for_image()
    assert "This exam is not here" in said
    assert driver.events("error")[0]["kind"] == "not-found"


def test_a_network_that_comes_back_needs_no_click(study: Study, ct: ExamTruth, driver: Driver) -> None:
    study.add(*ct.files)
    study.fails_first = "/frames/"

    driver.open(study.viewer_page())

    driver.wait_for_all()
    assert driver.events("error") == []


def test_a_network_that_stays_away_is_told_with_a_retry(study: Study, ct: ExamTruth, driver: Driver) -> None:
    study.add(*ct.files)
    study.failing["/frames/"] = 503
    driver.open(study.viewer_page())
    said = message(driver)

    study.failing.clear()
    driver.page.get_by_role("button", name="Retry").click()

    driver.wait_for_all()
    assert "503" in said


def test_one_missing_image_does_not_stop_the_others(study: Study, ct: ExamTruth, driver: Driver) -> None:
    study.add(*ct.files)
    instances = {int(each.dataset.InstanceNumber): each for each in study.series[ct.series_uid]}
    study.failing[f"{instances[7].dataset.SOPInstanceUID}/frames"] = 404
    driver.open(study.viewer_page()).wait_for_image()
    driver.until(lambda: driver.state()["loaded"] == 8, "the other images")

    driver.press("End", "ArrowUp", "ArrowUp")
    said = message(driver)
    driver.press("ArrowUp")
    driver.until(lambda: driver.state()["index"] == 5, "the next image")

    assert "This image is missing" in said
    assert np.array_equal(driver.pixels()["values"], instances[6].dataset.pixel_array.ravel())
    driver.until(lambda: not driver.page.locator("collegium-viewer .message").is_visible(), "no message")


def test_a_study_without_images_says_so(study: Study, driver: Driver) -> None:
    driver.open(study.viewer_page())

    assert "No images" in message(driver)


def test_without_webgl_the_reason_is_plain(study: Study, ct: ExamTruth, chromium: Browser) -> None:
    study.add(*ct.files)
    with (
        closing(browsers.launch(chromium.browser_type, has_webgl=False)) as plain,
        browsers.profile(plain) as context,
    ):
        driver = Driver(context.new_page()).open(study.viewer_page())
        said = message(driver)

    assert "no WebGL2" in said
    assert "hardware acceleration" in said
    assert driver.problems == []


def test_nothing_breaks_the_policy_and_nothing_comes_from_another_host(
    study: Study, ct: ExamTruth, driver: Driver
) -> None:
    study.add(*ct.files)
    hosts = set()
    driver.page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    driver.open(study.viewer_page()).wait_for_all().go_to(ct.rod.slice_index)

    driver.measure(*ct.rod.world_points)
    driver.press("?")
    driver.page.get_by_role("button", name="Close", exact=True).click()

    assert driver.events("violation") == []
    assert hosts == {study.base.split("/")[2]}
    assert driver.problems == []


def test_a_removed_viewer_leaves_nothing_running(study: Study, ct: ExamTruth, driver: Driver) -> None:
    study.add(*ct.files)
    study.hold_all_but(ct.series_uid, 5)
    driver.open(study.viewer_page()).wait_for_image()

    driver.page.evaluate("window.gone = document.querySelector('collegium-viewer'); window.gone.remove()")
    driver.until(
        lambda: driver.page.evaluate("window.gone.shadowRoot.childElementCount") == 0, "the clean-up"
    )
    asked = len(driver.frames_asked())
    study.gate.set()
    driver.page.evaluate("document.querySelector('.reading-image').append(window.gone)")
    driver.page.evaluate("window.seen = []")
    driver.wait_for_all()

    assert asked <= len(ct.files)
    assert driver.state()["loaded"] == 9
    assert driver.problems == []


def test_the_viewer_passes_axe(study: Study, ct: ExamTruth, pet: ExamTruth, driver: Driver) -> None:
    study.add(*ct.files)
    study.add(*pet.files)
    driver.open(study.viewer_page()).wait_for_all().go_to(ct.rod.slice_index)
    driver.measure(*ct.rod.world_points)

    found = Axe().run(driver.page, context="collegium-viewer")

    assert [
        f"{each['id']}: {[node['html'][:120] for node in each['nodes']]}"
        for each in found.response["violations"]
    ] == []
