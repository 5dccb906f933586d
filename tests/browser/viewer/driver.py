"""Drives a page with a viewer as a reader does: mouse, wheel and keys; asks it what it shows."""

from __future__ import annotations

import base64
import json
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from collegium_testkit import patience
from tests.browser.viewer.server import FRAME

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt
    from playwright.sync_api import FloatRect, Page

_ELEMENT: Final = "document.querySelector('collegium-viewer')"
_LISTEN: Final = """
window.seen = [];
const types = 'ready first-image progress error save-state mark-saved mark-removed marks-loaded';
for (const type of types.split(' '))
  document.addEventListener('collegium:' + type, (event) => window.seen.push([type, event.detail]));
document.addEventListener('securitypolicyviolation', (event) =>
  window.seen.push(['violation', event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sourceFile]));
"""
STAYING: Final = """(() => {
  const later = window.setTimeout.bind(window);
  window.setTimeout = (act, pause, ...rest) => [6000, 8000].includes(pause) ? 0 : later(act, pause, ...rest);
})();
"""
"""Messages that go away after 6 or 8 seconds stay: a slow machine reads more slowly than a person."""
_PIXELS: Final = """((shown) => {
  if (!shown) return shown;
  const bytes = new Uint8Array(Float64Array.from(shown.values).buffer);
  const texts = [];
  for (let i = 0; i < bytes.length; i += 32768)
    texts.push(String.fromCharCode(...bytes.subarray(i, i + 32768)));
  return { ...shown, values: btoa(texts.join('')) };
})"""
"""As one text: number by number, a single image takes Playwright seconds."""


