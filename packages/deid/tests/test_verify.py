"""The two verifiers find what is planted, in every disguise, and accept what was cleaned."""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING, Any

import pytest

from collegium_deid import Rejected, identifiers_of, parse_recipe, verify_against, verify_conformance

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydicom.dataset import Dataset

    from collegium_deid import Recipe

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
NAME = "Brambleworth^Leopoldine"

LEAKS: dict[str, Callable[[Dataset], object]] = {
    "family name": lambda ds: setattr(ds, "Manufacturer", "for Brambleworth"),
    "upper case": lambda ds: setattr(ds, "SoftwareVersions", "v BRAMBLEWORTH"),
    "inside a word": lambda ds: setattr(ds, "ConvolutionKernel", "xBrambleworthx"),
    "given name": lambda ds: setattr(ds, "StudyDescription", "CT of leopoldine"),
    "joined": lambda ds: setattr(ds, "SeriesDescription", "LeopoldineBrambleworth"),
    "torn by separators": lambda ds: setattr(ds, "SeriesDescription", "Bramble-worth, Leo-poldine"),
    "coded string": lambda ds: setattr(ds, "BodyPartExamined", "BRAMBLEWORTH"),
    "utf-16": lambda ds: ds.add_new(0x00282000, "OB", "Brambleworth".encode("utf-16-le")),
    "utf-16 big": lambda ds: ds.add_new(0x00282000, "OB", "BRAMBLEWORTH".encode("utf-16-be")),
    "base64": lambda ds: setattr(ds, "StudyDescription", base64.b64encode(b"Brambleworth").decode()),
    "base64 of more": lambda ds: setattr(
        ds, "StudyDescription", base64.b64encode(b"x Brambleworth y").decode()
    ),
    "base64 of another length": lambda ds: setattr(
        ds, "StudyDescription", base64.b64encode(b"Leopoldine").decode()
    ),
    "base64 in bytes": lambda ds: ds.add_new(0x00282000, "OB", base64.b64encode(b"Brambleworth")),
    "hexadecimal with a blank": lambda ds: setattr(ds, "SoftwareVersions", b"Quillhaven Clinic".hex()),
    "birth date as a number": lambda ds: setattr(ds, "SeriesNumber", "19310504"),
    "patient id as a decimal": lambda ds: setattr(ds, "KVP", "4471123.0"),
    "bulk": lambda ds: ds.add_new(0x00282000, "OB", b"\0\1brambleworth\0"),
    "words as numbers": lambda ds: ds.add_new(0x00281101, "US", list(struct.unpack("<6H", b"BRAMBLEWORTH"))),
    "patient id": lambda ds: setattr(ds, "SoftwareVersions", "MRN-4471123"),
    "patient id bare": lambda ds: setattr(ds, "SoftwareVersions", "mrn4471123"),
    "accession number": lambda ds: setattr(ds, "SoftwareVersions", "ACC 778812"),
    "old id from a sequence": lambda ds: setattr(ds, "SoftwareVersions", "OLD99120"),
    "birth date": lambda ds: setattr(ds, "PatientBirthDate", "19310504"),
    "birth date in words": lambda ds: setattr(ds, "SoftwareVersions", "4 May 1931".replace("4", "04", 1)),
    "birth date with dots": lambda ds: setattr(ds, "SoftwareVersions", "04.05.1931"),
    "birth date american": lambda ds: setattr(ds, "SoftwareVersions", "05/04/1931"),
    "exam date in text": lambda ds: setattr(ds, "SoftwareVersions", "2024-02-29"),
    "uid": lambda ds: setattr(ds, "StudyInstanceUID", "1.2.3.4"),
    "uid in text": lambda ds: setattr(ds, "SoftwareVersions", "1.2.3.4.5.6"),
    "institution": lambda ds: setattr(ds, "SoftwareVersions", "quillhaven-clinic"),
    "station": lambda ds: setattr(ds, "StationName", "QUILLCT07"),
    "physician": lambda ds: setattr(ds, "SoftwareVersions", "Pellinghast"),
    "deep": lambda ds: setattr(ds.ReferencedImageSequence[0], "PersonName", "X^Leopoldine"),
}


@pytest.mark.requirement("C12")
@pytest.mark.parametrize("leak", list(LEAKS))
def test_a_leak_is_found_whatever_it_looks_like(
    ct: Dataset, write: Tool, clean: Tool, read: Tool, leak: str
) -> None:
    data = write(ct)
    leaky = read(clean(data).head)
    LEAKS[leak](leaky)

    with pytest.raises(Rejected) as error:
        verify_against(identifiers_of(data), write(leaky))

    assert error.value.code == "deid.verify.identifier_left"
    assert "ramble" not in error.value.message.casefold()
    assert "(" in error.value.message


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        ("ISO_IR 100", "Äneasköter^Jörgþ"),
        ("ISO_IR 192", "Ørnebåken^Åsa=山田^太郎"),
        ("ISO_IR 144", "Люксембург^Роза"),
        ("ISO_IR 101", "Dvořáček^Žofie"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
    ],
)
def test_a_name_is_found_in_its_character_set(
    *, ct: Dataset, write: Tool, clean: Tool, read: Tool, declared: Any, name: str
) -> None:
    ct.SpecificCharacterSet, ct.PatientName = declared, name
    data = write(ct)
    cleaned = clean(data)
    leaky = read(cleaned.head)
    leaky.SoftwareVersions = name.rsplit("=", maxsplit=1)[-1].split("^", maxsplit=1)[0]

    verify_against(identifiers_of(data), cleaned.head)
    with pytest.raises(Rejected):
        verify_against(identifiers_of(data), write(leaky))


