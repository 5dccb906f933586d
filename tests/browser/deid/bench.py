"""Drives the page that de-identifies as a person does, and asks its workers as its code does."""

from __future__ import annotations

import zipfile
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from collegium_testkit import patience

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from playwright.sync_api import Page

KEY = bytes(range(32)).hex()
# Bytes cross as base64: a list of numbers takes Playwright seconds.
_BYTES = """
  const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const lettersOf = (buffer) => Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte));
  const textOf = async (blob) => btoa(lettersOf(await blob.arrayBuffer()).join(''));
"""
_COVERED = f"""async ([bytes, picture, boxes, fill]) => {{ {_BYTES}
  const pool = document.querySelector('[data-deid]').pool;
  return textOf(await pool.ask({{ ask: 'cover', pixels: new Blob([bytesOf(bytes)]), picture, boxes, fill }}));
}}"""
_CLEANED = f"""async ([setting, boxes]) => {{ {_BYTES}
  const pool = document.querySelector('[data-deid]').pool;
  const [file] = document.getElementById('corpus').files;
  let bytes;
  await pool.run([file], setting, async (file, ask) => {{
    const {{ told, head }} = await ask({{ ask: 'clean', file }});
    if (told.state !== 'look') throw new Error(told.code);
    const pixels = file.slice(told.start, told.end);
    const covered = await ask({{ ask: 'cover', pixels, picture: told.picture, boxes, fill: 'background' }});
    bytes = await textOf(new Blob([head, covered]));
  }}, () => false);
  document.getElementById('corpus').remove();
  return bytes;
}}"""
_INPUT = """() => {
  document.body.append(Object.assign(document.createElement('input'), {type: 'file', multiple: true, id: 'corpus'}));
}"""
_DROP = f"""(files) => {{ {_BYTES}
  const dataTransfer = new DataTransfer();
  for (const [name, bytes] of files) dataTransfer.items.add(new File([bytesOf(bytes)], name));
  document.querySelector('[data-drop]').dispatchEvent(new DragEvent('drop', {{ dataTransfer, bubbles: true }}));
}}"""
_TOLD = """
window.told = [];
new MutationObserver((changes) => {
  for (const { addedNodes } of changes)
    for (const node of addedNodes) if (node.classList?.contains('toast-note')) window.told.push(node.textContent);
}).observe(document, { childList: true, subtree: true });
"""
_NAME_OF_FOCUS = """() => {
  const { activeElement } = document;
  const label = activeElement.labels?.[0] ?? activeElement;
  return activeElement === document.body ? '' : (activeElement.getAttribute('aria-label') ?? label.textContent).trim();
}"""
_OUTPUTS = """async ([setting, names]) => {
  const pool = document.querySelector('[data-deid]').pool;
  const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const outputs = {};
  await pool.run([...document.getElementById('corpus').files], setting, async (file, ask) => {
    const { told, head, pixels } = await ask({ ask: 'clean', file });
    const all = new Blob([head, pixels.length ? pixels : file.slice(told.start, told.end)]);
    const hash = told.state === 'refused' ? '' : hex(await crypto.subtle.digest('SHA-256', await all.arrayBuffer()));
    outputs[file.name] = [told.state, told.code ?? '', hash];
  }, () => false);
  document.getElementById('corpus').remove();
  return outputs;
}"""


