"""Outputs that a broken engine would write: each is caught by the check with the input or the one without."""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset

from collegium_deid import (
    Rejected,
    SiteKey,
    clean_object,
    identifiers_of,
    load_recipe,
    parse_recipe,
    verify_against,
    verify_conformance,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium_deid import Recipe

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
SAFE = "SIEMENS MR HEADER"


def element(tag: int, vr: str, value: bytes) -> bytes:
    """One explicit element, as bytes that pydicom would refuse to write."""
    value += b" " * (len(value) & 1)
    long = vr in {"OB", "OW", "UN", "UT", "UC", "UR", "SQ"}
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    return head + (struct.pack("<2xI", len(value)) if long else struct.pack("<H", len(value))) + value


def private(ds: Dataset, creator: str, number: int, vr: str, value: object) -> None:
    ds.private_block(0x0019, creator, create=True).add_new(number, vr, value)


def reference(ds: Dataset) -> Dataset:
    found = ds.ReferencedImageSequence[0]
    assert not isinstance(found, bytes)
    return found  # type: ignore[no-any-return]  # pydicom's sequences have no item type


def in_cyrillic(ds: Dataset) -> None:
    ds.SpecificCharacterSet, ds.SeriesDescription = "ISO_IR 144", "Брамблеворт"


# What a broken engine leaves or makes. Each changes one thing in a cleaned header.
MUTANTS: dict[str, Callable[[Dataset], object]] = {
    "a name in a private element": lambda ds: private(ds, "ACME 1.0", 1, "LO", "Brambleworth"),
    "a name in a safe private element": lambda ds: private(ds, SAFE, 0x0D, "CS", "BRAMBLEWORTH"),
    "a name in a safe private number": lambda ds: private(ds, SAFE, 0x0C, "LO", "Brambleworth"),
    "an unknown element of a safe creator": lambda ds: private(ds, SAFE, 0x55, "LO", "x"),
    "a creator that is a person": lambda ds: ds.private_block(0x0031, "DR BRAMBLEWORTH", create=True),
    "a private element without a creator": lambda ds: ds.add_new(0x00331001, "LO", "x"),
    "a private sequence": lambda ds: private(ds, "ACME 1.0", 2, "SQ", [reference(ds)]),
    "private bytes": lambda ds: private(ds, "ACME 1.0", 3, "UN", b"\0\0MRN-4471123\0"),
    "a date that was not moved": lambda ds: setattr(ds, "StudyDate", "20240229"),
    "a date and time that was not moved": lambda ds: setattr(
        ds, "AcquisitionDateTime", "20240229101112.5+0100"
    ),
    "a birth date": lambda ds: setattr(ds, "PatientBirthDate", "19310504"),
    "a birth date elsewhere": lambda ds: setattr(ds, "SoftwareVersions", "v 04.05.1931"),
    "a study UID that was kept": lambda ds: setattr(ds, "StudyInstanceUID", "1.2.3.4"),
    "a nested UID that was kept": lambda ds: setattr(
        reference(ds), "ReferencedSOPInstanceUID", "1.2.3.4.5.7"
    ),
    "a record number in a UID": lambda ds: setattr(ds, "FrameOfReferenceUID", "1.2.826.4471123.1"),
    "a record number behind 2.25": lambda ds: setattr(ds, "FrameOfReferenceUID", "2.25.4471123"),
    "a nested name": lambda ds: setattr(reference(ds), "PatientName", "Brambleworth^Leopoldine"),
    "a nested id": lambda ds: setattr(reference(ds), "PatientID", "OLD-99120"),
    "a nested subject of somebody else": lambda ds: setattr(reference(ds), "PatientName", "S-002"),
    "a name turned round": lambda ds: setattr(ds, "SeriesDescription", "leopoldineBRAMBLEWORTH"),
    "a name in the units of a code": lambda ds: setattr(ds, "BodyPartExamined", "BRAMBLEWORTH"),
    "a name under another character set": in_cyrillic,
    "a name in base64": lambda ds: setattr(
        ds, "SoftwareVersions", base64.b64encode(b"xy Leopoldine Brambleworth").decode()
    ),
    "a name in hexadecimal": lambda ds: setattr(ds, "SoftwareVersions", b"Brambleworth".hex()),
    "a name in 16 bits": lambda ds: ds.add_new(0x00282000, "OB", "BRAMBLEWORTH".encode("utf-16-be")),
    "an id without its letters": lambda ds: setattr(ds, "AcquisitionNumber", "4471123"),
    "an id with zeros in front": lambda ds: setattr(ds, "SoftwareVersions", "0004471123"),
    "an accession number": lambda ds: setattr(ds, "AccessionNumber", "ACC-778812"),
    "an institution": lambda ds: setattr(ds, "SoftwareVersions", "of quillhaven clinic"),
    "an overlay": lambda ds: ds.add_new(0x60003000, "OW", b"ab"),
    "an attribute nobody knows": lambda ds: ds.add_new(0x00080FFE, "LO", "x"),
    "text where a number belongs": lambda ds: ds.add_new(0x00180050, "LO", "Mrs Zorbinskaya"),
    "a name nobody told of": lambda ds: setattr(ds, "StudyDescription", "CT Zorbinskaya"),
    "a telephone number": lambda ds: setattr(ds, "StudyDescription", "CT 5550100771"),
    "an age above the cap": lambda ds: setattr(ds, "PatientAge", "092Y"),
    "a sponsor that is a person": lambda ds: setattr(ds, "ClinicalTrialSponsorName", "Zorbinskaya"),
    "a name among the method codes": lambda ds: setattr(
        ds.DeidentificationMethodCodeSequence[0], "CodeMeaning", "Brambleworth"
    ),
    "a method of another recipe": lambda ds: setattr(ds, "DeidentificationMethod", "Collegium recipe x 1"),
    "a code too many": lambda ds: setattr(ds.DeidentificationMethodCodeSequence[0], "CodeValue", "113106"),
    "dates said to be whole": lambda ds: setattr(ds, "LongitudinalTemporalInformationModified", "UNMODIFIED"),
}


def is_caught(recipe: Recipe, original: bytes, output: bytes) -> bool:
    if verify_conformance(recipe, output, pixels_done=False):
        return True
    try:
        verify_against(identifiers_of(original), output)
    except Rejected:
        return True
    return False


def written(write: Tool, ds: Dataset) -> bytes:
    """Written as the engine writes file meta information, so that only the mutation can be noticed."""
    data: bytes = write(ds)
    start = data.index(b"\2\0\2\0UI")
    own = data[start : data.index(b"\2\0\x12\0")]
    own += element(0x00020012, "UI", b"2.25.302514236105193843711836372610184371026\0")
    own += element(0x00020013, "SH", b"COLLEGIUM_DEID_1")
    body = element(0x00020001, "OB", b"\0\1") + own
    end = data.index(b"\x08\0", data.index(b"\2\0\x16\0AE"))
    return bytes(128) + b"DICM" + element(0x00020000, "UL", struct.pack("<I", len(body))) + body + data[end:]


@pytest.mark.requirement("C12")
@pytest.mark.parametrize("mutant", list(MUTANTS))
def test_a_mutant_is_caught(
    *, ct: Dataset, write: Tool, clean: Tool, read: Tool, recipe: Recipe, mutant: str
) -> None:
    ct.StudyDescription, ct.SpecificCharacterSet = "CT Thorax", "ISO_IR 192"
    ct.OperatorsName = "Брамблеворт^Роза"
    original = write(ct)
    ds = read(clean(original).head)
    assert not is_caught(recipe, original, written(write, ds))

    MUTANTS[mutant](ds)

    assert is_caught(recipe, original, written(write, ds))


BYTES: dict[str, Callable[[bytes], bytes]] = {
    "a group length": lambda head: head.replace(
        b"\x08\0\x08\0CS", element(0x00080000, "UL", b"\1\0\0\0") + b"\x08\0\x08\0CS", 1
    ),
    "a preamble": lambda head: b"Brambleworth".ljust(128, b"\0") + head[128:],
    "an element behind the pixels": lambda head: (
        head + element(0x7FE00010, "OW", bytes(8)) + element(0xFFFCFFFC, "OB", b"Brambleworth")
    ),
    "a sender in the file meta": lambda head: head.replace(
        b"\2\0\x12\0UI", element(0x00020016, "AE", b"QUILLCT07") + b"\2\0\x12\0UI", 1
    ),
    "an implementation that is a name": lambda head: head.replace(b"COLLEGIUM_DEID_1", b"BRAMBLEWORTH    ", 1),
    "a cut": lambda head: head[:-3],
    "a length that lies": lambda head: head.replace(b"\x18\0\x50\0DS\x04\0", b"\x18\0\x50\0DS\xf4\xff", 1),
    "an element hidden in UN": lambda head: head + element(
        0x7FDF1001, "UN", b"\xfe\xff\x00\xe0\x14\0\0\0\x10\0\x10\0\x0c\0\0\0Brambleworth"
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", list(BYTES))
def test_a_mutant_of_bytes_is_caught(
    *, ct: Dataset, write: Tool, clean: Tool, recipe: Recipe, change: str
) -> None:
    original = write(ct)
    head = clean(original).head

    assert is_caught(recipe, original, BYTES[change](head))
    assert not is_caught(recipe, original, head)


RETAIN = """
recipe: keep
version: "1"
profile: basic
options: [retain_uids, retain_device_identity, retain_institution_identity, retain_longitudinal_full_dates]
objects: [CT Image]
"""


def test_what_an_option_keeps_in_its_place_is_no_leak(ct: Dataset, write: Tool, key: SiteKey) -> None:
    recipe, original = parse_recipe(RETAIN), write(ct)

    head = clean_object(original, recipe=recipe, key=key, subject="S-001", complete=True).head

    assert b"QUILLCT07" in head
    assert b"20240229" in head
    verify_against(identifiers_of(original), head)
    assert verify_conformance(recipe, head, pixels_done=False) == ()


def test_what_an_option_keeps_is_a_leak_elsewhere(ct: Dataset, write: Tool, read: Tool, key: SiteKey) -> None:
    recipe, original = parse_recipe(RETAIN), write(ct)
    ds = read(clean_object(original, recipe=recipe, key=key, subject="S-001", complete=True).head)
    ds.SoftwareVersions = "for Quillhaven Clinic"

    with pytest.raises(Rejected):
        verify_against(identifiers_of(original), write(ds))


def test_a_short_name_is_found_beside_its_given_name_only(
    ct: Dataset, write: Tool, clean: Tool, read: Tool
) -> None:
    ct.PatientName = "Ng^Wu"
    original = write(ct)
    ds = read(clean(original).head)
    ds.SoftwareVersions = "unit ng per ml"
    verify_against(identifiers_of(original), written(write, ds))

    ds.SoftwareVersions = "for Wu, Ng"

    with pytest.raises(Rejected):
        verify_against(identifiers_of(original), written(write, ds))


@pytest.mark.parametrize("name", ["Head^May", "Brown^Mark", "Long^Axis", "Li^Na", "CT^MR", "Lung^Low"])
@pytest.mark.parametrize("local_id", ["1", "12", "240"])
def test_a_patient_who_is_called_like_a_word_of_the_field_is_not_held_up(
    *, ct: Dataset, write: Tool, clean: Tool, recipe: Recipe, name: str, local_id: str
) -> None:
    ct.PatientName, ct.PatientID, ct.BodyPartExamined = name, local_id, "HEAD"
    ct.StudyDescription = "CT head and lung 12 mm long axis"
    ct.RepetitionTime = "240"
    original = write(ct)

    head = clean(original).head

    verify_against(identifiers_of(original), head)
    assert verify_conformance(recipe, head, pixels_done=False) == ()


def test_a_name_in_the_place_of_an_id_is_a_word(ct: Dataset, write: Tool, clean: Tool) -> None:
    ct.PatientName, ct.AccessionNumber, ct.StudyID = "Head^Jonasius", "Head", "Jonasius"
    private(ct, SAFE, 0x0C, "IS", "800")
    original = write(ct)

    head = clean(original).head

    assert b"SIEMENS MR HEADER" in head
    verify_against(identifiers_of(original), head)


def test_the_shipped_recipes_have_a_check_each(ct: Dataset, write: Tool, key: SiteKey) -> None:
    original = write(ct)

    findings = {
        name: verify_conformance(
            load_recipe(name),
            clean_object(original, recipe=load_recipe(name), key=key, subject="S-001", complete=True).head,
            pixels_done=False,
        )
        for name in ("trial", "strict", "teaching", "onward-clinical")
    }

    assert set(findings.values()) == {()}


def test_a_picture_nobody_looked_at_is_noticed(ct: Dataset, write: Tool, clean: Tool, recipe: Recipe) -> None:
    head = clean(write(ct)).head

    codes = {finding.code for finding in verify_conformance(recipe, head)}

    assert codes == {"deid.conformance.pixels"}


def test_a_picture_that_was_looked_at_says_so(
    *, ct: Dataset, write: Tool, clean: Tool, read: Tool, recipe: Recipe
) -> None:
    original = write(ct)
    ds = read(clean(original).head)
    assert recipe.pixel_code is not None
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = recipe.pixel_code.code, "DCM"
    item.CodeMeaning = recipe.pixel_code.meaning
    ds.DeidentificationMethodCodeSequence.insert(1, item)
    ds.BurnedInAnnotation = "NO"

    head = written(write, ds)

    assert verify_conformance(recipe, head) == ()
    ds.BurnedInAnnotation = "YES"
    assert verify_conformance(recipe, written(write, ds)) != ()