def test_accents_and_case_do_not_hide_a_name(ct: Dataset, write: Tool, clean: Tool, read: Tool) -> None:
    ct.SpecificCharacterSet, ct.PatientName = "ISO_IR 192", "Dvořáček^Žofie"
    data = write(ct)
    leaky = read(clean(data).head)
    leaky.SoftwareVersions = "DVORACEK"

    with pytest.raises(Rejected):
        verify_against(identifiers_of(data), write(leaky))


def test_a_short_or_common_name_does_not_hold_up_every_exam(ct: Dataset, write: Tool, clean: Tool) -> None:
    ct.PatientName, ct.PatientID, ct.StudyID = "Head^Li", "1", "3"
    ct.BodyPartExamined = "HEAD"
    data = write(ct)

    verify_against(identifiers_of(data), clean(data).head)


def test_a_subject_code_equal_to_the_local_id_is_refused(ct: Dataset, write: Tool, clean: Tool) -> None:
    data = write(ct)

    with pytest.raises(Rejected):
        verify_against(identifiers_of(data), clean(data, subject="MRN-4471123").head)


def test_identifiers_do_not_show_themselves(ct: Dataset, write: Tool) -> None:
    assert "ramble" not in repr(identifiers_of(write(ct))).casefold()


BREACHES: dict[str, tuple[Callable[[Dataset], object], str]] = {
    "private": (
        lambda ds: ds.private_block(0x0019, "ACME", create=True).add_new(1, "LO", "x"),
        "not_allowed",
    ),
    "removed attribute": (lambda ds: setattr(ds, "PatientAddress", "x"), "not_allowed"),
    "unknown attribute": (lambda ds: ds.add_new(0x00080FFE, "LO", "x"), "not_allowed"),
    "overlay": (lambda ds: ds.add_new(0x60003000, "OW", b"xx"), "not_allowed"),
    "foreign uid": (lambda ds: setattr(ds, "FrameOfReferenceUID", "1.2.3"), "uid"),
    "uid too large": (lambda ds: setattr(ds, "FrameOfReferenceUID", "2.25." + "9" * 39), "uid"),
    "not empty": (lambda ds: setattr(ds, "AccessionNumber", "1"), "not_empty"),
    "birth date": (lambda ds: setattr(ds, "PatientBirthDate", "19310504"), "not_empty"),
    "no dummy": (lambda ds: setattr(ds, "PersonName", "Clinic"), "not_dummy"),
    "words": (lambda ds: setattr(ds, "SeriesDescription", "Zorbinski thorax"), "words"),
    "date in text": (lambda ds: setattr(ds, "SeriesDescription", "thorax 2024-02-29"), "pattern"),
    "mail in text": (lambda ds: setattr(ds, "Manufacturer", "a@example.org"), "pattern"),
    "number in text": (lambda ds: setattr(ds, "SoftwareVersions", "44711234"), "pattern"),
    "title in text": (lambda ds: setattr(ds, "Manufacturer", "Dr. Zorbinski"), "pattern"),
    "two codes": (lambda ds: setattr(ds, "PatientName", "S-002"), "subject"),
    "no method": (lambda ds: delattr(ds, "DeidentificationMethod"), "method"),
    "a code less": (lambda ds: ds.DeidentificationMethodCodeSequence.pop(), "method"),
    "not removed": (lambda ds: setattr(ds, "PatientIdentityRemoved", "NO"), "method"),
    "dates not said": (lambda ds: delattr(ds, "LongitudinalTemporalInformationModified"), "method"),
    "other object": (lambda ds: setattr(ds, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.104.1"), "object"),
    "deep": (lambda ds: setattr(ds.ReferencedImageSequence[0], "PatientID", "S-003"), "subject"),
}


@pytest.mark.parametrize("breach", list(BREACHES))
def test_what_the_recipe_could_not_have_written_is_found(
    *, ct: Dataset, write: Tool, clean: Tool, read: Tool, recipe: Recipe, breach: str
) -> None:
    ds = read(clean(write(ct)).head)
    change, code = BREACHES[breach]
    change(ds)
    head = write(ds).replace(b"\2\0\x16\0AE\x0a\0QUILLCT07 ", b"")

    codes = {finding.code for finding in verify_conformance(recipe, head, pixels_done=False)}

    assert f"deid.conformance.{code}" in codes


def test_a_cleaned_header_conforms(ct: Dataset, write: Tool, clean: Tool, recipe: Recipe) -> None:
    assert verify_conformance(recipe, clean(write(ct)).head, pixels_done=False) == ()


def test_an_original_header_does_not_conform(ct: Dataset, write: Tool, recipe: Recipe) -> None:
    codes = {finding.code for finding in verify_conformance(recipe, write(ct))}

    assert {"deid.conformance.not_allowed", "deid.conformance.meta", "deid.conformance.uid"} <= codes


def test_another_recipe_s_output_does_not_conform(
    ct: Dataset, write: Tool, clean: Tool, recipe: Recipe
) -> None:
    other = parse_recipe(recipe.text.replace('version: "2"', 'version: "0"'))

    codes = {finding.code for finding in verify_conformance(other, clean(write(ct)).head, pixels_done=False)}

    assert codes == {"deid.conformance.method"}


def test_what_cannot_be_read_does_not_conform(recipe: Recipe) -> None:
    assert verify_conformance(recipe, b"no dicom")[0].code == "deid.verify.unreadable"
