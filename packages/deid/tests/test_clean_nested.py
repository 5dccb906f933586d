"""What lies inside: paths of a recipe, old identities, unknown VRs, character sets of items."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from collegium_deid import Rejected, identifiers_of, parse_recipe, verify_against, verify_conformance

if TYPE_CHECKING:
    from collegium_deid import Recipe, SiteKey

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
both_forms = pytest.mark.parametrize("implicit", [False, True], ids=["explicit", "implicit"])
END = struct.pack("<HHI", 0xFFFE, 0xE00D, 0), struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def with_rules(recipe: Recipe, *rules: str) -> Recipe:
    return parse_recipe(recipe.text + "rules:\n" + "".join(f"  - {{{rule}, why: test}}\n" for rule in rules))


def unknown(tag: int, items: list[bytes], *, undefined: bool) -> bytes:
    """A sequence as UN: implicit VR inside (PS3.5 section 6.2.2)."""
    if undefined:
        body = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + item + END[0] for item in items)
        return struct.pack("<HH2s2xI", tag >> 16, tag & 0xFFFF, b"UN", 0xFFFFFFFF) + body + END[1]
    body = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item for item in items)
    return struct.pack("<HH2s2xI", tag >> 16, tag & 0xFFFF, b"UN", len(body)) + body


def plain(tag: int, value: bytes) -> bytes:
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value


def replaced(data: bytes, tag: int, new: bytes, *, length: int) -> bytes:
    """A file with the element at `tag`, `length` bytes long, replaced."""
    at = data.index(struct.pack("<HH", tag >> 16, tag & 0xFFFF))
    return data[:at] + new + data[at + length :]


@both_forms
def test_a_rule_with_a_path_holds_only_there(  # noqa: PLR0917 - fixtures, handed in by name
    ct: Dataset, write: Tool, clean: Tool, read: Tool, recipe: Recipe, implicit: bool
) -> None:
    ct.ReferencedImageSequence[0].SeriesDescription = "Lung"
    other = Dataset()
    other.SeriesDescription = "Lung"
    ct.SourceImageSequence = [other]
    stricter = with_rules(recipe, "tag: ReferencedImageSequence/SeriesDescription, action: X")

    new = read(clean(write(ct, implicit=implicit), recipe=stricter).head)

    assert "SeriesDescription" not in new.ReferencedImageSequence[0]
    assert new.SourceImageSequence[0].SeriesDescription == "Lung"
    assert new.SeriesDescription == "Lung 1.5 mm axial"


def test_a_rule_with_stars_holds_at_any_depth_below(
    ct: Dataset, write: Tool, clean: Tool, read: Tool, recipe: Recipe
) -> None:
    deep = Dataset()
    deep.SeriesDescription = "Lung"
    middle = Dataset()
    middle.SourceImageSequence = [deep]
    middle.SeriesDescription = "Lung"
    ct.ReferencedImageSequence = [middle]
    stricter = with_rules(recipe, "tag: ReferencedImageSequence/**/SeriesDescription, action: X")

    new = read(clean(write(ct), recipe=stricter).head)

    assert [element.keyword for element in new.iterall()].count("SeriesDescription") == 1
    assert "SeriesDescription" in new


@both_forms
def test_an_old_identity_is_gone_and_its_name_is_known_in_text(
    ct: Dataset, write: Tool, clean: Tool, read: Tool, implicit: bool
) -> None:
    old = Dataset()
    old.PatientName, old.PatientID = "Lung^Thorax", "OLD-99120"
    original = Dataset()
    original.ModifiedAttributesSequence = [old]
    ct.OriginalAttributesSequence = [original]
    data = write(ct, implicit=implicit)

    cleaned = clean(data)

    verify_against(identifiers_of(data), cleaned.head)
    assert "OriginalAttributesSequence" not in read(cleaned.head)
    # A patient whose former name is a medical word: the word goes, although the list would keep it.
    assert read(cleaned.head).SeriesDescription == "1.5 mm axial"


@both_forms
@pytest.mark.parametrize("keyword", ["ReferencedPatientSequence", "RequestAttributesSequence"])
def test_sequences_about_the_person_hold_nothing_of_them(
    ct: Dataset, write: Tool, clean: Tool, implicit: bool, keyword: str
) -> None:
    item = Dataset()
    item.ReferencedSOPInstanceUID, item.RequestedProcedureID = "1.2.3.77", "RP-556677"
    item.PatientName, item.ReasonForTheRequestedProcedure = "Brambleworth", "Brambleworth fell"
    setattr(ct, keyword, [item])
    data = write(ct, implicit=implicit)

    head = clean(data).head

    verify_against(identifiers_of(data), head)
    assert b"rambleworth" not in head
    assert b"556677" not in head


@pytest.mark.requirement("C06")
@pytest.mark.parametrize("keyword", ["ContentSequence", "RequestAttributesSequence", "VOILUTSequence"])
def test_a_person_at_any_depth_becomes_the_subject(
    *, ct: Dataset, write: Tool, clean: Tool, read: Tool, recipe: Recipe, keyword: str
) -> None:
    item = Dataset()
    item.PatientName, item.PatientID = "Zorbinski^Adam", "OLD-1"
    setattr(ct, keyword, [item])

    head = clean(write(ct)).head

    (new,) = read(head)[keyword].value
    assert (new.PatientName, new.PatientID) == ("S-001", "S-001")
    assert verify_conformance(recipe, head, pixels_done=False) == ()


@pytest.mark.parametrize("undefined", [False, True])
def test_a_sequence_of_unknown_vr_is_entered_in_its_implicit_form(
    ct: Dataset, write: Tool, clean: Tool, key: SiteKey, undefined: bool
) -> None:
    item = plain(0x00081155, b"1.2.3.4.5.7\0") + plain(0x00100010, b"Brambleworth")
    ct.ReferencedImageSequence = Sequence()
    new = unknown(0x00081140, [item, item], undefined=undefined)
    data = replaced(write(ct), 0x00081140, new, length=12)

    head = clean(data).head

    assert b"ramble" not in head
    assert head.count(key.uid("1.2.3.4.5.7").encode()) == 2


def test_a_sequence_of_unknown_vr_goes_where_the_recipe_says_so(
    ct: Dataset, write: Tool, clean: Tool, read: Tool, recipe: Recipe
) -> None:
    ct.ReferencedImageSequence = Sequence()
    item = plain(0x00081155, b"1.2.3.4.5.7\0")
    data = replaced(write(ct), 0x00081140, unknown(0x00081140, [item], undefined=False), length=12)
    strict = parse_recipe(recipe.text + "defaults: {un: X}\n")

    assert "ReferencedImageSequence" not in read(clean(data, recipe=strict).head)


@both_forms
def test_an_empty_sequence_stays_empty_and_type_2_stays_present(
    ct: Dataset, write: Tool, clean: Tool, read: Tool, implicit: bool
) -> None:
    ct.ReferencedStudySequence = Sequence()
    ct.ProcedureCodeSequence = Sequence()

    new = read(clean(write(ct, implicit=implicit)).head)

    assert list(new.ProcedureCodeSequence) == []
    assert [new[k].value for k in ("PatientBirthDate", "ReferringPhysicianName", "AccessionNumber")] == [
        ""
    ] * 3


def test_an_item_may_speak_another_character_set(ct: Dataset, write: Tool, clean: Tool, read: Tool) -> None:
    ct.SpecificCharacterSet = "ISO_IR 100"
    ct.PatientName = "Müller^Jörg"
    ct.SeriesDescription = "axial MÜLLER"
    item = Dataset()
    item.SpecificCharacterSet = "ISO_IR 192"
    item.SeriesDescription = "axial Müller"
    ct.ReferencedImageSequence = [item]
    data = write(ct)

    cleaned = clean(data)

    verify_against(identifiers_of(data), cleaned.head)
    new = read(cleaned.head)
    assert (new.SeriesDescription, new.ReferencedImageSequence[0].SeriesDescription) == ("axial", "axial")


@pytest.mark.parametrize(
    ("declared", "name", "text"),
    [
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎", "山田 Thorax"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동", "홍길동 Thorax"),
        (["GB18030"], "Wang^XiaoDong=王^小东", "王小东 Thorax"),
        (["GBK"], "Wang^XiaoDong=许^小东", "许小东 Thorax"),
        (["ISO_IR 144"], "Жуков", "ЖУКОВ Thorax"),
        (["ISO_IR 127"], "قباني^لنزار", "قباني Thorax"),
    ],
)
def test_a_name_is_found_in_its_script(  # noqa: PLR0917 - fixtures, handed in by name
    ct: Dataset, write: Tool, clean: Tool, read: Tool, declared: list[str], name: str, text: str
) -> None:
    ct.SpecificCharacterSet, ct.PatientName, ct.StudyDescription = declared, name, text
    data = write(ct)

    cleaned = clean(data)

    verify_against(identifiers_of(data), cleaned.head)
    new = read(cleaned.head)
    assert new.StudyDescription == "Thorax"
    assert new.SpecificCharacterSet == ct.SpecificCharacterSet


def test_what_is_malformed_inside_is_refused_with_its_tag_only(ct: Dataset, write: Tool, clean: Tool) -> None:
    inner = struct.pack("<HH2sH", 0x0010, 0x0010, b"PN", 200) + b"Brambleworth"
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
    broken = struct.pack("<HH2s2xI", 0x0008, 0x1140, b"SQ", len(item)) + item
    ct.ReferencedImageSequence = Sequence()

    with pytest.raises(Rejected) as error:
        clean(replaced(write(ct), 0x00081140, broken, length=12))

    assert error.value.code == "deid.malformed"
    assert "ramble" not in error.value.message
