"""From the click on a task to its first image: real server, real Chromium, a 300-slice CT.

The clock starts when the mouse goes down on the task in the list and stops when the viewer says that
an image is drawn; both are read inside the browser. Drawing is done by the processor (SwiftShader),
as on a machine without a graphics card. Each run is a fresh browser context; only the list page before
it has loaded what all pages share. Nearly all of the time is the browser's processor time, so `load`
says how busy the machine was. `reading.py` runs it; with `--tasks 0` it runs nothing else but the check before a frame.
"""

from __future__ import annotations

import os
import statistics
import time
from typing import TYPE_CHECKING, Any

from fast_sender import load, push

from collegium_testkit import phantoms
from collegium_testkit.gateways import GatewayProcess

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from collegium_testkit.installation import InstallationProcess
    from collegium_testkit.seed import Seeded

TARGET_S = 2.0
# The click happens on one page and the image on the next; both know the time since 1970.
LISTEN = """
const now = () => performance.timeOrigin + performance.now();
document.addEventListener('pointerdown', () => sessionStorage.setItem('clicked', now()), true);
document.addEventListener('collegium:first-image', () => requestAnimationFrame(() => { window.shownAt = now(); }));
"""
PARTS = """
() => {
  const clicked = Number(sessionStorage.getItem('clicked'));
  const page = performance.getEntriesByType('navigation')[0];
  const origin = performance.timeOrigin;
  const all = performance.getEntriesByType('resource').map(
    (one) => [one.name.replace(location.origin, ''), one.startTime, one.responseEnd, one.transferSize]);
  return {
    total: window.shownAt - clicked,
    html: origin + page.responseEnd - clicked,
    loaded: origin + page.domContentLoadedEventEnd - clicked,
    resources: all,
  };
}
"""


def deliver(folder: Path, server: InstallationProcess, seeded: Seeded, slices: int) -> None:
    """Bring one exam in by the gateway, as in life."""
    callers = ((seeded.calling_ae, "127.0.0.1"),)
    exam = phantoms.ct_exam(folder / "exam", slices=slices)
    with GatewayProcess(folder / "hospital", server.url, callers=callers) as gateway:
        gateway.enrol(server.url, seeded.gateway_code)
        gateway.start()
        push(load(exam.files), gateway.receive_port, seeded.called_ae, seeded.calling_ae)
        ends = time.monotonic() + 120
        while "delivery.receipted" not in gateway.log_text:
            if time.monotonic() > ends:
                raise SystemExit(gateway.log_text[-3000:])
            time.sleep(0.2)


def opened(chromium: Browser, server: InstallationProcess, seeded: Seeded) -> dict[str, Any]:  # Any: JSON
    """One reader signs in, clicks the task and sees an image; milliseconds, in parts."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    try:
        page = context.new_page()
        page.add_init_script(LISTEN)
        page.goto(f"{server.url}/accounts/login/")
        page.fill("#id_login", seeded.reader)
        page.fill("#id_password", seeded.password)
        page.click("button[type=submit]")
        page.wait_for_url(f"{server.url}/")
        await_task(page, server)
        page.wait_for_load_state("networkidle")
        page.locator("table.list tbody a").first.click()
        ends = time.monotonic() + 60
        while not page.evaluate("window.shownAt || 0"):
            if time.monotonic() > ends:
                raise SystemExit(f"No image came. {page.url} {page.inner_text('body')[:1500]}")
            time.sleep(0.05)
        return dict(page.evaluate(PARTS))
    finally:
        context.close()


def await_task(page: Page, server: InstallationProcess) -> None:
    """The list with the task in it; the worker makes it after the delivery."""
    ends = time.monotonic() + 60
    while True:
        page.goto(f"{server.url}/tasks/")
        if page.locator("table.list tbody a").count():
            return
        if time.monotonic() > ends:
            raise SystemExit("No task came.")
        time.sleep(0.3)


def row_of(runs: list[dict[str, Any]], slices: int) -> dict[str, object]:  # Any: JSON
    """The median of several openings, in seconds."""
    seconds = sorted(run["total"] / 1000 for run in runs)
    median = statistics.median(seconds)
    return {
        "metric": f"click on a task until the first image, {slices}-slice CT, s",
        "ours": round(median, 3),
        "slowest": round(seconds[-1], 3),
        "quickest": round(seconds[0], 3),
        "page_ms": round(statistics.median(run["html"] for run in runs)),
        "scripts_ms": round(statistics.median(run["loaded"] for run in runs)),
        "load": round(os.getloadavg()[0], 1),
        "peer": None,
        "ratio": None,
        "target": TARGET_S,
        "holds": median <= TARGET_S,
    }
