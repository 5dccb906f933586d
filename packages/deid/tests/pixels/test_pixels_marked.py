"""Places that a person marked are hidden besides what is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from collegium_deid import Rejected

if TYPE_CHECKING:
    from .conftest import Draw, Hide, Make

FACE = (200, 40, 300, 110)


def test_a_marked_place_is_hidden_and_so_is_what_is_found(draw: Draw, make: Make, hide: Hide) -> None:
    picture = draw(("BRAMBLEWORTH", 10, 30))

    ds, done = hide(make(picture), aids={"places": [FACE]})

    assert {area.reason for area in done.areas} == {"person", "known"}
    left, top, right, bottom = FACE
    assert len(np.unique(ds.pixel_array[top:bottom, left:right])) == 1
    assert not np.array_equal(ds.pixel_array[10:36, 10:150], picture[10:36, 10:150])


@pytest.mark.parametrize("place", [(-1, 0, 5, 5), (0, 0, 321, 5), (9, 0, 9, 5)])
def test_a_place_outside_the_picture_refuses_the_object(
    draw: Draw, make: Make, hide: Hide, place: tuple[int, int, int, int]
) -> None:
    with pytest.raises(Rejected) as error:
        hide(make(draw()), aids={"places": [place]})

    assert error.value.code == "deid.pixels.place"
