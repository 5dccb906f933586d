"""Find this machine's Chromium and start it, with or without the graphics that the viewer needs.

Drawing runs on the processor (SwiftShader), so a machine without a graphics card shows the same
pixels. Playwright's own browser download is never used.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, BrowserType, sync_playwright

from collegium_testkit.patience import PATIENCE_S

# The shell has no window of its own to draw beside each page: a fresh context costs it a quarter.
_NAMES: Final = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
_QUIET: Final = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_SOFTWARE_GL: Final = (
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    # What has no 3D in it is put together without: through SwiftShader a page with images costs half as much again.
    "--disable-gpu-compositing",
)
_NO_GL: Final = ("--disable-gpu", "--disable-3d-apis")
_PATIENCE_MS: Final = PATIENCE_S * 1000


def chromium_path() -> Path | None:
    """The browser named by COLLEGIUM_CHROMIUM, else the first one found on the path, else None."""
    named = os.environ.get("COLLEGIUM_CHROMIUM")
    if named:
        path = Path(named)
        return path if path.is_file() else None
    for name in _NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    return None


def launch(chromium: BrowserType, *, has_webgl: bool = True) -> Browser:
    """Start a headless Chromium; the caller closes it.

    Args:
        chromium: of a running Playwright (a started browser has it as `browser_type`).
        has_webgl: False starts it without any 3D, as on a machine where hardware acceleration is off.

    Raises:
        FileNotFoundError: there is no Chromium; ask `chromium_path()` first.
    """
    path = chromium_path()
    if path is None:
        raise FileNotFoundError("No Chromium on this machine. Install it, or set COLLEGIUM_CHROMIUM.")
    return chromium.launch(
        executable_path=str(path),
        args=[*_QUIET, *(_SOFTWARE_GL if has_webgl else _NO_GL)],
        timeout=_PATIENCE_MS,
    )


@contextmanager
def browser(*, has_webgl: bool = True) -> Iterator[Browser]:
    """A fresh Playwright with a fresh Chromium, closed at the end whatever happens. One at a time a thread."""
    with sync_playwright() as playwright:
        started = launch(playwright.chromium, has_webgl=has_webgl)
        try:
            yield started
        finally:
            started.close()


@contextmanager
def profile(started: Browser, **look: Any) -> Iterator[BrowserContext]:  # Any: Playwright's own
    """A profile of its own, closed at the end with its pages; what is done in it waits as long as other tests do."""
    opened = started.new_context(**look)
    try:
        opened.set_default_timeout(_PATIENCE_MS)
        yield opened
    finally:
        opened.close()
