"""What the viewer is not for stands on it, with or without images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collegium_testkit.phantoms import ExamTruth
    from tests.browser.viewer.driver import Driver
    from tests.browser.viewer.server import Study

pytestmark = pytest.mark.browser


@pytest.mark.requirement("V12")
def test_every_image_says_that_it_is_not_for_primary_diagnosis(
    study: Study, ct: ExamTruth, driver: Driver
) -> None:
    study.add(*ct.files)
    driver.open(study.viewer_page()).wait_for_image()
    notice = driver.page.locator("collegium-viewer .caution")

    assert notice.is_visible()
    assert notice.inner_text() == "Not for primary diagnosis"
