"""Verify against the recipe alone: is this header one that the recipe could have written?

Runs at ingest, where no identifier is known and none may be sent. Reads the table, the recipe's
options and the output with its own eyes; shares no code with the engine.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final, Literal

from collegium_deid.dictionary import WELL_KNOWN_UIDS
from collegium_deid.errors import Rejected
from collegium_deid.verify.declared import CODE_VALUE, CODES, METHOD, codes_of
from collegium_deid.verify.judge import SUBJECT, Finding, Judge, finding, is_keyed
from collegium_deid.verify.scan import Value, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collegium_deid.rules.recipe import Recipe

_META_GROUP: Final = 2
_META: Final = frozenset({0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012, 0x00020013})
_IMPLEMENTATION: Final = 0x00020013
_CLASS: Final = 0x00080016
_CONVERSION: Final = 0x00080064
_PHOTOMETRIC: Final = 0x00280004
_ROWS: Final = 0x00280010
_PIXELS: Final = 0x7FE00010
# Projection radiography, ultrasound, secondary capture, angiography, visible light.
_WRITTEN_ON: Final = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.1\.1\.(?:1|3|6|7|12|13|77)(?:\.|$)")
# Segmentations and their kin, radiotherapy without its images, parametric maps.
_NUMBERS: Final = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.1\.1\.(?:66|481(?!\.1$)|30)(?:\.|$)")
_BURNED_IN: Final = 0x00280301
_FACES: Final = 0x00280302
_TEMPORAL: Final = 0x00280303
# The clinical trial modules: the engine leaves them empty, the server knows what belongs there.
_TRIAL: Final = frozenset({0x00120010, 0x00120020, 0x00120021, 0x00120030, 0x00120031})
_OWN: Final = _TRIAL | {METHOD, CODES, 0x00120062, _TEMPORAL}
_SCHEME: Final = 0x00080102
_MEANING: Final = 0x00080104

Reach = Literal["head", "pixels", "end"]


def verify_conformance(
    recipe: Recipe, output_head: bytes, *, pixels_done: bool = True, reach: Reach = "head"
) -> tuple[Finding, ...]:
    """Everything in which a header is not what the recipe writes; empty when it conforms.

    Checks: readable to its end, zero preamble, group 2 without extras, nothing behind the pixels; only
    allowed tags at each place; fields that must be empty are, dummies are dummies; every UID is
    registered or keyed; one subject code in all places; method, codes and flags as the recipe and its
    pixel step write them; private elements only in blocks of known creators; no pattern of dates,
    addresses or long numbers in text, no word that cleaned text may not keep.

    Args:
        recipe: the one the output says it was made by.
        output_head: up to the pixel data, or all of it.
        pixels_done: False for a header that the pixel step has not seen yet.
        reach: how far `output_head` goes for sure. `head`: not to the pixel data. `pixels`: to the first
            pixel byte, or to the end of the object; without pixel data in it there is none, so nobody can
            have cleaned any, and the codes must not say so. `end`: to the end, so that nothing may be cut.
    """
    try:
        values, has_pixels, is_cut = read(output_head)
    except Rejected as error:
        return (Finding(0, error.code, error.message),)
    if is_cut and reach == "end":
        return (Finding(_PIXELS, "deid.conformance.truncated", "is cut: the file ends within it."),)
    top = {
        value.path[0]: value.raw.strip(b"\0 ").decode("latin-1") for value in values if len(value.path) == 1
    }
    body = [value for value in values if _is_body(value)]
    judge = _judge(recipe, top.get(_CLASS, ""))
    subject = top.get(SUBJECT[0], "").encode("latin-1")
    return (
        *_file(output_head, values, top),
        *_declared(recipe, values, top),
        *(_pixels(recipe, values, top, has_pixels=has_pixels or reach == "head") if pixels_done else ()),
        *judge.findings(body, subject),
    )


@functools.lru_cache(maxsize=64)
def _judge(recipe: Recipe, sop_class_uid: str) -> Judge:
    return Judge(recipe, sop_class_uid)


def _is_body(value: Value) -> bool:
    """Not file meta information, and not what is checked by itself."""
    path = value.path
    return path[0] >> 16 != _META_GROUP and path[0] != CODES and not (len(path) == 1 and path[0] in _OWN)


def _file(head: bytes, values: list[Value], top: dict[int, str]) -> Iterator[Finding]:
    if head[:128].strip(b"\0"):
        yield Finding(0, "deid.conformance.preamble", "The preamble is not empty.")
    for value in values:
        tag = value.path[0]
        if tag >> 16 != _META_GROUP:
            break
        if tag not in _META or (tag == _IMPLEMENTATION and not value.raw.startswith(b"COLLEGIUM")):
            yield Finding(tag, "deid.conformance.meta", "is not allowed in the file meta information.")
        elif value.vr == "UI" and not _is_ours(value.raw.strip(b"\0 ").decode("latin-1"), top):
            yield finding(tag, "uid")
    if top.get(0x00020003) != top.get(0x00080018) or top.get(0x00020002) != top.get(_CLASS):
        yield Finding(0x00020003, "deid.conformance.meta", "does not agree with the data set.")


def _is_ours(uid: str, top: dict[int, str]) -> bool:
    """Registered, or a transfer syntax newer than our copy of the registry, or keyed, or the instance's
    own, which is judged in the data set, where the recipe may keep it.
    """
    registered = uid in WELL_KNOWN_UIDS or uid.startswith("1.2.840.10008.1.2.")
    return registered or is_keyed(uid) or uid == top.get(0x00080018)


def _declared(recipe: Recipe, values: list[Value], top: dict[int, str]) -> Iterator[Finding]:
    if len({top.get(tag, "") for tag in SUBJECT}) != 1 or not top.get(SUBJECT[0]):
        yield Finding(SUBJECT[0], "deid.conformance.subject", "is not one subject code in all places.")
    kept_dates = "UNMODIFIED" if recipe.full_dates else "REMOVED"
    expected = {
        0x00120062: "YES",
        METHOD: recipe.method,
        _TEMPORAL: "MODIFIED" if recipe.shift_days else kept_dates,
    }
    if recipe.refuses_faces:
        expected[_FACES] = "NO"
    for tag, text in expected.items():
        if top.get(tag) != text:
            yield Finding(tag, "deid.conformance.method", "does not say what this recipe did.")
    for tag in _TRIAL:
        if top.get(tag, "") not in {"", "REMOVED"}:
            yield Finding(tag, "deid.conformance.not_empty", "must be empty.")
    if not _codes_are_right(recipe, values):
        yield Finding(
            CODES, "deid.conformance.method", "does not name the profile and options of this recipe."
        )
    if top.get(_CLASS) not in recipe.objects:
        yield Finding(_CLASS, "deid.conformance.object", "is not an object this recipe takes.")


def _codes_are_right(recipe: Recipe, values: list[Value]) -> bool:
    """The method codes are the recipe's, with nothing else in their items."""
    options = [*recipe.method_codes, *([recipe.pixel_code] if recipe.pixel_code else [])]
    allowed = {
        CODE_VALUE: {option.code for option in options},
        _SCHEME: {"DCM"},
        _MEANING: {option.meaning for option in options},
    }
    for value in values:
        if value.path[0] == CODES and len(value.path) > 1:
            text = value.raw.decode("latin-1").strip("\0 ")
            if len(value.path) > 2 or text not in allowed.get(value.path[1], ()):
                return False
    return codes_of(values) - {recipe.pixel_code.code if recipe.pixel_code else ""} == {
        option.code for option in recipe.method_codes
    }


