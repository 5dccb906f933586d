"""Part 10 objects that hold identity in every place a header has, and the truth about each of them.

Left out of a data set are the rows of commands and directories (groups 0000 and 0004), which are none
of it, and a document at the top, with which an object is refused as a whole.
"""

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Final

from pydicom._dicom_dict import DicomDictionary  # a plain table

from collegium_testkit.planted import parts
from collegium_testkit.planted.identities import Person, people
from collegium_testkit.planted.reading import Key
from collegium_testkit.planted.table import TRIAL, Row, plain_rows, rows
from collegium_testkit.planted.tree import Node, Syntax, write
from collegium_testkit.planted.values import value_for
from collegium_testkit.planted.words import Value, Where, medical, mixed

CLASSES: Final = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
    "CT enhanced": "1.2.840.10008.5.1.4.1.1.2.1",
    "MR enhanced": "1.2.840.10008.5.1.4.1.1.4.1",
    "PT enhanced": "1.2.840.10008.5.1.4.1.1.130",
    "RTSTRUCT": "1.2.840.10008.5.1.4.1.1.481.3",
    "SEG": "1.2.840.10008.5.1.4.1.1.66.4",
    "US": "1.2.840.10008.5.1.4.1.1.6.1",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
    "MG": "1.2.840.10008.5.1.4.1.1.1.2",
    "XA": "1.2.840.10008.5.1.4.1.1.12.1",
    "NM": "1.2.840.10008.5.1.4.1.1.20",
    "SC": "1.2.840.10008.5.1.4.1.1.7",
    "SR": "1.2.840.10008.5.1.4.1.1.88.33",
    "PR": "1.2.840.10008.5.1.4.1.1.11.1",
}
# What needs no look at its pixels: what a recipe for trials takes.
PLAIN: Final = ("CT", "MR", "PT", "CT enhanced", "MR enhanced", "PT enhanced", "RTSTRUCT", "SEG")
_WITHOUT_PIXELS: Final = frozenset({"RTSTRUCT", "SR", "PR"})
_FILES_A_PERSON: Final = 9
_SHARES: Final = 3
"""Each object holds every third row; three in a row hold them all, at each depth."""

# Planted elsewhere, by hand; or refused as a whole when they stand at the top.
_BY_HAND: Final = frozenset(
    {0x00080018, 0x0020000D, 0x0020000E, 0x00100010, 0x00100020, 0x00120040, 0x00420011}
)
_STAYS: Final = frozenset("K")
_NEW: Final = frozenset("U")
_GOES: Final = frozenset("XZDC")
"""How does not matter, as long as the identity goes."""
_SERIES: Final = 0x00081115
_IMAGES: Final = 0x0008114A

Path = tuple[tuple[Key, int], ...]
"""Element and item from the top down; the last item number means nothing."""


@dataclass(frozen=True)
class Fact:
    """What must be true of one element of the output."""

    path: Path
    keyword: str
    vr: str
    actions: frozenset[str]
    old: bytes
    keep: tuple[str, ...]
    secrets: tuple[str, ...]
    codecs: tuple[str, ...]


@dataclass
class Truth:
    """All that is known of one planted object."""

    person: Person
    options: frozenset[str]
    kind: str
    facts: list[Fact] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    """Every piece of identity in the object, as it was written."""
    pixels: bytes = b""


@dataclass(frozen=True)
class Planted:
    """One object, the name of its file, and its truth."""

    data: bytes = field(repr=False)
    file_name: str
    truth: Truth = field(repr=False)