class Driver:
    """One page. Everything waits for its condition, never for a fixed time."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        self._requests: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self._requests.append(request.url))
        page.add_init_script(_LISTEN)
        page.add_init_script(STAYING)

    def open(self, url: str) -> Driver:
        self.page.goto(url)
        return self

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Poll from outside: the page's policy forbids the eval that Playwright's own waiting uses."""
        patience.until(condition, what, story=lambda: f"State {self.state()}, seen {self.events()[-5:]}")

    def frames_asked(self) -> list[str]:
        """SOP instances in the order in which the browser asked for their frames; a server may hear them otherwise."""
        return [found[1] for url in self._requests if (found := FRAME.search(url))]

    def events(self, kind: str | None = None) -> list[Any]:  # Any: whatever the event carries
        seen = self.page.evaluate("window.seen")
        return [detail for type_, detail in seen if kind is None or type_ == kind]

    def state(self) -> dict[str, Any]:
        return dict(self.page.evaluate(f"{_ELEMENT}.state()"))

    def areas(self) -> list[dict[str, Any]]:
        """What each image area shows, from the left."""
        return list(self.state()["areas"])

    def pixels(self, area: int | None = None) -> dict[str, Any]:
        """What is on the screen: which image, its rows and columns, and its stored values as an array."""
        asked = "" if area is None else str(area)
        shown = dict(self.page.evaluate(f"{_PIXELS}({_ELEMENT}.screenPixels({asked}))"))
        return shown | {"values": np.frombuffer(base64.b64decode(shown["values"]), "<f8")}

    def call(self, expression: str) -> Any:  # Any: what the element's method answers
        return self.page.evaluate(f"{_ELEMENT}.{expression}")

    def text(self, selector: str) -> str:
        return self.page.locator(f"collegium-viewer {selector}").inner_text()

    def drawn(self) -> str:
        """The words of the marks on the images."""
        return " ".join(self.page.locator("collegium-viewer svg.svg-layer").all_text_contents())

    def wait_for_image(self) -> Driver:
        self.until(lambda: self.events("first-image"), "the first image")
        return self

    def wait_for_all(self) -> Driver:
        self.wait_for_image()
        self.until(lambda: 0 < self.state()["total"] == self.state()["loaded"], "all images")
        return self

    def press(self, *keys: str) -> Driver:
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def go_to(self, index: int) -> Driver:
        self.press("Home", *["ArrowDown"] * index)
        self.until(lambda: self.state()["index"] == index, f"image {index}")
        return self

    def wait_for_both(self) -> Driver:
        """Two areas, each with all its images."""
        self.wait_for_image()
        self.until(
            lambda: len(self.areas()) == 2 and all(0 < a["total"] == a["loaded"] for a in self.areas()),
            "all images of both timepoints",
        )
        return self

    def box(self, area: int | None = None) -> FloatRect:
        """Where an image area lies on the page; without a number the active one."""
        chosen = self.state()["active"] if area is None else area
        box = self.page.locator("collegium-viewer .port").nth(chosen).bounding_box()
        assert box
        return box

    def origin(self, area: int | None = None) -> tuple[float, float]:
        box = self.box(area)
        return box["x"], box["y"]

    def centre(self, area: int | None = None) -> tuple[float, float]:
        box = self.box(area)
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def show_series(self, description: str) -> npt.NDArray[np.float64]:
        """Open a series by its name in the list; its stored values."""
        card = self.page.locator(f'collegium-viewer .series button[title="{description}"]')
        card.click()
        self.until(lambda: card.get_attribute("aria-current") == "true", "the card")
        self.until(lambda: not self.page.locator("collegium-viewer .message").is_visible(), description)
        values: npt.NDArray[np.float64] = self.pixels()["values"]
        return values

    def on_screen(self, point: Sequence[float], area: int | None = None) -> tuple[int, int]:
        """Where a point of the patient lies on the page; a mouse moves in whole pixels."""
        asked = "" if area is None else f", {area}"
        x, y = self.call(f"canvasOf({json.dumps(list(point))}{asked})")
        left, top = self.origin(area)
        return round(left + x), round(top + y)

    def drag(
        self, start: tuple[float, float], end: tuple[float, float], button: Any = "left"
    ) -> None:  # Any: a literal
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down(button=button)
        mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
        mouse.move(*end, steps=4)
        mouse.up(button=button)

    def measure(self, start: Sequence[float], end: Sequence[float]) -> dict[str, Any]:
        """Draw a length between two points of the patient and wait until it is saved."""
        before = len(self.events("mark-saved"))
        self.press("l")
        self.drag(self.on_screen(start), self.on_screen(end))
        return self._saved_after(before)

    def begin_diameters(
        self, long: Sequence[Sequence[float]], *, has_tool: bool = False
    ) -> list[list[float]]:
        """Draw the long diameter; where the viewer proposes the ends of the short one, in patient mm.

        `has_tool`: the tool is in the hand already, as after *Measure* in a form.
        """
        if not has_tool:
            self.press("b")
        self.drag(*(self.on_screen(end) for end in long))
        self.until(lambda: "short diameter" in self.drawn(), "the short one proposed")
        (ax, ay, z), (bx, by, _) = long
        x, y, across, down = (ax + bx) / 2, (ay + by) / 2, (by - ay) / 3, (bx - ax) / 3
        return [[x + across, y - down, z], [x - across, y + down, z]]

    def measure_diameters(
        self, long: Sequence[Sequence[float]], short: Sequence[Sequence[float]]
    ) -> dict[str, Any]:
        """Draw the long diameter, drag both ends of the short one, and wait until all is saved."""
        at = self.begin_diameters(long)[0]
        for end in sorted(short, key=lambda end: math.dist(at, end)):
            before = len(self.events("mark-saved"))
            self.drag(self.on_screen(at), self.on_screen(end))
            saved = self._saved_after(before)
            # The other end went along; it lies farther from the one that was just set.
            at = max(saved["points"][2:], key=lambda other: math.dist(end, other))
        return saved

    def _saved_after(self, count: int) -> dict[str, Any]:
        self.until(lambda: len(self.events("mark-saved")) > count, "the mark to be saved")
        return dict(self.events("mark-saved")[-1]["mark"])

    def grey(self, x: float, y: float, size: int = 12) -> float:
        """Mean brightness (0-255) of the drawn image around a point of the page."""
        left, top = self.origin()
        corner = (round(x - left - size / 2), round(y - top - size / 2))
        script = """([x, y, size]) => {
          const root = document.querySelector('collegium-viewer').shadowRoot;
          const canvas = root.querySelector('canvas.cornerstone-canvas');
          const copy = document.createElement('canvas');
          copy.width = copy.height = size;
          const context = copy.getContext('2d');
          context.drawImage(canvas, x, y, size, size, 0, 0, size, size);
          const data = context.getImageData(0, 0, size, size).data;
          let sum = 0;
          for (let i = 0; i < data.length; i += 4) sum += data[i];
          return sum / (data.length / 4);
        }"""
        return float(self.page.evaluate(script, [*corner, size]))