class Bench:
    """The page in one window; `problems` is what went wrong in it, `sent` what it sent with a body."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.problems: list[str] = []
        self.sent: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda line: self.problems.append(line.text) if line.type == "error" else None)
        page.on("request", lambda asked: self.sent.append(asked.url) if asked.method != "GET" else None)
        page.add_init_script(_TOLD)
        self.open()

    def open(self) -> None:
        self.page.goto(f"{self.url}/de-identify/")
        self.until(lambda: self.page.get_by_text("Ready, on this computer").is_visible(), "Python")

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Poll from outside: the page's policy forbids the eval that Playwright's own waiting uses."""
        patience.until(condition, what, story=lambda: str(self.problems[-3:]))

    def outputs(self, files: Sequence[Path], recipe: str) -> dict[str, list[str]]:
        """By name of the file: state, code of refusal, SHA-256 of what comes out."""
        self.page.evaluate(_INPUT)
        self.page.set_input_files("#corpus", list(files))
        found: dict[str, list[str]] = self.page.evaluate(_OUTPUTS, [_setting(recipe), []])
        return found

    def cleaned_and_covered(self, path: Path, box: tuple[int, int, int, int]) -> bytes:
        """The whole file as it is saved with one box (left, top, right, bottom) covered in every frame."""
        self.page.evaluate(_INPUT)
        self.page.set_input_files("#corpus", path)
        found: str = self.page.evaluate(_CLEANED, [_setting("trial"), [_box(box)]])
        return b64decode(found)

    def covered(
        self, pixels: bytes, picture: dict[str, Any], box: tuple[int, int, int, int], fill: str
    ) -> bytes:
        """A pixel element with one box (left, top, right, bottom) covered, as it is when it is saved."""
        found: str = self.page.evaluate(_COVERED, [_text(pixels), picture, [_box(box)], fill])
        return b64decode(found)

    def fill_in(self, place: Path) -> None:
        """Subject and key, unless they are there."""
        self.page.fill("#deid-subject", "S-001")
        if self.page.locator("[data-key-state]").is_visible():
            return
        key = place / "site.key"
        key.write_text(KEY + "\n", "ascii")
        self.page.set_input_files("[data-input=key]", key)
        self.until(lambda: self.page.locator("[data-key-state]").is_visible(), "the key")

    def use(self, recipe: str) -> None:
        self.page.select_option("#deid-recipe", recipe)

    def choose(self, *files: Path) -> None:
        self.page.set_input_files("[data-input=files]", list(files))

    def drop(self, *files: Path) -> None:
        """Drop files on the page, as from the file manager."""
        packed = [[file.name, _text(file.read_bytes())] for file in files]
        self.page.evaluate(_DROP, packed)

    def has_told(self, words: str) -> bool:
        """Whether a message said so since the test began; those of success are gone after six seconds."""
        return any(words in said for said in self.page.evaluate("window.told"))

    def begin_again(self) -> None:
        """Leave everything that is in the table, saved or not."""
        self.page.locator("[data-run-again]").click()
        asked, empty = self.page.locator("#deid-again"), self.page.locator("[data-drop]")
        self.until(lambda: asked.is_visible() or empty.is_visible(), "the question or an empty page")
        if asked.is_visible():
            asked.get_by_role("button", name="Begin again").click()
        self.until(empty.is_visible, "an empty page")

    def confirm(self) -> None:
        """Say that every picture was looked at. The page knows once the dialog has closed, a moment later."""
        self.until(self.page.locator("[data-looked]").is_enabled, "all pictures to be seen")
        self.page.locator("[data-looked]").check()
        self.page.get_by_role("button", name="Confirm pictures").click()
        self.until(self.page.get_by_role("button", name="Look again").is_visible, "what was confirmed")

    def leave(self) -> None:
        """Close the pictures without a word."""
        self.page.keyboard.press("Escape")
        self.until(lambda: not self.page.locator("#looking").is_visible(), "the pictures to close")

    def name_of_focus(self) -> str:
        """What the element with the focus is called; empty when nothing has it."""
        found: str = self.page.evaluate(_NAME_OF_FOCUS)
        return found

    def tab_to(self, name: str) -> None:
        """Go there with the Tab key alone."""
        passed: list[str] = []
        while self.name_of_focus() != name:
            assert len(passed) < 60, f"Tab does not lead to {name!r}, only to {passed}"
            self.page.keyboard.press("Tab")
            passed.append(self.name_of_focus())

    def run(self) -> None:
        start = self.page.get_by_role("button", name="De-identify files")
        self.until(start.is_enabled, "the files")
        start.click()
        self.until(lambda: self.page.locator("[data-run-again]").is_visible(), "the end of the run")

    def counts(self) -> dict[str, int]:
        chips = self.page.locator("[data-show]").all()
        return {
            str(chip.get_attribute("data-show")): int(chip.locator(".count").inner_text()) for chip in chips
        }

    def saved(self, place: Path) -> zipfile.ZipFile:
        """Save as a zip and open it."""
        with self.page.expect_download() as download:
            self.page.get_by_role("button", name="Save as zip").click()
        path = place / "saved.zip"
        download.value.save_as(path)
        return zipfile.ZipFile(path)

    def drag(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw over the picture between two of its points, in shares of its width and height."""
        canvas = self.page.locator("[data-canvas]")
        size: dict[str, Any] = canvas.evaluate("({width, height}) => ({width, height})")  # Any: JSON
        area = canvas.bounding_box()
        assert area
        zoom = min(area["width"] / size["width"], area["height"] / size["height"])
        left = area["x"] + (area["width"] - size["width"] * zoom) / 2
        top = area["y"] + (area["height"] - size["height"] * zoom) / 2
        mouse = self.page.mouse
        mouse.move(left + begin[0] * size["width"] * zoom, top + begin[1] * size["height"] * zoom)
        mouse.down()
        mouse.move(left + end[0] * size["width"] * zoom, top + end[1] * size["height"] * zoom, steps=5)
        mouse.up()


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _setting(recipe: str) -> dict[str, str]:
    return {"recipe": recipe, "key": KEY, "subject": "S-001", "table": ""}


def _box(box: tuple[int, int, int, int]) -> dict[str, int | str]:
    left, top, right, bottom = box
    return {"left": left, "top": top, "right": right, "bottom": bottom, "only": ""}
