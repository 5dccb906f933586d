"""The page in the hand of a person: drop, look, cover, confirm, save; and nothing leaves the browser."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from pydicom import dcmread
from pydicom.uid import UID, ExplicitVRLittleEndian

from collegium_deid import SiteKey
from collegium_testkit import phantoms
from collegium_testkit.patience import PATIENCE_S
from tests.browser.deid.bench import KEY

if TYPE_CHECKING:
    import numpy.typing as npt
    from pydicom.dataset import FileDataset

    from collegium_testkit.phantoms import ExamTruth
    from tests.browser.deid.bench import Bench

pytestmark = [pytest.mark.browser, pytest.mark.journey, pytest.mark.timeout(900)]

REPOSITORY = Path(__file__).resolve().parents[3]
PICTURES = REPOSITORY / "test-results" / "look"
BUILT = REPOSITORY / "packages" / "platform" / "collegium" / "web" / "static" / "built"
SECONDARY_CAPTURE = UID("1.2.840.10008.5.1.4.1.1.7")
HOLD_BACK = """(name) => {
  const pool = document.querySelector('[data-deid]').pool;
  const run = pool.run;
  const come = new Promise((go) => { window.letCome = go; });
  pool.run = (jobs, setting, work, isCancelled) => {
    pool.run = run;
    const nameOf = (job) => (job.item ?? job).path;
    return pool.run(jobs, setting, async (job, ask) => {
      if (nameOf(job) === name) await come;
      await work(job, ask);
    }, isCancelled);
  };
}"""
"""In the next run, or saving, one file waits until the test lets it come."""
VIOLATIONS = """async () => {
  const { violations } = await axe.run({ resultTypes: ['violations'] });
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 120)}`);
}"""
WRITING = (slice(20, 40), slice(30, 130))
"""Rows and columns of the screens that are white, as if something were written there."""


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> ExamTruth:
    return phantoms.ct_exam(tmp_path_factory.mktemp("exam"), slices=3, size=128)


@pytest.fixture(scope="module")
def screens(exam: ExamTruth, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two colour screens of one series, written on at the same place."""
    folder = tmp_path_factory.mktemp("screens")
    return [screen(exam, number, folder) for number in (1, 2)]


def screen(exam: ExamTruth, number: int, folder: Path) -> Path:
    dataset = dcmread(exam.files[0])
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = SECONDARY_CAPTURE
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(
        phantoms.uid("screen", number)
    )
    dataset.SeriesInstanceUID = phantoms.uid("screens")
    dataset.ImageType = ["DERIVED", "SECONDARY", "SCREEN SAVE"]
    dataset.Modality, dataset.ConversionType = "OT", "WSD"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel, dataset.PlanarConfiguration = 120, 160, 3, 0
    dataset.PhotometricInterpretation, dataset.PixelRepresentation = "RGB", 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    pixels = np.full((120, 160, 3), (10, 20, 30 + number), np.uint8)
    pixels[WRITING] = 255
    pixels[90:100, 100:140] = (200, 100, 50)
    dataset.PixelData = pixels.tobytes()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path = folder / f"screen{number}.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path


def pixels_of(dataset: FileDataset) -> npt.NDArray[np.uint8]:
    return np.frombuffer(dataset.PixelData, np.uint8).reshape(120, 160, 3)


def objects(archive: zipfile.ZipFile) -> list[FileDataset]:
    return [dcmread(io.BytesIO(archive.read(name))) for name in archive.namelist() if name.endswith(".dcm")]


def look_at(bench: Bench, count: int) -> None:
    """Open the series of the screens."""
    row = bench.page.locator("tr", has_text="Secondary Capture Image")
    row.get_by_role("button", name="Look").click()
    bench.until(
        lambda: bench.page.locator("[data-where]").inner_text() == f"1 of {count}", "the first picture"
    )


@pytest.fixture
def fresh(bench: Bench, tmp_path: Path) -> Bench:
    """The page with everything but files, however the test before left it."""
    if bench.page.locator("#looking").is_visible():
        bench.leave()
    if bench.page.locator("[data-run-again]").is_visible():
        bench.begin_again()
    bench.page.get_by_label("All files show one subject").check()
    bench.fill_in(tmp_path)
    bench.use("trial")
    bench.page.evaluate("window.told = []")
    return bench


def test_files_are_cleaned_looked_at_covered_and_saved(
    fresh: Bench, exam: ExamTruth, screens: list[Path], tmp_path: Path
) -> None:
    page = fresh.page
    junk = tmp_path / "notes.txt"
    junk.write_text("Nothing of DICOM in here. " * 20)
    fresh.sent.clear()

    fresh.choose(*exam.files, *screens, junk)
    fresh.run()
    counts = fresh.counts()
    could_save = page.locator("[data-save-zip]").is_enabled()
    look_at(fresh, 2)
    fresh.drag((28 / 160, 18 / 120), (132 / 160, 42 / 120))
    fresh.until(lambda: page.locator("[data-box-list] li").count() == 1, "the box")
    is_early = page.locator("[data-looked]").is_enabled()
    page.get_by_role("button", name="Next picture").click()
    fresh.confirm()
    archive = fresh.saved(tmp_path)

    assert counts == {"all": 6, "clean": 0, "look": 5, "refused": 1}
    assert (could_save, is_early) == (False, False)
    looked = objects(archive)
    assert [dataset.SOPClassUID for dataset in looked] == [SECONDARY_CAPTURE] * 2
    originals = {int(pixels_of(dcmread(path))[0, 0, 2]): pixels_of(dcmread(path)) for path in screens}
    for dataset in looked:
        new = pixels_of(dataset)
        old = originals[int(new[0, 0, 2])].copy()
        assert (new[WRITING] == old[0, 0]).all()
        old[WRITING] = old[0, 0]
        assert (new == old).all()
        assert dataset.BurnedInAnnotation == "NO"
        assert "113101" in [item.CodeValue for item in dataset.DeidentificationMethodCodeSequence]
    assert fresh.problems == []
    assert [url for url in fresh.sent if "notifications" not in url] == []


@pytest.mark.parametrize("width", [1280, 420])
def test_what_to_do_is_in_sight_in_narrow_windows_too(fresh: Bench, screens: list[Path], width: int) -> None:
    page = fresh.page
    wide = page.viewport_size
    assert wide is not None
    page.set_viewport_size({"width": width, "height": wide["height"]})

    fresh.choose(*screens)
    fresh.run()
    button = page.get_by_role("button", name="Look at pictures").bounding_box()
    table = page.locator(".deid .list-scroll").bounding_box()
    page.set_viewport_size(wide)

    assert button is not None
    assert table is not None
    assert button["x"] >= table["x"]
    assert button["x"] + button["width"] <= table["x"] + table["width"] <= width


def test_what_is_saved_tells_nobody(fresh: Bench, exam: ExamTruth, tmp_path: Path) -> None:
    fresh.use("strict")
    fresh.choose(*exam.files)
    fresh.run()

    archive = fresh.saved(tmp_path)

    report = next(name for name in archive.namelist() if name.endswith("report.json"))
    told = json.loads(archive.read(report))
    everything = b"\n".join(
        [*(archive.read(name) for name in archive.namelist()), *map(str.encode, archive.namelist())]
    )
    assert [
        each for each in (*exam.planted, *(file.name for file in exam.files)) if each.encode() in everything
    ] == []
    assert (told["objects"], told["recipe"]["name"]) == (3, "strict")
    codes = [item.CodeValue for each in objects(archive) for item in each.DeidentificationMethodCodeSequence]
    assert "113101" not in codes
    assert archive.testzip() is None


def test_boxes_are_made_moved_sized_taken_away_and_undone_by_key(fresh: Bench, screens: list[Path]) -> None:
    page = fresh.page
    fresh.choose(*screens)
    fresh.run()
    look_at(fresh, 2)
    sizes = page.locator("[data-box-list] li span")

    page.keyboard.press("n")
    fresh.until(lambda: page.locator(".looking-box:focus").count() == 1, "the box to have the focus")
    made = sizes.inner_text()
    page.keyboard.press("Shift+ArrowRight")
    fresh.until(lambda: sizes.inner_text() != made, "another size")
    sized = sizes.inner_text()
    page.keyboard.press("Delete")
    fresh.until(lambda: sizes.count() == 0, "no box")
    page.keyboard.press("Control+z")
    fresh.until(lambda: sizes.count() == 1, "the box again")
    page.keyboard.press("Control+z")
    fresh.until(lambda: sizes.inner_text() == made, "its first size")
    fresh.leave()

    assert (made, sized) == ("40 \N{MULTIPLICATION SIGN} 12", "44 \N{MULTIPLICATION SIGN} 12")


def test_what_lies_in_a_dropped_zip_is_cleaned_and_a_file_that_is_there_twice_is_refused(
    fresh: Bench, exam: ExamTruth, tmp_path: Path
) -> None:
    for name, method in (("packed.zip", zipfile.ZIP_DEFLATED), ("stored.zip", zipfile.ZIP_STORED)):
        with zipfile.ZipFile(tmp_path / name, "w", method) as archive:
            archive.writestr("a folder/", b"")
            for file in exam.files:
                archive.write(file, f"a folder/{file.name}")
    fresh.use("strict")

    fresh.drop(tmp_path / "packed.zip", tmp_path / "stored.zip")
    fresh.run()

    assert fresh.counts() == {"all": 6, "clean": 3, "look": 0, "refused": 3}
    assert fresh.page.get_by_text("The same object was among the files already.").is_visible()


def test_everything_from_start_to_save_can_be_done_by_key(fresh: Bench, screens: list[Path]) -> None:
    page = fresh.page
    fresh.choose(screens[0])
    fresh.until(page.get_by_role("button", name="De-identify files").is_enabled, "the files")
    fresh.tab_to("De-identify files")

    page.keyboard.press("Enter")
    fresh.until(lambda: page.locator("[data-run-again]").is_visible(), "the end of the run")
    page.keyboard.press("Tab")
    after_run = fresh.name_of_focus()
    fresh.tab_to("Look at pictures")
    page.keyboard.press("Enter")
    fresh.until(lambda: page.locator("[data-where]").inner_text() == "1 of 1", "the picture")
    page.keyboard.press("n")
    fresh.until(page.locator(".looking-box:focus").is_visible, "the box to have the focus")
    fresh.tab_to("I have looked at every picture")
    page.keyboard.press("Space")
    fresh.tab_to("Confirm pictures")
    page.keyboard.press("Enter")
    fresh.until(page.get_by_role("button", name="Look again").is_visible, "what was confirmed")
    after_look = fresh.name_of_focus()
    fresh.tab_to("Save as zip")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    fresh.until(lambda: fresh.has_told("Saved. The reports"), "the end of saving")
    after_save = fresh.name_of_focus()

    assert (after_run, after_look, after_save) == ("Begin again", "Look again", "Save as zip")
    assert Path(download.value.path()).stat().st_size > 0


def test_a_subject_code_that_is_none_says_what_one_is(fresh: Bench, screens: list[Path]) -> None:
    page = fresh.page
    fresh.choose(*screens)

    page.fill("#deid-subject", "A^B")
    told = page.locator("[data-run-missing]").inner_text()
    can_start = page.get_by_role("button", name="De-identify files").is_enabled()
    page.fill("#deid-subject", "S-001")
    fresh.run()

    assert "letters, digits" in told
    assert not can_start


def test_a_new_key_is_saved_as_a_file_that_is_a_key(fresh: Bench, tmp_path: Path) -> None:
    page = fresh.page
    page.get_by_role("button", name="Use another").click()
    page.set_input_files(
        "[data-input=key]", {"name": "no.key", "mimeType": "text/plain", "buffer": b"no key"}
    )
    fresh.until(lambda: page.locator("[data-key-problem]").is_visible(), "the refusal")

    with page.expect_download() as download:
        page.get_by_role("button", name="Make a new key").click()
    download.value.save_as(tmp_path / "new.key")
    fresh.until(page.get_by_text("collegium-site.key, new").is_visible, "the key")
    page.get_by_role("button", name="Use another").click()

    assert SiteKey.load(tmp_path / "new.key") != SiteKey(bytes.fromhex(KEY))


def test_nine_pictures_at_once_are_looked_at_on_one_page_and_opened_by_a_click(
    fresh: Bench, tmp_path: Path
) -> None:
    page = fresh.page
    slices = phantoms.ct_exam(tmp_path / "slices", slices=11, size=64)
    fresh.choose(*slices.files)
    fresh.run()
    page.get_by_role("button", name="Look at pictures").click()
    where = page.locator("[data-where]")

    page.keyboard.press("g")
    unseen = page.locator("[data-unseen]")
    fresh.until(lambda: where.inner_text() == "1 to 9 of 11", "nine pictures")
    fresh.until(lambda: unseen.inner_text() == "2 still to see", "nine pictures to be seen")
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / "deid-nine.png")
    page.keyboard.press("ArrowRight")
    fresh.until(lambda: where.inner_text() == "10 to 11 of 11", "the other two")
    fresh.until(page.locator("[data-looked]").is_enabled, "all pictures to be seen")
    fresh.drag((0.5, 0.1), (0.5, 0.1))
    fresh.until(lambda: where.inner_text() == "11 of 11", "the one that was clicked")
    fresh.leave()


def test_a_box_that_comes_later_takes_back_what_was_confirmed(fresh: Bench, screens: list[Path]) -> None:
    page = fresh.page
    fresh.choose(screens[0])
    fresh.run()
    look_at(fresh, 1)
    fresh.confirm()
    could_save = page.locator("[data-save-zip]").is_enabled()

    look_at(fresh, 1)
    page.keyboard.press("n")
    fresh.until(lambda: page.locator("[data-box-list] li").count() == 1, "the box")
    fresh.leave()

    fresh.until(page.get_by_role("button", name="Look at pictures").is_visible, "the picture to look at")
    assert could_save
    assert page.locator("[data-save-zip]").is_disabled()


def test_a_picture_that_comes_while_others_are_looked_at_is_not_confirmed_with_them(
    fresh: Bench, screens: list[Path]
) -> None:
    page = fresh.page
    page.evaluate(HOLD_BACK, screens[1].name)
    fresh.choose(*screens)
    page.get_by_role("button", name="De-identify files").click()
    look_at(fresh, 1)
    page.locator("[data-looked]").check()

    page.evaluate("window.letCome()")
    fresh.until(lambda: page.locator("[data-unseen]").inner_text() == "1 still to see", "the other picture")
    could_confirm = page.locator("[data-confirm]").is_enabled()
    is_said = page.locator("[data-looked]").is_checked()
    page.get_by_role("button", name="Next picture").click()
    fresh.confirm()

    assert (could_confirm, is_said) == (False, False)


def test_boxes_that_change_while_files_are_saved_are_not_in_them(
    fresh: Bench, screens: list[Path], tmp_path: Path
) -> None:
    page = fresh.page
    fresh.choose(screens[0])
    fresh.run()
    look_at(fresh, 1)
    fresh.drag((28 / 160, 18 / 120), (132 / 160, 42 / 120))
    fresh.until(lambda: page.locator("[data-box-list] li").count() == 1, "the box")
    fresh.confirm()
    page.evaluate(HOLD_BACK, screens[0].name)

    with page.expect_download() as download:
        page.get_by_role("button", name="Save as zip").click()
        look_at(fresh, 1)
        page.get_by_role("button", name="Take box 1 away").click()
        fresh.until(lambda: page.locator("[data-box-list] li").count() == 0, "no box")
        fresh.leave()
        page.evaluate("window.letCome()")
    download.value.save_as(tmp_path / "saved.zip")
    fresh.until(page.locator("[data-save-zip]").is_disabled, "the end of saving")
    page.locator("[data-run-again]").click()
    fresh.until(page.locator("[data-drop]").is_visible, "an empty page")

    (saved,) = objects(zipfile.ZipFile(tmp_path / "saved.zip"))
    assert (pixels_of(saved)[WRITING] == pixels_of(saved)[0, 0]).all()


def test_begin_again_asks_before_boxes_are_lost_and_not_when_all_is_saved(
    fresh: Bench, screens: list[Path], tmp_path: Path
) -> None:
    page = fresh.page
    asked, again = page.locator("#deid-again"), page.locator("[data-run-again]")
    fresh.choose(screens[0])
    fresh.run()
    look_at(fresh, 1)
    page.keyboard.press("n")
    fresh.until(lambda: page.locator("[data-box-list] li").count() == 1, "the box")
    fresh.confirm()

    again.click()
    fresh.until(asked.is_visible, "the question")
    words = page.locator("[data-again-loss]").inner_text()
    page.keyboard.press("Enter")
    fresh.until(lambda: not asked.is_visible(), "the table again")
    kept = page.get_by_text("One box is covered.").is_visible()
    fresh.saved(tmp_path)
    fresh.until(lambda: fresh.has_told("Saved. The reports"), "the end of saving")
    again.click()
    fresh.until(page.locator("[data-drop]").is_visible, "an empty page")

    assert words == "1 cleaned file is not saved, and 1 box that you drew would be lost."
    assert kept


def test_the_table_gives_each_patient_a_code_and_refuses_who_is_not_in_it(
    fresh: Bench, exam: ExamTruth, tmp_path: Path
) -> None:
    page = fresh.page
    other = phantoms.ct_exam(tmp_path / "other", slices=1, size=64, seed=7)
    fresh.use("strict")
    page.get_by_label("Several, by a table").check()
    page.fill("#deid-table", f"{exam.patient.patient_id}, T-007\n")

    fresh.choose(*exam.files, *other.files)
    fresh.run()
    counts = fresh.counts()
    saved = objects(fresh.saved(tmp_path))

    assert counts == {"all": 4, "clean": 3, "look": 0, "refused": 1}
    assert {dataset.PatientID for dataset in saved} == {"T-007"}


def test_python_may_talk_to_nobody_but_its_own_server(bench: Bench) -> None:
    worker = next(BUILT.glob("worker-*.js")).name

    answer = httpx.get(f"{bench.url}/static/built/{worker}", timeout=PATIENCE_S)

    policy = answer.headers["Content-Security-Policy"]
    assert {"connect-src 'self'", "script-src 'self' 'wasm-unsafe-eval'"} <= set(policy.split("; "))
    assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.requirement("U04")
def test_the_page_is_sound_to_look_at(
    fresh: Bench, exam: ExamTruth, screens: list[Path], tmp_path: Path
) -> None:
    page = fresh.page
    wrong = shown(fresh, "deid-empty")
    junk = tmp_path / "notes.txt"
    junk.write_text("Nothing of DICOM in here. " * 20)

    fresh.choose(*exam.files, *screens, junk)
    fresh.run()
    wrong += shown(fresh, "deid-results")
    look_at(fresh, 2)
    fresh.drag((28 / 160, 18 / 120), (132 / 160, 42 / 120))
    fresh.until(lambda: page.locator("[data-box-list] li").count() == 1, "the box")
    wrong += shown(fresh, "deid-looking")
    fresh.leave()
    page.locator("[data-run-again]").click()
    fresh.until(page.locator("#deid-again").is_visible, "the question")
    wrong += shown(fresh, "deid-again")
    page.locator("#deid-again").get_by_role("button", name="Begin again").click()
    fresh.until(page.locator("[data-drop]").is_visible, "an empty page")

    assert wrong == []


def shown(bench: Bench, name: str) -> list[str]:
    """axe's findings in both looks, wide and narrow; a picture of each for a person to look at."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    wrong: list[str] = []
    for scheme, width in (("light", 1280), ("dark", 700)):
        bench.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
        bench.page.set_viewport_size({"width": width, "height": 900})
        has_taken_it_on = bench.page.locator(f"html[data-bs-theme={scheme}]").count
        bench.until(has_taken_it_on, scheme)
        if bench.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"
        ):
            wrong.append(f"{name} is wider than the window of {width}")
        bench.page.screenshot(path=PICTURES / f"{name}-{scheme}-{width}.png")
        if not bench.page.evaluate("'axe' in window"):
            bench.page.evaluate(Axe().axe_script)
        wrong += [f"{name} {scheme}: {each}" for each in bench.page.evaluate(VIOLATIONS)]
    bench.page.emulate_media(color_scheme="light")
    bench.page.set_viewport_size({"width": 1280, "height": 900})
    return wrong
