"""Text in every character set of DICOM, read as pydicom reads it and written back the same."""

from __future__ import annotations

import warnings

import pytest
from pydicom.charset import convert_encodings, decode_bytes

from collegium_deid import Rejected
from collegium_deid.engine.charset import decode, encode, encodings, readings

# PS3.5 annexes H, I, J and K: examples with the bytes the standard prints.
YAMADA = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B"
HONG = b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf"
ZHANG = b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab="
EXAMPLES = [
    (b"ISO_IR 100", "Jérôme Müller".encode("latin-1")),
    (b"ISO_IR 144", "Жуков".encode("iso8859-5")),
    (b"ISO_IR 192", "Wang^XiaoDong=王^小東".encode()),
    (b"GB18030", "Wang^XiaoDong=王^小东".encode("gb18030")),
    (b"GBK", "王^小东".encode("gbk")),
    (b"\\ISO 2022 IR 87", YAMADA),
    (b"ISO 2022 IR 13\\ISO 2022 IR 87", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J"),
    (b"\\ISO 2022 IR 149", HONG),
    (b"ISO 2022 IR 100\\ISO 2022 IR 144", b"M\xfcller^\x1b-L\xbb\xee\xda"),
]


@pytest.mark.parametrize(("declared", "value"), EXAMPLES)
def test_text_is_what_pydicom_reads(declared: bytes, value: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = convert_encodings(declared.decode().split("\\"))
        expected = decode_bytes(value, names, {0x5C, 0x5E, 0x3D})

    assert decode(value, encodings(declared)) == expected


def test_chinese_of_iso_2022_loses_its_escape_sequences() -> None:
    # pydicom leaves them in the text; PS3.5 annex K prints the characters.
    assert decode(ZHANG, encodings(b"\\ISO 2022 IR 58")) == "Zhang^XiaoDong=张^小东="


@pytest.mark.parametrize(("declared", "value"), [*EXAMPLES, (b"\\ISO 2022 IR 58", ZHANG)])
def test_text_written_again_reads_the_same(declared: bytes, value: bytes) -> None:
    codecs = encodings(declared)
    text = decode(value, codecs)
    assert text is not None

    assert decode(encode(text, codecs), codecs) == text


def test_a_backslash_inside_a_character_separates_nothing() -> None:
    # 許 is B3 5C in GBK and GB18030: its second byte looks like a backslash.
    assert decode(b"\xb3\x5c", encodings(b"GB18030")) == b"\xb3\x5c".decode("gb18030")


def test_a_delimiter_ends_what_an_escape_sequence_began() -> None:
    codecs = encodings(b"ISO 2022 IR 100\\ISO 2022 IR 144")

    assert decode(b"\x1b-L\xbb^\xe9", codecs) == "Л^é"


def test_bytes_that_are_no_text_are_none() -> None:
    assert decode(b"M\xfcller", encodings(b"ISO_IR 192")) is None
    assert decode(b"\x1b$B\xff\xff", encodings(b"\\ISO 2022 IR 87")) is None


def test_characters_no_declared_set_has_are_left_out() -> None:
    assert encode("Müller 山田", encodings(b"ISO_IR 100")) == b"M\xfcller "
    assert encode("Müller^山田", encodings(b"ISO 2022 IR 6\\ISO 2022 IR 87")) == b"Mller^\x1b$B;3ED\x1b(B"


def test_a_name_is_searched_in_every_way_it_may_have_been_meant() -> None:
    assert "Müller" in readings("Müller".encode(), encodings(b"ISO_IR 100"))
    assert "Müller" in readings("Müller".encode("latin-1"), encodings(b"ISO_IR 192"))
    assert "洪" in readings(HONG[13:19].replace(b"\x1b$)C", b""), encodings(b"\\ISO 2022 IR 149"))


@pytest.mark.parametrize("declared", [b"ISO-IR 100", b"ISO IR 100", b"iso_ir 100 "])
def test_spellings_in_the_field_are_understood(declared: bytes) -> None:
    assert encodings(declared) == ("latin_1",)


def test_a_character_set_nobody_defined_is_refused() -> None:
    with pytest.raises(Rejected) as error:
        encodings(b"KLINGON")

    assert error.value.code == "deid.charset"