def plant(
    seed: int,
    count: int,
    *,
    classes: Collection[str] = PLAIN,
    options: Collection[str] = TRIAL,
    syntaxes: Collection[Syntax] = (Syntax.EXPLICIT, Syntax.IMPLICIT),
) -> Iterator[Planted]:
    """Objects with planted identity; the same arguments give the same bytes.

    Args:
        seed: of all that is drawn.
        count: of objects; nine belong to one person and three make a visit.
        classes: names of `CLASSES` in the order they come round; the default needs no work on pixels.
        options: of the recipe whose actions are the truth.
        syntaxes: come round in this order.
    """
    everybody = people(seed, -(-count // _FILES_A_PERSON))
    kinds, forms = list(classes), list(syntaxes)
    for number in range(count):
        person = everybody[number // _FILES_A_PERSON]
        builder = _Builder(seed, number, person, kinds[number % len(kinds)], frozenset(options))
        yield builder.build(forms[number // len(kinds) % len(forms)])


class _Builder:
    def __init__(self, seed: int, number: int, person: Person, kind: str, options: frozenset[str]) -> None:
        self.number, self.person, self.kind, self.options = number, person, kind, options
        self.rng = random.Random(f"{seed} {number}")
        visit = number % _FILES_A_PERSON // 3
        digits = "".join(filter(str.isdigit, person.local_id)).lstrip("0") or "7"
        # The record number is a component of every UID of this person.
        self.root = f"1.2.826.0.1.3680043.9.{digits}.{person.number + 1}.{visit}"
        self.where = Where(person, person.visits[visit], self.rng, f"{self.root}.9")
        self.truth = Truth(person, options, kind)

    def build(self, syntax: Syntax) -> Planted:
        person = self.person
        top = [*self.frame(), *self.references(), *self.table_rows(self.share(0), ())]
        nodes = [*top, *self.nested(), *self.private(), *self.odd()]
        unique = {node.tag: node for node in reversed(nodes)}  # the first of two wins
        self.truth.facts = [fact for fact in self.truth.facts if _stands(fact, unique)]
        self.truth.secrets.update(person.parts, person.doctor.split("^"))
        self.truth.secrets.update({person.local_id, person.other_id, person.accession})
        preamble = b"II*\0" + person.text(person.family) if self.number % 2 == 0 else b""
        meta = parts.meta(person, CLASSES[self.kind], self.uid(self.number), syntax, self.root)
        data = write(meta, unique.values(), syntax, preamble=preamble, open_ended=bool(self.number // 2 % 2))
        latin = next((part for part in person.parts if part.isascii()), "patient")
        return Planted(data, f"{latin.upper()}_{person.local_id}_{self.number}.dcm", self.truth)

    def share(self, turn: int) -> list[Row]:
        return [row for n, row in enumerate(plain_rows()) if (n + self.number + turn) % _SHARES == 0]

    def uid(self, number: int) -> bytes:
        return f"{self.root}.{number}".encode()

    def say(self, path: Path, vr: str, actions: frozenset[str], planted: Value, keyword: str = "") -> None:
        """Note what must become of the element at the end of `path`."""
        person = self.person
        known = {part.casefold() for part in (*person.parts, *person.doctor.split("^"), person.local_id)}
        keep = tuple(word for word in planted.keep if word.casefold() not in known)
        fact = Fact(path, keyword, vr, actions, planted.value, keep, planted.secrets, person.codecs)
        self.truth.facts.append(fact)
        self.truth.secrets.update(planted.secrets)

    def put(self, node: Node, actions: frozenset[str], secrets: tuple[str, ...] = ()) -> Node:
        """Note what must become of an element of the top level."""
        self.say(((node.tag, 0),), node.vr, actions, Value(node.value, secrets=secrets))
        return node

    def frame(self) -> list[Node]:
        """What makes it an object of its class: identity, geometry, pixels."""
        person = self.person
        moved = frozenset("C" if "retain_longitudinal_modified_dates" in self.options else "Z")
        nodes = [
            self.put(Node(0x00080016, "UI", CLASSES[self.kind].encode()), _STAYS),
            self.put(Node(0x00080018, "UI", self.uid(self.number)), _NEW),
            self.put(Node(0x0020000D, "UI", f"{self.root}.1000".encode()), _NEW),
            self.put(Node(0x0020000E, "UI", f"{self.root}.2000".encode()), _NEW),
            self.put(Node(0x00100010, "PN", person.person_name(person.name)), frozenset("Z"), person.parts),
            self.put(Node(0x00100020, "LO", person.text(person.local_id)), frozenset("D")),
            self.put(Node(0x00080020, "DA", f"{self.where.day:%Y%m%d}".encode()), moved),
            self.put(Node(0x00080030, "TM", b"101112.123"), moved),
            *(self.put(node, _STAYS) for node in parts.UNTOUCHED),
        ]
        if person.character_set:
            nodes.append(Node(0x00080005, "CS", "\\".join(person.character_set).encode()))
        if self.kind in _WITHOUT_PIXELS:
            return nodes
        self.truth.pixels = self.rng.randbytes(32)
        nodes += [self.put(node, _STAYS) for node in parts.SHAPE]
        behind = self.person.text(self.person.family) if self.number % 3 == 0 else b""
        return nodes + parts.pixels(self.truth.pixels, behind)

    def references(self) -> list[Node]:
        """The other objects of the visit, by their UIDs: they must still be found afterwards."""
        visit = self.number // 3
        siblings = [number for number in range(visit * 3, visit * 3 + 3) if number != self.number]
        images = tuple(
            (Node(0x00081150, "UI", CLASSES["CT"].encode()), Node(0x00081155, "UI", self.uid(sibling)))
            for sibling in siblings
        )
        for at, (_, image) in enumerate(images):
            self.say(((_SERIES, 0), (_IMAGES, at), (image.tag, 0)), "UI", _NEW, Value(image.value))
        series = Node(0x0020000E, "UI", f"{self.root}.2000".encode())
        self.say(((_SERIES, 0), (series.tag, 0)), "UI", _NEW, Value(series.value))
        return [Node(_SERIES, "SQ", items=((series, Node(_IMAGES, "SQ", items=images)),))]

    def table_rows(self, share: list[Row], path: Path) -> list[Node]:
        """One element for each row."""
        nodes = []
        for row in share:
            if (row.tag in _BY_HAND and not path) or row.tag in {step for step, _ in path}:
                continue
            actions = row.action(self.options)
            if row.vr == "SQ":
                nodes.append(self.sequence(row, actions, path))
                continue
            planted = value_for(self.where, row, actions)
            if row.vr == "OB" and actions == {"C"}:
                actions = _GOES  # bytes cannot be cleaned; how they lose the identity is free
            nodes.append(Node(row.tag, row.vr, planted.value))
            self.say((*path, (row.tag, 0)), row.vr, actions, planted, row.keyword)
        return nodes

    def sequence(self, row: Row, actions: frozenset[str], path: Path) -> Node:
        """A sequence of the table: its item holds a coded term, a person and a text."""
        here = (*path, (row.tag, 0))
        self.say(here, "SQ", actions, Value(b""), row.keyword)
        text, term = mixed(self.where, longest=400), medical(self.where, longest=64)
        item = (
            (Node(0x00080100, "SH", b"71651007"), _STAYS, Value(b"71651007")),
            (Node(0x00080102, "SH", b"SCT"), _STAYS, Value(b"SCT")),
            (Node(0x00080104, "LO", term.value), frozenset("C"), term),
            (
                Node(0x0040A123, "PN", self.person.person_name(self.person.name)),
                _GOES,
                Value(self.person.person_name(self.person.name), secrets=self.person.parts),
            ),
            (Node(0x0040A160, "UT", text.value), _GOES, Value(text.value, secrets=text.secrets)),
        )
        if actions & set("KC"):
            for node, wanted, planted in item:
                self.say((*here, (node.tag, 0)), node.vr, wanted, planted)
        self.truth.secrets.update(text.secrets)
        return Node(row.tag, "SQ", items=(tuple(node for node, *_ in item),))

    def nested(self) -> list[Node]:
        """Two shares of the table deep inside: one some sequences down, one hidden behind UN."""
        carriers = [tag for tag in parts.CARRIERS if tag in DicomDictionary]
        self.rng.shuffle(carriers)
        path: Path = tuple((tag, 0) for tag in carriers[: self.number % 4 + 1])
        content = self.table_rows(self.share(1), path)
        for tag in reversed(carriers[1 : len(path)]):
            content = [Node(tag, "SQ", items=(tuple(content),))]
        inside = self.table_rows(self.share(2), ((carriers[-1], 0),))
        return [
            Node(carriers[0], "SQ", items=(tuple(content),)),
            Node(carriers[-1], "SQ", items=(tuple(inside),), hidden=True),
        ]

    def private(self) -> list[Node]:
        """Safe and unsafe blocks, blocks that moved, a creator that is a person, UN, and sequences."""
        person, block = self.person, 0x10 + self.number % 5
        safe = _STAYS if "retain_safe_private" in self.options else frozenset("X")
        nodes = []
        for at, creator in enumerate(dict.fromkeys(creator for creator, *_ in parts.SAFE)):
            content = [Node(tag, vr, value) for name, tag, vr, value in parts.SAFE if name == creator]
            nodes += self.block(creator, block + 8 * at, content, safe)
        for at, creator in ((block + 1, "ACME QUILL 1.0"), (block + 2, "SIEMENS CSA HEADER")):
            nodes += self.block(creator, at, parts.unsafe(person), frozenset("X"))
        # A safe element that holds a name is safe no more.
        named = Node(0x0019_009E, "LO", person.text(person.family))
        nodes += self.block("GEMS_ACQU_01", block + 3, [named], frozenset("X"))
        return nodes + parts.persons_block(person, block, hidden=self.number % 2 == 0)

    def block(self, creator: str, block: int, content: list[Node], actions: frozenset[str]) -> list[Node]:
        """One private block; the tags of `content` have none yet."""
        nodes = [Node((content[0].tag & 0xFFFF0000) | block, "LO", creator.encode())]
        for node in content:
            nodes.append(Node(node.tag | block << 8, node.vr, node.value))
            self.say((((creator, node.tag), 0),), node.vr, actions, Value(node.value))
        return nodes

    def odd(self) -> list[Node]:
        """Identity where no table looks for it."""
        person = self.person
        tag, vr = parts.ODD_TEXTS[self.number % len(parts.ODD_TEXTS)]
        text = Node(tag, vr, person.text(f"Br40d {person.family}"))
        nodes = [*parts.odd(person), self.put(text, _GOES, (person.family,))]
        digits = "".join(filter(str.isdigit, person.local_id)).lstrip("0")
        if len(digits) >= 5:
            nodes.append(self.put(Node(0x00200012, "IS", digits.encode()), _GOES, (digits,)))
        groups = {row.printed[:2]: row.action(self.options) for row in rows() if "x" in row.printed}
        for node in nodes:
            actions = groups.get(f"{node.tag >> 24:02X}")
            if actions:
                self.put(node, actions)
        return nodes


def _stands(fact: Fact, unique: dict[int, Node]) -> bool:
    """False for a fact about an element of the top that gave way to another of the same tag."""
    step = fact.path[0][0]
    if len(fact.path) > 1 or not isinstance(step, int):
        return True
    node = unique.get(step)
    return node is not None and (node.items is not None or node.value == fact.old)
