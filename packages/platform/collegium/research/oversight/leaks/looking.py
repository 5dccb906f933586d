"""Open an answer and give every text that stands in it: headers, pages, JSON, parts, DICOM, pictures, archives.

What is encoded (percent, entities, escapes, base64, hex, gzip) is given decoded as well, so that a search only has
to know the plain value. Pixels are not looked at: what a picture shows is granted.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import io
import json
import re
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom import Dataset

    from collegium.research.oversight.leaks.asking import Answer

_MOST_BYTES = 64 << 20
_DEEPEST = 4
_PRINTABLE = re.compile(rb"[ -~\xc2-\xf4][ -~\x80-\xbf]{5,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX = re.compile(r"(?<![0-9a-fA-F])(?:[0-9a-fA-F]{2}){8,}(?![0-9a-fA-F])")
_BOUNDARY = re.compile(r'boundary="?([^";]+)')
_PNG_TEXT = (b"tEXt", b"zTXt", b"iTXt", b"eXIf")

Text = tuple[str, str]
"""Where it stands, for the report, and the text itself."""


def texts(answer: Answer) -> Iterator[Text]:
    """Everything the answer says, decoded."""
    yield "status", str(answer.status)
    for name, value in answer.headers:
        for where, text in _decoded(value):
            yield f"header {name}{where}", text
    body = answer.body
    if answer.header("content-encoding") == "gzip":
        body = _unzipped(body)
    for place, said in _content(body, answer.header("content-type"), 0):
        for where, text in _decoded(said):
            yield f"{place}{where}", text


def files(answer: Answer) -> Iterator[bytes]:
    """DICOM files in an answer, alone or as parts."""
    parts = [answer.body]
    if found := _BOUNDARY.search(answer.header("content-type")):
        split = answer.body.split(b"--" + found[1].encode())[1:]
        parts = [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in split]
    yield from (part for part in parts if part[128:132] == b"DICM")


def _content(body: bytes, kind: str, depth: int) -> Iterator[Text]:
    if depth > _DEEPEST or not body:
        return
    if kind.startswith("multipart/") and (found := _BOUNDARY.search(kind)):
        yield from _parts(body, found[1], depth)
    elif body[128:132] == b"DICM":
        yield from _dicom(body)
    elif body.startswith(b"\x89PNG\r\n\x1a\n"):
        yield from _png(body)
    elif body.startswith((b"\xff\xd8", b"\xff\x4f")):
        yield from (("comment of a picture", one) for one in _printable(body))
    elif body.startswith(b"PK\x03\x04"):
        yield from _archive(body, depth)
    elif body.startswith(b"\x1f\x8b"):
        yield from _content(_unzipped(body), "", depth + 1)
    elif "json" in kind:
        yield from _json(body)
    elif kind.startswith("text/") or not kind:
        yield "page" if "html" in kind else "body", body.decode("utf-8", "replace")
    else:
        yield from (("bytes", one) for one in _printable(body))


def _parts(body: bytes, boundary: str, depth: int) -> Iterator[Text]:
    for part in body.split(b"--" + boundary.encode())[1:]:
        head, _, content = part.partition(b"\r\n\r\n")
        said = head.decode("latin-1")
        yield "part header", said
        typed = re.search(r"(?i)content-type: *([^;\r\n]+)", said)
        for where, text in _content(content.removesuffix(b"\r\n"), typed[1] if typed else "", depth + 1):
            yield f"part: {where}", text


def _json(body: bytes) -> Iterator[Text]:
    yield "JSON", body.decode("utf-8", "replace")
    if b"\\" not in body:
        return
    try:
        yield "JSON", json.dumps(json.loads(body), ensure_ascii=False)
    except (ValueError, RecursionError):
        return


def _dicom(body: bytes) -> Iterator[Text]:
    yield from (("DICOM preamble", one) for one in _printable(body[:128]))
    try:
        dataset = dcmread(io.BytesIO(body), force=True)
    except (InvalidDicomError, ValueError, OSError, KeyError, NotImplementedError):
        yield from (("DICOM", one) for one in _printable(body))
        return
    yield from _elements(dataset.file_meta)
    yield from _elements(dataset)


def _elements(dataset: Dataset) -> Iterator[Text]:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _elements(item)
        elif isinstance(element.value, bytes):
            if element.tag.group != 0x7FE0:
                yield from ((f"DICOM {element.tag}", one) for one in _printable(element.value))
        else:
            values = element.value if element.VM > 1 else [element.value]
            yield f"DICOM {element.tag}", " ".join(map(str, values))


def _png(body: bytes) -> Iterator[Text]:
    position = 8
    while position + 8 <= len(body):
        (length,), name = struct.unpack_from(">I", body, position), body[position + 4 : position + 8]
        chunk = body[position + 8 : position + 8 + length]
        if name in _PNG_TEXT:
            yield "PNG text", chunk.decode("latin-1")
            for at in (chunk.find(b"\0") + 2, chunk.rfind(b"\0") + 1):
                yield "PNG text", _inflated(chunk[at:]).decode("utf-8", "replace")
        position += 12 + length


def _archive(body: bytes, depth: int) -> Iterator[Text]:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for member in archive.infolist():
                yield "name in an archive", member.filename
                if member.file_size <= _MOST_BYTES:
                    kind = "application/json" if member.filename.endswith("json") else ""
                    yield from _content(archive.read(member), kind, depth + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError):
        yield from (("bytes", one) for one in _printable(body))


def _decoded(text: str) -> Iterator[Text]:
    yield "", text
    if "%" in text and (plain := unquote_plus(text)) != text:
        yield ", percent-encoded", plain
    if "&" in text and (plain := html.unescape(text)) != text:
        yield "", plain
    if "\\u" in text or "\\x" in text:
        yield (
            ", escaped",
            re.sub(r"\\[ux]([0-9a-fA-F]{4}|[0-9a-fA-F]{2})", lambda one: chr(int(one[1], 16)), text),
        )
    for found in _BASE64.finditer(text):
        for plain in _from_base64(found[0]):
            yield ", base64", plain
    for found in _HEX.finditer(text):
        for plain in _printable(bytes.fromhex(found[0])):
            yield ", hex", plain


def _from_base64(token: str) -> Iterator[str]:
    plain = token.rstrip("=").replace("-", "+").replace("_", "/")
    for start in range(4):  # a value may begin anywhere in a longer word
        piece = plain[start:]
        try:
            content = base64.b64decode(piece[: len(piece) // 4 * 4] or "")
            content += base64.b64decode(piece[len(piece) // 4 * 4 :] + "==") if len(piece) % 4 > 1 else b""
        except (binascii.Error, ValueError):
            continue
        yield from _printable(content)


def _printable(content: bytes) -> list[str]:
    return [run.decode("utf-8", "replace") for run in _PRINTABLE.findall(content)]


def _unzipped(body: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as unpacked:
            return unpacked.read(_MOST_BYTES)
    except (OSError, EOFError, zlib.error):
        return body


def _inflated(content: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(content, _MOST_BYTES)
    except zlib.error:
        return b""
