"""What must hold for any bytes at all: never an exception but ours, and what comes out can be read again.

`fuzz_deid.py` searches with atheris; the tests replay the corpus and some seeded changes of it.
"""

from __future__ import annotations

import struct
from typing import Final

from collegium_deid import (
    Cleaned,
    DeidError,
    NeedMoreBytes,
    Rejected,
    SiteKey,
    clean_object,
    identifiers_of,
    load_recipe,
    parse_file,
    verify_against,
    verify_conformance,
)
from collegium_deid.engine.convert import prepare
from collegium_deid.engine.passage import PixelPassage
from collegium_deid.verify.scan import scan

_SYNTAXES: Final = (
    b"1.2.840.10008.1.2.1\0",
    b"1.2.840.10008.1.2\0",
    b"1.2.840.10008.1.2.2\0",
    b"1.2.840.10008.1.2.1.99",
    b"1.2.840.10008.1.2.4.70",
)
_RECIPES: Final = tuple(load_recipe(name) for name in ("trial", "strict", "teaching", "onward-clinical"))
_KEY: Final = SiteKey(bytes(range(32)))
_MARK: Final = 132


def one_input(data: bytes) -> None:
    """Clean and verify one input.

    Bytes with the mark of Part 10 are taken as they are; of others the first names a transfer syntax
    and a recipe, and the rest is a data set.

    Raises:
        AssertionError: an output that cannot be read, or is another one the second time.
    """
    recipe = _RECIPES[data[0] // len(_SYNTAXES) % len(_RECIPES)] if data else _RECIPES[0]
    whole = data if data[128:_MARK] == b"DICM" else _file(data)
    try:
        prepared = prepare(whole)
        cleaned = clean_object(prepared, recipe=recipe, key=_KEY, subject="S-001", complete=True)
    except Rejected:
        _pieces(whole)
        return
    except NeedMoreBytes:
        raise AssertionError("a whole file needs no more bytes") from None
    except DeidError:
        return
    again = clean_object(prepared, recipe=recipe, key=_KEY, subject="S-001", complete=True)
    assert again.head == cleaned.head, "the same input gave another output"
    assert not cleaned.has_pixels or cleaned.pixel_start < len(prepared)
    parse_file(cleaned.head, complete=True)
    assert all(value.path for value in scan(cleaned.head)), "an output that cannot be read again"
    verify_conformance(recipe, cleaned.head)
    _verify(prepared, cleaned.head)
    _pass(cleaned, prepared)


def _file(data: bytes) -> bytes:
    syntax = _SYNTAXES[data[0] % len(_SYNTAXES)] if data else _SYNTAXES[0]
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", len(syntax)) + syntax
    return bytes(128) + b"DICM" + meta + data[1:]


def _verify(original: bytes, head: bytes) -> None:
    """It may find something, or be unable to read a header that the engine could; no more than that."""
    try:
        verify_against(identifiers_of(original), head)
    except Rejected:
        return


def _pieces(whole: bytes) -> None:
    """A file that comes in pieces is refused in the same way, or asks for more than it was given."""
    half = whole[: len(whole) // 2]
    wanted = len(half) + 1
    try:
        parse_file(half)
    except NeedMoreBytes as error:
        wanted = error.at_least
    except DeidError:
        return
    assert wanted > len(half), "it asks for bytes that it has"


def _pass(cleaned: Cleaned, prepared: bytes) -> None:
    try:
        passage = PixelPassage(cleaned)
        list(passage.feed(prepared[cleaned.pixel_start :]))
        passage.finish()
    except DeidError:
        return