def _pixels(
    recipe: Recipe, values: list[Value], top: dict[int, str], *, has_pixels: bool
) -> Iterator[Finding]:
    """Whether somebody looked at the pixels of an object that may show writing, and says so."""
    looked = recipe.pixel_code is not None and recipe.pixel_code.code in codes_of(values)
    if not has_pixels:
        if looked:
            yield Finding(CODES, "deid.conformance.pixels", "says that pixels were cleaned, but has none.")
        return
    burned_in = top.get(_BURNED_IN, "")
    if (looked and burned_in != "NO") or burned_in not in {"", "NO"}:
        yield Finding(
            _BURNED_IN, "deid.conformance.pixels", "does not say that the pixels are free of identity."
        )
    if not looked and (_may_show_writing(top) or (_looks_at_all(recipe) and _is_picture(top))):
        yield Finding(CODES, "deid.conformance.pixels", "does not say that pixels of this kind were cleaned.")


def _looks_at_all(recipe: Recipe) -> bool:
    return recipe.pixels is not None and recipe.pixels.look == "all"


def _is_picture(top: dict[int, str]) -> bool:
    """Pixels that are no numbers: not a segmentation, dose or map."""
    return _ROWS in top and _NUMBERS.match(top.get(_CLASS, "")) is None


def _may_show_writing(top: dict[int, str]) -> bool:
    """A picture that people and devices write on, in colour as screens are, or captured from one."""
    in_colour = not top.get(_PHOTOMETRIC, "MONOCHROME").startswith("MONOCHROME")
    written_on = _WRITTEN_ON.match(top.get(_CLASS, "")) is not None
    return _ROWS in top and (in_colour or written_on or _CONVERSION in top)
