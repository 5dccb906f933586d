"""The pictures of the README, taken again when asked for with WRITE_SCREENSHOTS=1."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "user"


def take(page: Page, name: str) -> None:
    """A picture of what the page shows."""
    if os.environ.get("WRITE_SCREENSHOTS"):
        page.screenshot(path=FOLDER / f"{name}.png")
