"""Private elements: what is safe stays with its creator, everything else goes with its own."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset

from collegium_deid import Rejected, parse_recipe

if TYPE_CHECKING:
    from collegium_deid import Recipe, SiteKey

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
SIEMENS = "SIEMENS MR HEADER"  # (0019,xx0C) is the b-value, PS3.15 table E.3.10-1
PHILIPS = "Philips Imaging DD 001"  # (2001,xx6A) is a safe sequence
both_forms = pytest.mark.parametrize("implicit", [False, True], ids=["explicit", "implicit"])


def kept(recipe: Recipe, rule: str) -> Recipe:
    return parse_recipe(recipe.text + f"rules:\n  - {{{rule}, action: K, why: test}}\n")


def private_tags(dataset: Dataset) -> list[int]:
    return [int(element.tag) for element in dataset.iterall() if element.tag.is_private]


def element(tag: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def spliced(data: bytes, new: bytes) -> bytes:
    """A file with elements of group 0x0019 in front of (0020,000D)."""
    at = data.index(b"\x20\x00\x0d\x00")
    return data[:at] + new + data[at:]


@both_forms
def test_a_safe_element_stays_with_its_creator_and_its_neighbours_go(
    ct: Dataset, write: Tool, clean: Tool, read: Tool, implicit: bool
) -> None:
    block = ct.private_block(0x0019, SIEMENS, create=True)  # the second block: ACME has the first
    block.add_new(0x0C, "IS", "1000")
    block.add_new(0x0D, "CS", "DIRECTIONAL")
    block.add_new(0x08, "CS", "IMAGE NUM 4")  # not on the list

    new = read(clean(write(ct, implicit=implicit)).head)

    assert private_tags(new) == [0x00190011, 0x0019110C, 0x0019110D]
    assert new[0x00190011].value == SIEMENS
    assert new.private_block(0x0019, SIEMENS)[0x0C].value in {1000, "1000", b"1000"}


@both_forms
def test_the_same_creator_may_have_two_blocks(
    ct: Dataset, write: Tool, clean: Tool, read: Tool, implicit: bool
) -> None:
    del ct[0x00190010], ct[0x00191001]
    for block, value in ((0x20, "50"), (0x21, "800"), (0x22, "900")):
        ct.add_new(0x00190000 | block, "LO", SIEMENS)
        ct.add_new(0x00190000 | block << 8 | (0x0C if block != 0x22 else 0x08), "IS", value)

    new = read(clean(write(ct, implicit=implicit)).head)

    assert private_tags(new) == [0x00190020, 0x00190021, 0x0019200C, 0x0019210C]


def test_an_element_without_a_creator_goes(ct: Dataset, write: Tool, clean: Tool, read: Tool) -> None:
    del ct[0x00190010], ct[0x00191001]
    data = spliced(write(ct), element(0x0019100C, b"IS", b"1000"))

    assert private_tags(read(clean(data).head)) == []


def test_an_element_of_another_vr_than_its_creator_says_goes(
    ct: Dataset, write: Tool, clean: Tool, read: Tool
) -> None:
    ct.private_block(0x0019, SIEMENS, create=True).add_new(0x0C, "LO", "Bram")

    assert private_tags(read(clean(write(ct)).head)) == []


def test_an_element_of_unknown_vr_is_judged_by_its_creator(
    ct: Dataset, write: Tool, clean: Tool, read: Tool
) -> None:
    del ct[0x00190010], ct[0x00191001]
    creator = element(0x00190010, b"LO", SIEMENS.encode() + b" ")
    number = struct.pack("<HH2s2xI", 0x0019, 0x100C, b"UN", 4) + b"1000"
    name = struct.pack("<HH2s2xI", 0x0019, 0x100D, b"UN", 12) + b"Brambleworth"

    new = read(clean(spliced(write(ct), creator + number + name)).head)

    assert private_tags(new) == [0x00190010, 0x0019100C]


@both_forms
def test_blocks_inside_an_item_are_the_item_s_own(
    ct: Dataset, write: Tool, clean: Tool, read: Tool, implicit: bool
) -> None:
    item = ct.ReferencedImageSequence[0]
    item.private_block(0x0019, "ACME 1.0", create=True).add_new(1, "LO", "Brambleworth")
    item.private_block(0x0019, SIEMENS, create=True).add_new(0x0C, "IS", "700")
    other = Dataset()
    other.add_new(0x0019110C, "IS", "800")  # the block above does not reach here
    ct.ReferencedImageSequence.append(other)

    first, second = read(clean(write(ct, implicit=implicit)).head).ReferencedImageSequence

    assert private_tags(first) == [0x00190011, 0x0019110C]
    assert private_tags(second) == []


@both_forms
def test_a_safe_sequence_is_entered(
    ct: Dataset, write: Tool, clean: Tool, key: SiteKey, implicit: bool
) -> None:
    inner = Dataset()
    inner.ReferencedSOPInstanceUID, inner.PatientName = "1.2.3.4.5.7", "Brambleworth"
    ct.private_block(0x2001, PHILIPS, create=True).add_new(0x6A, "SQ", [inner])

    head = clean(write(ct, implicit=implicit)).head

    assert b"rambleworth" not in head
    assert key.uid("1.2.3.4.5.7").encode() in head
    assert PHILIPS.encode() in head


def test_private_dates_move_with_all_others(
    ct: Dataset, write: Tool, clean: Tool, read: Tool, recipe: Recipe
) -> None:
    ct.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", "20240229101112")

    new = read(clean(write(ct), recipe=kept(recipe, 'creator: GEMS_PETD_01, tag: "(0009,xx0D)"')).head)

    assert new.private_block(0x0009, "GEMS_PETD_01")[0x0D].value == f"{new.StudyDate}101112"


def test_a_private_number_that_is_a_moment_goes_because_it_cannot_move(
    ct: Dataset, write: Tool, clean: Tool, read: Tool, recipe: Recipe
) -> None:
    ct.private_block(0x0009, "GEMS_IDEN_01", create=True).add_new(0x27, "SL", 1709200000)

    new = read(clean(write(ct), recipe=kept(recipe, 'creator: GEMS_IDEN_01, tag: "(0009,xx27)"')).head)

    assert private_tags(new) == []


def test_a_private_text_loses_the_name(ct: Dataset, write: Tool, clean: Tool, read: Tool) -> None:
    block = ct.private_block(0x2001, PHILIPS, create=True)
    block.add_new(0x6E, "SH", "Brambleworth")
    block.add_new(0x02, "IS", "3")

    assert private_tags(read(clean(write(ct)).head)) == [0x20010010, 0x20011002]


def test_a_recipe_may_refuse_what_is_private_and_unknown(
    ct: Dataset, write: Tool, clean: Tool, recipe: Recipe
) -> None:
    strict = parse_recipe(recipe.text + "defaults: {unknown_private: reject}\n")

    with pytest.raises(Rejected) as error:
        clean(write(ct), recipe=strict)

    assert error.value.code == "deid.refused"
    assert "ramble" not in error.value.message
