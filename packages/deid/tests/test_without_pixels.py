"""A picture object without Pixel Data: cleaned and conforming, and never said to have clean pixels."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.filewriter import dcmwrite

from collegium_deid import PixelPassage, Rejected, load_recipe, verify_conformance
from collegium_deid.engine.pixelmark import declare_pixels_cleaned

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from collegium_deid import Recipe
    from collegium_deid.verify.conformance import Reach

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
PIXELS = b"\0\1\2\3\4\5\6\7"


def codes(recipe: Recipe, data: bytes, reach: Reach = "end") -> set[str]:
    return {finding.code for finding in verify_conformance(recipe, data, reach=reach)}


@pytest.mark.parametrize("name", ["trial", "strict", "teaching", "onward-clinical"])
def test_it_conforms_to_the_recipe_that_cleaned_it(ct: Dataset, write: Tool, clean: Tool, name: str) -> None:
    recipe = load_recipe(name)

    cleaned = clean(write(ct), recipe=recipe)

    assert not cleaned.has_pixels
    assert codes(recipe, cleaned.head) == set()


def test_nobody_is_said_to_have_cleaned_its_pixels(
    ct: Dataset, write: Tool, clean: Tool, read: Tool, recipe: Recipe
) -> None:
    cleaned = clean(write(ct))

    written = read(cleaned.head)

    assert "113101" not in {item.CodeValue for item in written.DeidentificationMethodCodeSequence}
    assert codes(recipe, declare_pixels_cleaned(cleaned.head)) == {"deid.conformance.pixels"}


@pytest.mark.parametrize("implicit", [False, True])
def test_pixels_behind_its_header_are_noticed(
    *, ct: Dataset, write: Tool, clean: Tool, read: Tool, recipe: Recipe, implicit: bool
) -> None:
    with_pixels = read(clean(write(ct, implicit=implicit)).head)
    with_pixels.add_new(0x7FE00010, "OW", PIXELS)
    out = io.BytesIO()
    dcmwrite(out, with_pixels, enforce_file_format=False)

    data = out.getvalue()

    assert codes(recipe, data) == {"deid.conformance.pixels"}
    # As far as a server has read when it judges: to the first pixel byte.
    assert codes(recipe, data[: -len(PIXELS)], "pixels") == {"deid.conformance.pixels"}


def test_a_header_alone_is_not_believed_to_be_the_whole_object(
    ct: Dataset, write: Tool, clean: Tool, recipe: Recipe
) -> None:
    head = clean(write(ct)).head

    assert codes(recipe, head, "head") == {"deid.conformance.pixels"}


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.90"])
def test_an_output_that_lost_the_end_of_its_pixels_does_not_conform(
    *, ct: Dataset, write: Tool, clean: Tool, syntax: str
) -> None:
    recipe = load_recipe("onward-clinical")
    head = clean(write(ct, implicit=syntax.endswith(".1.2")), recipe=recipe).head
    pixels = {
        "1.2.840.10008.1.2": b"\xe0\x7f\x10\0\x08\0\0\0" + PIXELS,
        "1.2.840.10008.1.2.1": b"\xe0\x7f\x10\0OW\0\0\x08\0\0\0" + PIXELS,
        "1.2.840.10008.1.2.4.90": b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff"
        b"\xfe\xff\0\xe0\0\0\0\0\xfe\xff\0\xe0\x08\0\0\0" + PIXELS + b"\xfe\xff\xdd\xe0\0\0\0\0",
    }[syntax]

    whole = head + pixels

    assert codes(recipe, whole) == set()
    assert codes(recipe, whole[:-1]) == {"deid.conformance.truncated"}
    assert codes(recipe, whole[:-1], "pixels") == set()


@pytest.mark.parametrize("left", range(1, 20))
def test_an_object_cut_within_its_pixel_element_is_refused(
    *, ct: Dataset, write: Tool, clean: Tool, left: int
) -> None:
    whole = write(ct, pixels=PIXELS)
    cut = whole[: len(whole) - len(PIXELS) - 12 + left]

    with pytest.raises(Rejected) as error:
        passed(cut, clean)

    assert error.value.code == "deid.truncated"


def passed(data: bytes, clean: Tool) -> None:
    """Let an object through under a recipe that does not look at pictures of its kind."""
    cleaned = clean(data, recipe=load_recipe("onward-clinical"))
    passage = PixelPassage(cleaned)
    passage.feed(data[cleaned.pixel_start :])
    passage.finish()
