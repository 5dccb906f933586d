"""What the pixel step writes conforms to its recipe and holds nothing of the original header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collegium_deid import SiteKey, clean_object, identifiers_of, verify_against, verify_conformance
from collegium_deid.pixels import clean_pixels

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from collegium_deid import Recipe

    from .conftest import Draw, Make


@pytest.mark.parametrize("text", ["BRAMBLEWORTH", ""])
def test_the_header_of_a_looked_at_object_conforms(
    draw: Draw, make: Make, looking: Callable[..., Recipe], text: str
) -> None:
    data, recipe = make(draw((text, 10, 30))), looking()
    cleaned = clean_object(data, recipe=recipe, key=SiteKey(bytes(32)), subject="S-1", complete=True)

    done = clean_pixels(data, cleaned, recipe=recipe)

    assert verify_conformance(recipe, done.head) == ()
    verify_against(identifiers_of(data[: cleaned.pixel_start]), done.head)


def test_a_frame_written_uncompressed_conforms_as_well(
    draw: Draw, make: Make, looking: Callable[..., Recipe], compress: Callable[[str, NDArray[Any]], bytes]
) -> None:
    syntax, recipe = "1.2.840.10008.1.2.4.50", looking()
    picture = draw(("BRAMBLEWORTH", 10, 30))
    data = make(picture, syntax=syntax, frames=[compress(syntax, picture)])
    cleaned = clean_object(data, recipe=recipe, key=SiteKey(bytes(32)), subject="S-1", complete=True)

    done = clean_pixels(data, cleaned, recipe=recipe)

    assert verify_conformance(recipe, done.head) == ()
