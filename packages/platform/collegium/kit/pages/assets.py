"""Built front-end files by their plain names; the bundler's list knows the hashed ones."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from django.conf import settings
from django.templatetags.static import static


class AssetsMissing(Exception):
    """The front end was not built into the package."""


@cache
def asset(name: str) -> str:
    """Address of a built file such as "shell.css".

    Raises:
        AssetsMissing: not built, or no such file.
    """
    path = Path(settings.STATICFILES_DIRS[0]) / "built" / "assets.json"
    try:
        return static(f"built/{json.loads(path.read_text('utf-8'))[name]}")
    except (FileNotFoundError, KeyError) as error:
        raise AssetsMissing(f"The front end has no {name}. Run `make viewer`.") from error
