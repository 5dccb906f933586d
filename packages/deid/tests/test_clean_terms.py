"""Names of strangers where machines write: codes, makers, software, meanings of codes. And what must stay there."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset

from collegium_deid import Recipe, Rejected, SiteKey, clean_object, parse_recipe, verify_conformance
from collegium_deid.engine.terms import says_nobody

if TYPE_CHECKING:
    from collections.abc import Callable


Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
# No person of the header: invented, or too common to be anybody.
STRANGERS = [
    "Zorbinski",
    "Kowalczyk",
    "Okonkwo",
    "Nakamura",
    "Papadopoulos",
    "Schmidt",
    "Fischer",
    "Li",
    "Wu",
]


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


PLACES: dict[str, Callable[[Dataset, str], None]] = {
    "a value of the image type": lambda ds, name: setattr(
        ds, "ImageType", ["ORIGINAL", "PRIMARY", "AXIAL", name.upper()]
    ),
    "an image type of two words": lambda ds, name: setattr(
        ds, "ImageType", ["ORIGINAL", "PRIMARY", f"MR_{name.upper()}"]
    ),
    "the intent of a presentation": lambda ds, name: setattr(ds, "PresentationIntentType", name.upper()),
    "the maker": lambda ds, name: setattr(ds, "Manufacturer", name),
    "beside the maker": lambda ds, name: setattr(ds, "Manufacturer", f"SIEMENS {name}"),
    "the model": lambda ds, name: setattr(ds, "ManufacturerModelName", f"SOMATOM {name}"),
    "the software": lambda ds, name: setattr(ds, "SoftwareVersions", ["VB10A", name]),
    "the kernel": lambda ds, name: setattr(ds, "ConvolutionKernel", name),
    "who captured it": lambda ds, name: setattr(ds, "SecondaryCaptureDeviceManufacturer", f"{name} PC"),
    "the meaning of a public code": lambda ds, name: setattr(
        ds, "ProcedureCodeSequence", [_code("T-D3000", "SRT", f"Thorax {name}")]
    ),
    "a private scheme": lambda ds, name: setattr(
        ds, "ProcedureCodeSequence", [_code("77", f"99{name.upper()}", "Thorax")]
    ),
    "a private code": lambda ds, name: setattr(
        ds, "ProcedureCodeSequence", [_code(name.upper(), "99LOCAL", "Thorax")]
    ),
}


@pytest.mark.requirement("C05")
@pytest.mark.parametrize("place", list(PLACES))
def test_no_stranger_stays_where_machines_write(
    ct: Dataset, write: Tool, clean: Tool, recipe: Recipe, place: str
) -> None:
    left = []
    for name in STRANGERS:
        PLACES[place](ct, name)
        head = clean(write(ct)).head
        left += [name] if name.lower().encode() in _letters(head) else []
        left += [str(finding) for finding in verify_conformance(recipe, head, pixels_done=False)]

    assert left == []


def _letters(head: bytes) -> list[bytes]:
    """The words of a header in lower case: letters and nothing else."""
    return "".join(c if c.isalpha() else " " for c in head.decode("latin-1")).lower().encode().split()


KEPT = {
    "ImageType": [
        r"ORIGINAL\PRIMARY\M\ND\NORM", r"DERIVED\PRIMARY\DIFFUSION\TRACEW\DIS2D", r"ORIGINAL\PRIMARY\M_FFE\M\FFE",
        r"DERIVED\SECONDARY\PROJECTION IMAGE\MIP\CSA RESAMPLED", r"ORIGINAL\PRIMARY\AXIAL\CT_SOM5 SPI",
    ],
    "BurnedInAnnotation": ["NO"],
    "PatientOrientation": [r"L\P", r"LE\DO", r"PA\HL"],
    "Manufacturer": [
        "SIEMENS", "Siemens Healthineers", "GE MEDICAL SYSTEMS", "Philips Medical Systems", "FUJIFILM Corporation",
        "HOLOGIC, Inc.", "Carl Zeiss Meditec", "Fischer Imaging", "Canon Medical Systems", "UIH",
    ],
    "ManufacturerModelName": [
        "SOMATOM Definition AS+", "LightSpeed VCT", "Discovery CT750 HD", "TrioTim", "MAGNETOM Vida", "Aquilion ONE",
        "Biograph128_mCT", "EPIQ 7C", "Cios Alpha", "NAEOTOM Alpha",
        "SIGNA Artist", "uMR Omega", "LOGIQE9", "Ingenuity CT", "Senographe Essential VERSION ADS_54.10",
    ],
    "SoftwareVersions": ["syngo MR E11", "07MW18.4", "VA40A", r"24\LX\MR Software release:DV24.0_R01_1344.a"],
    "ConvolutionKernel": ["B30f", "BONEPLUS", "FC51-H", "YA"],
    "SequenceName": ["*tfl3d1_16ns", "*epfid2d1_64", "EFGRE3D"],
    "ReceiveCoilName": ["HeadNeck_64", "SENSE-Head-8"],
    "ReconstructionMethod": ["PSF+TOF 3i21s", "VPFX-S", "3D-RAMLA"],
}  # fmt: skip


@pytest.mark.parametrize(("keyword", "text"), [(key, text) for key, texts in KEPT.items() for text in texts])
def test_what_machines_write_stays(
    *, ct: Dataset, write: Tool, clean: Tool, read: Callable[[bytes], Dataset], keyword: str, text: str
) -> None:
    setattr(ct, keyword, text.split("\\"))

    new = read(clean(write(ct)).head)

    assert new[keyword].value == ct[keyword].value


@pytest.mark.parametrize(
    ("scheme", "code", "meaning"),
    [
        ("SCT", "13620007", "Wedge pressure"),
        ("DCM", "113076", "Segmentation"),
        ("UCUM", "g/ml{SUVbw}", "Standardized Uptake Value body weight"),
        ("UCUM", "[hnsf'U]", "Hounsfield unit"),
        ("SRT", "C-B1031", "Fluorodeoxyglucose F^18^"),
        ("99SIEMENS", "CT_01", "Thorax"),
        ("IBSI", "JNSA", "Mean"),
        ("DCM", "122713", "BSA = 0.007184*WT^0.425*HT^0.725"),
        ("DCM", "113662", "Bloom-Richardson Grade"),
    ],
)
def test_a_code_and_its_meaning_stay(
    *,
    ct: Dataset,
    write: Tool,
    clean: Tool,
    read: Callable[[bytes], Dataset],
    scheme: str,
    code: str,
    meaning: str,
) -> None:
    ct.ProcedureCodeSequence = [_code(code, scheme, meaning)]

    (new,) = read(clean(write(ct)).head).ProcedureCodeSequence

    assert (new.CodingSchemeDesignator, new.CodeValue, new.CodeMeaning) == (scheme, code, meaning)


def test_a_private_code_that_names_somebody_becomes_the_same_new_one_everywhere(
    ct: Dataset, write: Tool, clean: Tool, read: Callable[[bytes], Dataset]
) -> None:
    ct.ProcedureCodeSequence = [
        _code("ZORBINSKI", "99ZORBINSKI", "Thorax"),
        _code("OKONKWO", "99ZORBINSKI", "Thorax"),
        _code("ZORBINSKI", "99ZORBINSKI", "Abdomen"),
    ]

    one, other, same = read(clean(write(ct)).head).ProcedureCodeSequence

    assert (one.CodeValue, one.CodingSchemeDesignator) == (same.CodeValue, same.CodingSchemeDesignator)
    assert other.CodeValue != one.CodeValue
    assert one.CodingSchemeDesignator.startswith("99")


def test_a_layer_called_like_somebody_still_joins_its_drawings(
    *, ct: Dataset, write: Tool, recipe: Recipe, key: SiteKey, read: Callable[[bytes], Dataset]
) -> None:
    drawing = parse_recipe(recipe.text.replace("options:\n", "options:\n  - clean_graphics\n"))
    layer, graphic, plain = Dataset(), Dataset(), Dataset()
    layer.GraphicLayer = graphic.GraphicLayer = "ZORBINSKI"
    plain.GraphicLayer = "LAYER 1"
    ct.GraphicLayerSequence, ct.GraphicAnnotationSequence = [layer, plain], [graphic]

    data = clean_object(write(ct), recipe=drawing, key=key, subject="S-001", complete=True).head

    new = read(data)
    assert b"ZORBINSKI" not in data
    assert (
        new.GraphicLayerSequence[0].GraphicLayer == new.GraphicAnnotationSequence[0].GraphicLayer != "LAYER 1"
    )
    assert new.GraphicLayerSequence[1].GraphicLayer == "LAYER 1"
    assert verify_conformance(drawing, data, pixels_done=False) == ()


def _with_samples(samples: bytes) -> Dataset:
    wave = Dataset()
    wave.add_new(0x5400100A, "OW", b"\0\0")
    wave.add_new(0x54001010, "OW", samples)
    return wave


@pytest.mark.parametrize("writing", [b"Zorbinski, Adam", b"SMITH^JOHN", b"Kim Zorbinski", b"Okonkwo^Ada"])
def test_an_object_whose_samples_hold_a_name_is_refused(
    ct: Dataset, write: Tool, clean: Tool, writing: bytes
) -> None:
    ct.WaveformSequence = [_with_samples(bytes(range(64)) + writing + bytes(65 - len(writing) % 2))]

    with pytest.raises(Rejected) as error:
        clean(write(ct))

    assert error.value.code == "deid.writing"
    assert "orbinski" not in str(error.value)


@pytest.mark.parametrize("step", [1, 3, 257, 7919])
def test_samples_stay(
    ct: Dataset, write: Tool, clean: Tool, read: Callable[[bytes], Dataset], step: int
) -> None:
    samples = b"".join((n * step % 65536).to_bytes(2, "little") for n in range(20_000))
    ct.WaveformSequence = [_with_samples(samples)]

    assert read(clean(write(ct)).head).WaveformSequence[0].WaveformData == samples


@pytest.mark.parametrize(("tag", "vr"), [(0x00181310, "US"), (0x00189073, "FD"), (0x00081161, "UL")])
def test_a_number_that_is_a_word_goes(ct: Dataset, write: Tool, clean: Tool, tag: int, vr: str) -> None:
    raw = struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), 16) + b"Zorbinski".ljust(16, b"\0")
    ct.add_new(tag, vr, [0] if vr == "FD" else [0, 0])
    data = write(ct)
    old = struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), {"US": 4}.get(vr, 8))

    head = clean(data.replace(old + bytes(old[6]), raw)).head

    assert raw[:8] in data.replace(old + bytes(old[6]), raw)
    assert b"Zorbinski" not in head


@pytest.mark.parametrize(
    ("text", "coded"),
    [
        ("Ng", False),
        ("Hu", False),
        ("Xu", False),
        ("Vlk", False),
        ("Carl", False),
        ("ZHAO1", True),
        ("99LEE", True),
    ],
)
def test_a_short_name_is_a_name(text: str, *, coded: bool) -> None:
    assert not says_nobody(text, coded=coded)


@pytest.mark.parametrize(
    "text", ["Z o r b i n s k i", "Z.O.R.B.I.N.S.K.I", "ZorBinSki", "Zor-bin-ski", "山田太郎"]
)
def test_a_name_in_pieces_or_another_script_is_a_name(text: str) -> None:
    assert not says_nobody(text, coded=False)


@pytest.mark.parametrize("name", ["Zor\u200bbin\u200bski", "abc\x01def", "\x07\x06\x05"])
def test_characters_nobody_sees_do_not_hide_a_name(
    *, ct: Dataset, write: Tool, clean: Tool, name: str
) -> None:
    ct.SpecificCharacterSet, ct.Manufacturer = "ISO_IR 192", name

    assert name.encode() not in clean(write(ct)).head


def test_bytes_that_are_a_word_do_not_stay(ct: Dataset, write: Tool, clean: Tool) -> None:
    ct.add_new(0x00282000, "OB", b"SCAN_ZORBINSKI")

    assert b"ZORBINSKI" not in clean(write(ct)).head


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("ImageType", ["ORIGINAL", "PRIMARY", "ZORBINSKI"]), ("Manufacturer", "Zorbinski Medical Systems")],
)
def test_the_check_without_the_input_finds_a_strange_word_where_machines_write(
    *,
    ct: Dataset,
    write: Tool,
    clean: Tool,
    read: Callable[[bytes], Dataset],
    recipe: Recipe,
    keyword: str,
    value: object,
) -> None:
    ds = read(clean(write(ct)).head)
    setattr(ds, keyword, value)
    head = write(ds).replace(b"\2\0\x16\0AE\x0a\0QUILLCT07 ", b"")

    codes = {finding.code for finding in verify_conformance(recipe, head, pixels_done=False)}

    assert "deid.conformance.words" in codes
