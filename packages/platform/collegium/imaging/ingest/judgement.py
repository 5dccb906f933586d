"""What a header must say before its object may come in, by door."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from collegium.imaging.ingest.errors import NotConforming, NotDeidentified
from collegium_deid import parse_recipe, verify_conformance

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium.imaging.archive.header import Header
    from collegium_deid import Recipe

_IDENTITY_REMOVED = 0x00120062


def says_clean(header: Header) -> None:
    """For doors without a recipe. Raises NotDeidentified unless the object says that identity was removed."""
    if header.text(_IDENTITY_REMOVED) != "YES":
        raise NotDeidentified


def conforms_to(recipe_text: str) -> Callable[[Header], None]:
    """For gateways: raises NotConforming unless the header is what the recipe makes."""
    recipe = _recipe(recipe_text)

    def judge(header: Header) -> None:
        findings = verify_conformance(recipe, header.raw, reach="pixels")
        if findings:
            raise NotConforming

    return judge


@lru_cache(maxsize=32)
def _recipe(text: str) -> Recipe:
    return parse_recipe(text, "channel")
