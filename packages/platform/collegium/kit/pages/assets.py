"""Built front-end files by their plain names: the bundler's manifest knows the hashed ones."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.templatetags.static import static


class AssetsMissing(Exception):
    """The front end was not built into the package."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One entry of the bundle: its script and the styles it needs."""

    script: str
    styles: tuple[str, ...] = field(default=())


@cache
def _manifest() -> dict[str, Any]:  # Any: the bundler's JSON
    path = Path(settings.STATICFILES_DIRS[0]) / "built" / "manifest.json"
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except FileNotFoundError as error:
        raise AssetsMissing("The front end is not built. Run `make viewer`.") from error


@cache
def asset(name: str) -> Asset:
    """The entry called `name` ("shell", "viewer", "reading").

    Raises:
        AssetsMissing: not built, or no such entry.
    """
    for entry in _manifest().values():
        if entry.get("isEntry") and entry.get("name") == name:
            return Asset(
                static(f"built/{entry['file']}"),
                tuple(static(f"built/{css}") for css in entry.get("css", ())),
            )
    raise AssetsMissing(f"The front end has no entry called {name}. Run `make viewer`.")
