"""The parts of planted objects that are the same whoever is planted, or depend on the person alone."""

import struct
from typing import Final

from collegium_testkit.planted.identities import Person
from collegium_testkit.planted.tree import Node, Syntax

# Sequences the table does not name: what is inside them has to be looked at.
CARRIERS: Final = (0x00180012, 0x00089124, 0x52009229, 0x52009230, 0x00540016, 0x30060010, 0x00400260)

# Private elements that PS3.15 E.3.10 calls safe, read from the standard: creator, element, VR, value.
SAFE: Final = (
    ("SIEMENS MR HEADER", 0x0019_000C, "IS", b"800"),
    ("SIEMENS MR HEADER", 0x0019_000D, "CS", b"DIRECTIONAL"),
    ("SIEMENS MR HEADER", 0x0019_000E, "FD", struct.pack("<3d", 0.5, -0.5, 0.70710678)),
    ("GEMS_ACQU_01", 0x0019_0023, "DS", b"27.5"),
    ("GEMS_PARM_01", 0x0043_0039, "IS", b"1000\\8\\0\\0"),
    ("Philips Imaging DD 001", 0x2001_0003, "FL", struct.pack("<f", 800.0)),
    ("Philips MR Imaging DD 001", 0x2005_000E, "FL", struct.pack("<f", 0.0123)),
    ("Philips PET Private Group", 0x7053_0000, "DS", b"0.000551"),
    ("ELSCINT1", 0x01F1_0026, "DS", b"0.9"),
)

# What the table does not name stays as it is: geometry, physics and what a scanner calls its own.
UNTOUCHED: Final = tuple(
    Node(tag, vr, value)
    for tag, vr, value in (
        (0x00080008, "CS", b"ORIGINAL\\PRIMARY\\AXIAL"), (0x00080060, "CS", b"CT"), (0x00080070, "LO", b"SIEMENS"),
        (0x00180050, "DS", b"1.5"), (0x00180060, "DS", b"120"), (0x00180080, "DS", b"3000"),
        (0x00180081, "DS", b"98.5"), (0x00181074, "DS", b"370000000"), (0x00181075, "DS", b"6586.2"),
        (0x00181152, "IS", b"240"), (0x00185100, "CS", b"HFS"), (0x00200013, "IS", b"17"),
        (0x00200032, "DS", b"-120.5\\-110\\33.25"), (0x00200037, "DS", b"1\\0\\0\\0\\1\\0"),
        (0x00201041, "DS", b"-45.25"), (0x00280030, "DS", b"0.5\\0.5"), (0x00281050, "DS", b"40"),
        (0x00281051, "DS", b"400"), (0x00281052, "DS", b"-1024"), (0x00281053, "DS", b"1"),
        (0x00541001, "CS", b"BQML"), (0x00541321, "DS", b"1.0234"), (0x00189073, "FD", struct.pack("<d", 12.25)),
        (0x00189087, "FD", struct.pack("<d", 1000.0)),
    )
)  # fmt: skip

# A picture of 4 x 4 pixels in 12 of 16 bits.
SHAPE: Final = (
    Node(0x00280004, "CS", b"MONOCHROME2"),
    *(
        Node(tag, "US", struct.pack("<H", value))
        for tag, value in (
            (0x00280002, 1), (0x00280010, 4), (0x00280011, 4), (0x00280100, 16), (0x00280101, 12),
            (0x00280102, 11), (0x00280103, 0),
        )
    ),
)  # fmt: skip

# Unlisted attributes in which somebody has typed a name.
ODD_TEXTS: Final = ((0x00181210, "SH"), (0x00081090, "LO"), (0x00280404, "LO"), (0x00181020, "LO"))


def meta(person: Person, sop_class: str, sop_instance: bytes, syntax: Syntax, root: str) -> list[Node]:
    """File meta information that names its sender, and a private part that names the patient."""
    return [
        Node(0x00020001, "OB", b"\0\1"),
        Node(0x00020002, "UI", sop_class.encode()),
        Node(0x00020003, "UI", sop_instance),
        Node(0x00020010, "UI", syntax.encode()),
        Node(0x00020012, "UI", b"1.2.3.4.5"),
        Node(0x00020013, "SH", b"QUILL_1"),
        Node(0x00020016, "AE", b"QUILLHAVENCT"),
        Node(0x00020100, "UI", f"{root}.77".encode()),
        Node(0x00020102, "OB", person.text(f"{person.family} {person.local_id}")),
    ]


def pixels(content: bytes, behind: bytes) -> list[Node]:
    """The pixel data; `behind`: a text in the padding and a signer in the signatures behind it."""
    nodes = [Node(0x00280301, "CS", b"NO"), Node(0x7FE00010, "OW", content)]
    if behind:
        signer = (Node(0x04000110, "UT", behind), Node(0x0040A123, "PN", behind))
        nodes += [Node(0xFFFAFFFA, "SQ", items=(signer,)), Node(0xFFFCFFFC, "OB", behind)]
    return nodes


def unsafe(person: Person) -> list[Node]:
    """Elements of a private block that nobody calls safe."""
    named = person.text(person.family)
    return [
        Node(0x0029_0001, "LO", named),
        Node(0x0029_0002, "UN", named + b"\0\0"),
        Node(0x0029_0003, "DS", b"1.5"),
    ]


def persons_block(person: Person, block: int, *, hidden: bool) -> list[Node]:
    """A private block whose creator is a person and which holds a sequence."""
    patient = Node(0x00100010, "PN", person.person_name(person.name))
    doctor = Node(0x00080090, "PN", person.person_name(person.doctor))
    return [
        Node(0x00310000 | block, "LO", person.text(f"DR {person.family}")),
        Node(0x00310001 | block << 8, "SQ", items=((doctor, patient),), hidden=hidden),
        Node(0x00310002 | block << 8, "LT", person.text(f"{person.family} {person.local_id}")),
    ]


def odd(person: Person) -> list[Node]:
    """Group lengths, an overlay, a curve, and an attribute no dictionary knows."""
    named = person.text(person.family)
    return [
        Node(0x00080000, "UL", struct.pack("<I", 4711)),
        Node(0x00100000, "UL", struct.pack("<I", 42)),
        Node(0x60000010, "US", struct.pack("<H", 4)),
        Node(0x60000011, "US", struct.pack("<H", 4)),
        Node(0x60000022, "LO", named),
        Node(0x60003000, "OW", b"\1\2"),
        Node(0x60004000, "LT", named),
        Node(0x50003000, "OW", b"\1\2\3\4"),
        Node(0x00080FFE, "LO", named),
    ]
