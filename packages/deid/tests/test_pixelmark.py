"""Who looked at a picture, or searched it, says so in the header; nothing else of it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collegium_deid import PixelPassage, Rejected, clean_object, load_recipe, verify_against
from collegium_deid.engine.pixelmark import declare_pixels_cleaned
from collegium_deid.verify.identifiers import identifiers_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydicom.dataset import Dataset

    from collegium_deid import SiteKey

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name


@pytest.mark.parametrize("implicit", [False, True])
def test_a_header_says_that_its_pixels_were_cleaned_and_nothing_else_changes(
    ct: Dataset, write: Tool, clean: Tool, read: Callable[[bytes], Dataset], *, implicit: bool
) -> None:
    head = clean(write(ct, implicit=implicit)).head

    said = read(declare_pixels_cleaned(head))

    before = read(head)
    codes = [item.CodeValue for item in said.DeidentificationMethodCodeSequence]
    assert said.BurnedInAnnotation == "NO"
    assert codes == sorted(
        {*(item.CodeValue for item in before.DeidentificationMethodCodeSequence), "113101"}
    )
    for dataset in (said, before):
        dataset.pop("BurnedInAnnotation", None)
        del dataset.DeidentificationMethodCodeSequence
    assert said == before
    assert said.file_meta == before.file_meta


def test_saying_it_twice_is_saying_it_once(ct: Dataset, write: Tool, clean: Tool) -> None:
    once = declare_pixels_cleaned(clean(write(ct)).head)

    assert declare_pixels_cleaned(once) == once


def test_the_word_of_the_scanner_about_its_pixels_is_replaced(
    ct: Dataset, write: Tool, clean: Tool, read: Callable[[bytes], Dataset]
) -> None:
    ct.BurnedInAnnotation = "NO"
    data = write(ct)

    head = declare_pixels_cleaned(clean(data).head)

    verify_against(identifiers_of(data), head)
    assert read(head).BurnedInAnnotation == "NO"


def test_a_header_that_nobody_cleaned_is_refused(ct: Dataset, write: Tool) -> None:
    with pytest.raises(Rejected) as error:
        declare_pixels_cleaned(write(ct))

    assert error.value.code == "deid.pixels.not_cleaned"


def test_pixels_that_a_caller_can_point_at_need_not_be_read(ct: Dataset, write: Tool, key: SiteKey) -> None:
    data = write(ct, pixels=bytes(range(8)))
    cleaned = clean_object(data, recipe=load_recipe("strict"), key=key, subject="S-001", complete=True)
    passage = PixelPassage(cleaned)

    head = b"".join(passage.feed(data[cleaned.pixel_start : cleaned.pixel_start + 12]))
    wanted = passage.passing
    passage.skip()
    passage.finish()

    assert (head[:4], wanted) == (b"\xe0\x7f\x10\x00", 8)
