"""A person in front of one task in a browser: answers, measures, submits and signs with mouse and keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.browser.viewer.driver import Driver

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from collegium_testkit.phantoms import Lesion


class Desk:
    """One page with a task."""

    def __init__(self, page: Page, password: str) -> None:
        self.page, self._password = page, password
        self.driver = Driver(page)

    def open(self, step: str, subject: str = "") -> Desk:
        """The first task of a step, and of a subject, in the person's list."""
        address = urlsplit(self.page.url)
        self.page.goto(f"{address.scheme}://{address.netloc}/tasks/")
        rows = self.page.locator("#tasks tbody tr", has_text=step)
        (rows.filter(has_text=subject) if subject else rows).locator("a").first.click()
        self.page.locator("[data-reading]").wait_for()
        self.page.wait_for_load_state()  # rows are added and dialogs opened by script
        return self

    def item(self, path: str) -> Locator:
        return self.page.locator(f'[data-item="{path}"]')

    def row(self, number: int = 0) -> Locator:
        return self.page.locator("[data-rows] > [data-row]").nth(number)

    def part(self, name: str, number: int = 0) -> Locator:
        """An item of a finding."""
        return self.row(number).locator(f'[data-item$=".{name}"]')

    def shown(self, item: Locator) -> str:
        return item.locator("[data-shown]").inner_text()

    def choose(self, **answers: str) -> None:
        """Answers by their codes, waiting for what is asked only after another answer; all are saved at the end."""
        for name, code in answers.items():
            self.pick(self.item(name), code)
        self.wait_until_saved()

    def pick(self, item: Locator, code: str) -> None:
        """One choice, from a list or from buttons."""
        item.locator("[data-answer]").first.wait_for()
        if item.locator("select").count():
            item.locator("select").select_option(code)
        else:
            item.locator(f'[data-answer][value="{code}"]').check()

    def write(self, item: Locator, text: str) -> None:
        field = item.locator("[data-answer]")
        field.fill(text)
        field.blur()

    def add_target(self, organ: str, place: str) -> None:
        self.page.get_by_role("button", name="Add target lesion").click()
        self.pick(self.part("organ"), organ)
        self.write(self.part("place"), place)

    def measure(self, lesion: Lesion) -> None:
        """The diameters of the first finding, drawn on the image where the phantom has its lesion.

        The lesion is two thirds as broad as it is long, which is what the viewer proposes once the long one is drawn.
        """
        assert 3 * lesion.short_mm == 2 * lesion.long_mm
        self.pick(self.part("status"), "measured")
        size = self.part("size")
        size.locator("[data-measure]").click()
        self.driver.until(lambda: self.driver.state()["armedFor"], "the tool")
        self.driver.go_to(lesion.slice_index)
        self.driver.begin_diameters(lesion.points[:2], has_tool=True)
        self.driver.press("Enter")
        self.driver.until(lambda: "mm" in self.shown(size), "the diameters in the form")
        self.wait_until_saved()

    def wait_until_saved(self) -> None:
        self.driver.until(
            lambda: self.page.locator("[data-saving]").inner_text().startswith("Saved"), "what is typed saved"
        )

    def submit_and_sign(self) -> None:
        self.wait_until_saved()
        self.page.click("[data-submit]")
        self.page.locator("[data-dialog=sign]").wait_for()
        self.page.wait_for_load_state()
        if not self.page.locator("#sign").is_visible():
            self.page.click("[data-dialog=sign]")
        self.page.fill("#sign-password", self._password)
        self.page.click("#sign button.btn-primary")
        self.page.locator(".reading-bar .state", has_text="Signed").wait_for()
