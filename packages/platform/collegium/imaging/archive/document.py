"""Metadata of instances as DICOM JSON, from a walked header: allow-listed, computed once, at ingest.

A series document holds what its instances have in common once, and per instance what
differs; UIDs are the archive's and are replaced on the way out where a view asks.

Source: DICOM PS3.18 annex F (JSON model).
"""

from __future__ import annotations

import base64
import json
import math
import struct
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from collegium.imaging.archive.attributes import NAMES, STORED
from collegium.imaging.archive.header import Element, Header, items_of
from collegium.imaging.archive.projected import INSTANCE_NUMBER, RANKED, TEMPORAL_POSITION, ranks
from collegium_deid.engine.charset import decode, encodings
from collegium_deid.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collegium.imaging.archive.projected import Projection

Json: TypeAlias = Any
"""Any: JSON has no static type; what is built here is checked by tests against pydicom."""
Attributes: TypeAlias = dict[str, dict[str, Json]]

_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q"}
_TEXT = frozenset({"LO", "SH", "UC", "PN", "LT", "ST", "UT"})
_SINGLE = frozenset({"LT", "ST", "UT", "UR"})
_BULK_LIMIT = 1 << 18
_KEPT_BYTES = 128
_CHARSET = 0x00080005
_PIXEL_REPRESENTATION = 0x00280103
_AMBIGUOUS = frozenset(
    {0x00280106, 0x00280107, 0x00280120, 0x00280121, 0x00283002, 0x00281101, 0x00281102, 0x00281103}
)


def instance_document(header: Header) -> Attributes:
    """The allow-listed attributes of one object, as DICOM JSON."""
    reader = _Reader(header)
    return reader.item(header.elements)


class _Reader:
    def __init__(self, header: Header) -> None:
        self._raw = header.raw
        self._explicit = header.is_explicit
        self._signed = not header.is_explicit and header.number(_PIXEL_REPRESENTATION) == 1
        try:
            self._codecs = encodings(header.bytes_of(_CHARSET).strip(b" \0"))
        except Rejected:
            self._codecs = ("latin-1",)

    def item(self, elements: dict[int, Element]) -> Attributes:
        found: Attributes = {}
        for tag in sorted(elements.keys() & STORED):
            vr, offset, length, _ = elements[tag]
            if tag in _AMBIGUOUS and self._signed and vr == "US":
                vr = "SS"
            if vr == "SQ":
                found[NAMES[tag]] = self._sequence(elements[tag])
            elif tag == _CHARSET:  # what goes out is UTF-8, whatever came in
                found[NAMES[tag]] = {"vr": vr, "Value": ["ISO_IR 192"]}
            else:
                raw, codecs = self._raw[offset : offset + length], self._codecs if vr in _TEXT else ()
                read = _kept if length <= _KEPT_BYTES else _value
                found[NAMES[tag]] = read(vr, raw, codecs)
        return found

    def _sequence(self, element: Element) -> dict[str, Json]:
        items = [self.item(item) for item in items_of(self._raw, element, is_explicit=self._explicit)]
        return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}


def _value(vr: str, raw: bytes, codecs: tuple[str, ...]) -> dict[str, Json]:
    return {"vr": vr, **_content(vr, raw, codecs)}


_kept = lru_cache(maxsize=4096)(_value)
"""Most of a header stands in every slice of a series. Nobody changes what it gives."""


