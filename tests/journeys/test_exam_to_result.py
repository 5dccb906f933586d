"""The main job, with nothing but real processes: PACS, gateway, server, worker, browser, reader, signature, CSV."""

from __future__ import annotations

import csv
import io
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psycopg
import pydicom
import pytest

from collegium.kit.postgres import EmbeddedPostgres
from collegium_testkit import pacs, phantoms, real_data
from collegium_testkit.browser import chromium_path, profile
from collegium_testkit.gateways import GatewayProcess
from collegium_testkit.installation import InstallationProcess
from collegium_testkit.patience import until
from collegium_testkit.prepared import Prepared
from tests.browser.viewer.driver import Driver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from collegium_testkit.seed import Seeded

pytestmark = [
    pytest.mark.journey,
    pytest.mark.browser,
    pytest.mark.skipif(chromium_path() is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(1200),
]

SCREENSHOT = Path(__file__).resolve().parents[2] / "docs" / "user" / "reading-page.png"
WINDOW = {"width": 1440, "height": 900}


class Trial:
    """A running installation with its gateway; everything a person would do is a method."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.server = InstallationProcess(place / "server", copied=Prepared.SEEDED)
        self.gateway: GatewayProcess | None = None
        self._open = ExitStack()

    def start(self) -> Seeded:
        self._open.enter_context(self.server)
        seeded = self.server.seed()
        self.gateway = self._open.enter_context(
            GatewayProcess(
                self.place / "hospital", self.server.url, callers=((seeded.calling_ae, "127.0.0.1"),)
            )
        )
        self.gateway.enrol(self.server.url, seeded.gateway_code)
        self.gateway.start()
        return seeded

    def signed_in(self, chromium: Browser, email: str, password: str) -> Page:
        page = self._open.enter_context(profile(chromium, viewport=WINDOW, accept_downloads=True)).new_page()
        page.goto(f"{self.server.url}/accounts/login/")
        page.fill("#id_login", email)
        page.fill("#id_password", password)
        page.click("button[type=submit]")
        page.wait_for_url(f"{self.server.url}/")
        return page

    def stop(self) -> None:
        """End windows, gateway and server, in this order."""
        self._open.close()

    def delivered(self) -> int:
        """Images the server has given a receipt for."""
        assert self.gateway
        return sum(exam["delivered"] for exam in self.gateway.status()["exams"])

    def push(self, folder: Path, seeded: Seeded) -> int:
        """Send a folder as a PACS does and wait until its exams are receipted; the number of images."""
        assert self.gateway
        before = self.delivered()
        sent = pacs.send(folder, "127.0.0.1", self.gateway.receive_port, seeded.called_ae, seeded.calling_ae)
        assert {one.status for one in sent} == {pacs.SUCCESS}
        log = self.gateway.log_file
        until(
            lambda: self.delivered() >= before + len(sent), "receipts",
            story=lambda: log.read_text("utf-8", "replace")[-2000:],
        )  # fmt: skip
        return len(sent)


@pytest.fixture
def trial(place: Path) -> Iterator[Trial]:
    made = Trial(place)
    try:
        yield made
    finally:
        made.stop()


def open_first_task(page: Page, trial: Trial) -> Driver:
    driver = Driver(page)
    address = f"{trial.server.url}/tasks/"
    driver.until(lambda: page.goto(address) and page.locator("table.list tbody a").count(), "a task")
    page.locator("table.list tbody a").first.click()
    return driver.wait_for_all()


@pytest.mark.requirement("C15", "R07", "R42", "R53", "R54", "R80", "S03", "V05", "V07")
def test_a_phantom_ct_becomes_a_signed_row_with_the_length_that_was_drawn(
    trial: Trial, chromium: Browser, tmp_path: Path
) -> None:
    seeded = trial.start()
    truth = phantoms.ct_exam(tmp_path / "ct", slices=16, seed=7)
    assert trial.push(tmp_path / "ct", seeded) == 16

    reader = trial.signed_in(chromium, seeded.reader, seeded.password)
    driver = open_first_task(reader, trial)
    assert_screen_is_the_file(driver, truth.files)
    answer_the_form(driver, truth)
    take_screenshot(reader)
    submit_and_sign(driver, seeded)

    admin = trial.signed_in(chromium, seeded.administrator, seeded.password)
    row = exported_row(admin, trial, seeded)
    drawn = float(row["diameter"])
    assert drawn == pytest.approx(truth.rod.length_mm, abs=1.0)
    assert row["lesion"] == "yes"
    assert row["quality"] == "4"
    verified = trial.server.run("audit", "verify")
    assert verified.returncode == 0, verified.stdout

    assert_nothing_identifying_left(trial, truth.planted)
    alter_the_read(trial)
    admin.goto(f"{trial.server.url}/projects/{seeded.space_id}/results/")
    assert "Invalid: record changed" in admin.content()


@pytest.mark.requirement("V01")
@pytest.mark.skipif(real_data.folder() is None, reason="the real exams are not on this machine")
def test_a_real_ct_and_pet_arrive_and_are_shown_pixel_for_pixel(trial: Trial, chromium: Browser) -> None:
    seeded = trial.start()
    real = real_data.folder()
    assert real
    folder = real / "petct_mr_sts043"
    series = {
        name: sorted(path for path in (folder / name).rglob("*") if path.is_file()) for name in ("CT", "PT")
    }
    trial.push(folder / "CT", seeded)
    trial.push(folder / "PT", seeded)

    driver = open_first_task(trial.signed_in(chromium, seeded.reader, seeded.password), trial)

    assert_screen_is_the_file(driver, series[shown_modality(driver)])


def shown_modality(driver: Driver) -> str:
    return (
        "PT"
        if "PT" in driver.page.locator("collegium-viewer .series [aria-current=true]").inner_text()
        else "CT"
    )


def assert_screen_is_the_file(driver: Driver, files: tuple[Path, ...] | list[Path]) -> None:
    """The stored values on the screen are those of one of the files: same size, every pixel equal."""
    shown = driver.pixels()["values"]
    stored = (pydicom.dcmread(path).pixel_array.ravel() for path in files)
    assert any(pixels.shape == shown.shape and np.array_equal(pixels, shown) for pixels in stored)


def answer_the_form(driver: Driver, truth: phantoms.ExamTruth) -> None:
    page = driver.page
    page.check("input[name=lesion][value=yes]")
    page.fill("input[name=quality]", "9")
    page.locator("input[name=quality]").blur()
    driver.until(lambda: "5" in page.locator("#told-quality").inner_text(), "the range to be told")
    page.fill("input[name=quality]", "4")
    page.locator("input[name=quality]").blur()
    driver.until(lambda: page.locator("[data-item=diameter]").is_visible(), "the length to be asked for")

    driver.go_to(truth.rod.slice_index)
    page.click("[data-item=diameter] [data-measure]")
    start, end = (driver.on_screen(point) for point in truth.rod.world_points)
    driver.drag(start, end)
    length = page.locator("[data-item=diameter] [data-mark]")
    driver.until(lambda: "mm" in length.inner_text(), "the length in the form")
    before = length.inner_text()
    # Else the browser would ask whether to leave.
    driver.until(
        lambda: page.locator("[data-saving]").inner_text().startswith("Saved"), "what is typed saved"
    )

    page.reload()
    driver.wait_for_all()
    assert page.locator("[data-item=diameter] [data-mark]").inner_text() == before
    driver.until(
        lambda: page.locator("collegium-viewer .marks").inner_text().strip(), "the mark to be drawn again"
    )
    page.click("[data-item=diameter] [data-show]")
    driver.until(lambda: driver.state()["index"] == truth.rod.slice_index, "the image of the mark")


def submit_and_sign(driver: Driver, seeded: Seeded) -> None:
    page = driver.page
    page.click("[data-submit]")
    page.locator("[data-dialog=sign]").wait_for()
    page.wait_for_load_state()  # a dialog opens by script
    if not page.locator("#sign").is_visible():
        page.click("[data-dialog=sign]")
    page.fill("#sign-password", "not the password")
    page.click("#sign button.btn-primary")
    driver.until(lambda: "password" in page.locator("#sign-problem").inner_text(), "the refusal")
    page.fill("#sign-password", seeded.password)
    page.click("#sign button.btn-primary")
    driver.until(lambda: "Signed" in page.locator(".reading-bar").inner_text(), "the signature")


def exported_row(admin: Page, trial: Trial, seeded: Seeded) -> dict[str, str]:
    admin.goto(f"{trial.server.url}/projects/{seeded.space_id}/results/")
    assert "Valid" in admin.content()
    with admin.expect_download() as download:
        admin.click("text=Download CSV")
    text = Path(str(download.value.path())).read_text("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 1
    return rows[0]


def take_screenshot(page: Page) -> None:
    """The picture of the README, taken again when asked for with WRITE_SCREENSHOTS=1."""
    if os.environ.get("WRITE_SCREENSHOTS"):
        page.screenshot(path=SCREENSHOT)


def assert_nothing_identifying_left(trial: Trial, planted: tuple[str, ...]) -> None:
    """No planted identifier stands in clear in any file of the server or of the gateway, nor in a log."""
    needles = [text.encode() for text in planted]
    for path in trial.place.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [needle for needle in needles if needle in content], path


def alter_the_read(trial: Trial) -> None:
    """What an intruder with the owner's password would do: change a value behind the record's back."""
    owner = EmbeddedPostgres(trial.server.data_dir).addresses.owner
    with psycopg.connect(owner, autocommit=True) as intruder:
        intruder.execute("set session_replication_role = replica")
        changed = intruder.execute(
            "update research_reads_readversion set record = replace(record, '\"4\"', '\"5\"')"
        )
        assert changed.rowcount == 1