def _content(vr: str, raw: bytes, codecs: tuple[str, ...]) -> dict[str, Json]:
    if vr in _NUMBERS:
        return _listed(_numbers(raw, _NUMBERS[vr]))
    if vr == "AT":
        pairs = struct.unpack(f"<{len(raw) // 4 * 2}H", raw[: len(raw) // 4 * 4])
        return _listed([f"{a:04X}{b:04X}" for a, b in zip(pairs[::2], pairs[1::2], strict=True)])
    if vr.startswith("O") or vr == "UN":
        inline = {"InlineBinary": base64.b64encode(raw).decode()}
        return inline if raw and len(raw) <= _BULK_LIMIT else {}
    return _listed(_strings(vr, raw, codecs))


def _strings(vr: str, raw: bytes, codecs: tuple[str, ...]) -> list[Json]:
    if vr in _TEXT:
        decoded = decode(raw, codecs)
        text = raw.decode(codecs[0], "replace") if decoded is None else decoded
    else:
        text = raw.decode("ascii", "replace")
    text = text.rstrip(" \0")
    if not text:
        return []
    parts = [text] if vr in _SINGLE else [part.strip(" \0") for part in text.split("\\")]
    if vr in ("DS", "IS"):
        return [_decimal(part) for part in parts]
    if vr == "PN":
        return [_name(part) if part else None for part in parts]
    return [part or None for part in parts]


def _numbers(raw: bytes, code: str) -> list[Json]:
    size = struct.calcsize(code)
    count = len(raw) // size
    values = struct.unpack(f"<{count}{code}", raw[: count * size])
    return [value if math.isfinite(value) else None for value in values]


def _decimal(text: str) -> Json:
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and abs(number) < 1 << 53 else number


def _name(text: str) -> dict[str, str]:
    groups = zip(("Alphabetic", "Ideographic", "Phonetic"), text.split("="), strict=False)
    return {group: part for group, part in groups if part}


def _listed(values: list[Json]) -> dict[str, Json]:
    return {"Value": values} if values else {}


class SeriesDocument:
    """The metadata of one series: what all instances share, and what each has of its own."""

    def __init__(self, common: Attributes, instances: list[Attributes]) -> None:
        self.common = common
        self.instances = instances

    @classmethod
    def of(cls, instances: list[Attributes]) -> SeriesDocument:
        """Split instances, in their order, into the common part and the rest."""
        if not instances:
            return cls({}, [])
        first = instances[0]
        shared = {
            name: value
            for name, value in first.items()
            if all(other.get(name) == value for other in instances[1:])
        }
        rest = [{n: v for n, v in one.items() if n not in shared} for one in instances]
        return cls(shared, rest)

    def whole(self) -> Iterable[Attributes]:
        """Every instance complete again."""
        return (self.common | own for own in self.instances)

    def pack(self) -> bytes:
        """As the row keeps it: JSON, deflated."""
        text = json.dumps(
            {"common": self.common, "instances": self.instances}, separators=(",", ":"), ensure_ascii=False
        )
        return zlib.compress(text.encode(), 3)

    @classmethod
    def unpack(cls, packed: bytes | memoryview) -> SeriesDocument:
        found = json.loads(zlib.decompress(packed))
        return cls(found["common"], found["instances"])

    def render(self, projection: Projection | None = None) -> bytes:
        """The series metadata answer (PS3.18 10.4): a JSON array with one object an instance.

        Args:
            projection: how a grant shows it, and which instances; None shows all as it is.
        """
        if projection is None:
            return self._joined(self.common, self.instances)
        granted = [own for own in self.instances if projection.shows(sop_instance_of(self.common | own))]
        shared = {n: v for n, v in projection.of(self.common).items() if n not in RANKED} | projection.replace
        return self._joined(
            shared,
            [
                {n: v for n, v in projection.of(own).items() if n not in RANKED and n not in shared} | numbers
                for own, numbers in zip(granted, self._ranked(granted), strict=True)
            ],
        )

    def _ranked(self, granted: list[Attributes]) -> list[Attributes]:
        """For each instance its numbers as a view gives them: place in the series, rank in time."""
        times = [first_of(self.common | own, TEMPORAL_POSITION) for own in granted]
        by_time = ranks(times)
        return [
            {INSTANCE_NUMBER: {"vr": "IS", "Value": [place]}}
            | ({TEMPORAL_POSITION: {"vr": "IS", "Value": [by_time[time]]}} if time in by_time else {})
            for place, time in enumerate(times, 1)
        ]

    @staticmethod
    def _joined(shared: Attributes, instances: list[Attributes]) -> bytes:
        head = _inside(shared)
        lines = []
        for own in instances:
            inside = _inside(own)
            lines.append("{" + (f"{head},{inside}" if head and inside else head or inside) + "}")
        return ("[" + ",".join(lines) + "]").encode()


def _inside(attributes: Attributes) -> str:
    return json.dumps(attributes, separators=(",", ":"), ensure_ascii=False)[1:-1]


def sop_instance_of(attributes: Attributes) -> str:
    """The SOP instance UID of an instance document."""
    return str(attributes["00080018"]["Value"][0])


def first_of(attributes: Attributes, name: str) -> Json:
    """The first value of an attribute, or None."""
    values = attributes.get(name, {}).get("Value")
    return values[0] if values else None
