"""What becomes of one value: the decisions of the engine that look inside.

Everything here is a pure function of the value and the `Case` (rules, key, subject, what is known of
the person, date offset, character set), so a decision is made once and remembered by the bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from collegium_deid.dictionary import (
    BULK,
    LONG_TEXT,
    NUMBERS,
    SHORT_TEXT,
    STRINGS,
    VRS,
    is_well_known,
    show,
)
from collegium_deid.engine import ages, charset, dates, documents, values
from collegium_deid.engine.terms import devices, has_short_name, says_nobody
from collegium_deid.engine.text import clean, fold, looks_identifying
from collegium_deid.errors import Rejected
from collegium_deid.table import medical_words, shared_meanings, terms
from collegium_deid.vocabulary import name_list

if TYPE_CHECKING:
    from collegium_deid.engine.person import Known
    from collegium_deid.keys import SiteKey
    from collegium_deid.rules.profile import Rule
    from collegium_deid.rules.recipe import Recipe

# Code systems everyone shares: a meaning from them is a term, not a description somebody typed.
_PUBLIC_SCHEMES: Final = frozenset(
    {"DCM", "SCT", "SRT", "SNM3", "UCUM", "LN", "RADLEX", "FMA", "UMLS", "MDC", "NCIT", "I10", "ICD10", "BI"}
)
# Coded strings that the standard itself enumerates: a person called Head may have a scan of the head.
_ENUMERATED: Final = frozenset(
    {0x00080005, 0x00080008, 0x00080060, 0x00180015, 0x00185100, 0x00200060, 0x00280004}
)
_BODY_PART: Final = 0x00180015
_TERMS: Final = frozenset(
    {"axial", "ct", "derived", "headneck", "localizer", "mr", "original", "primary", "secondary"}
)
_CHARACTER_SET: Final = 0x00080005
_PLAIN: Final = re.compile(rb"[A-Za-z]{8,}+|(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9 .,'^_-]{12,}+")
_SEARCHED_BYTES: Final = 4096
# Names amid bytes of samples and tables: two words with their capitals, or tied as PN ties them. A megabyte of
# noise holds such a thing about once in five hundred.
_KIND: Final = {
    **dict.fromkeys(range(97, 123), b"a"),
    **dict.fromkeys(range(65, 91), b"A"),
    **dict.fromkeys(b" ,.-", b" "),
    ord("^"): b"^",
}
_KINDS: Final = b"".join(_KIND.get(byte, b"\0") for byte in range(256))
_WRITING: Final = (b"aaa Aaaa", b"Aaa Aaaa", b"aaa  Aaaa", b"aaa^Aaa", b"Aaa^Aaa")
# Samples that change slowly around 0x5E look like this too, so one of the words has to be a name.
_CAPITALS: Final = b"AAA^AAA"
_TIED: Final = re.compile(rb"([A-Z]{3,40})\^([A-Z]{3,40})")
# It says who made the profile, as everybody's copy of it does.
_COLOUR_PROFILE: Final = 0x00282000
# LT holds no more (PS3.5 table 6.2-1); a search that takes the square of a length must have an end.
_MAX_TEXT: Final = 10_240
_MAX_HARMLESS: Final = 1024
_ENDLESS: Final = re.compile(r"[^\W_]{61,}|([\W_])\1{7,}")
# Addresses of terms and definitions that everyone shares.
_SHARED_ADDRESS: Final = re.compile(
    r"https?://(?:[\w-]+\.)*(?:snomed\.info|loinc\.org|hl7\.org|nema\.org|unitsofmeasure\.org)(?:/[\w/.#-]*)?$"
)
# A number of four digits and more without what does not count, `+0012345.0`; and a day written as one.
_WHOLE: Final = re.compile(r"\+?0*(\d{4,})(?:\.0*)?")
_DAY: Final = re.compile(r"(?:19|20)\d{6}")
_CODE_VALUES: Final = frozenset({0x00080100, 0x00080101, 0x00080119})
_SCHEME: Final = 0x00080102
_MEANING: Final = 0x00080104
# What must stay the same name in several places gets a keyed one where it cannot stay: how it begins, and digits.
_COINED: Final = {**dict.fromkeys(_CODE_VALUES, ("X-", 12)), _SCHEME: ("99X", 6), 0x00700002: ("LAYER_", 6)}
# Six components or more: a version of software has fewer.
_UID_IN_TEXT: Final = re.compile(r"(?<![\w.])[0-2](?:\.(?:0|[1-9][0-9]*)){5,}(?![\w.])")


@dataclass(frozen=True)
class Case:
    """All that a decision may depend on besides the element itself."""

    recipe: Recipe
    key: SiteKey
    subject: bytes
    known: Known
    offset_days: int
    codecs: tuple[str, ...]

    def with_codecs(self, declared: bytes) -> Case:
        """The same case inside an item that names its own character set."""
        return replace(self, codecs=charset.encodings(declared))


def is_public_scheme(designator: bytes) -> bool:
    """True for (0008,0102) values that name a shared code system."""
    return designator.strip(b"\0 ").decode("latin-1") in _PUBLIC_SCHEMES


def new_value(case: Case, tag: int, rule: Rule, vr: str, value: bytes) -> bytes | None:
    """The value to write: `value` itself when it stays, None when the element goes.

    `vr` is the file's; the dictionary's where the file says UN or nothing.

    Raises:
        Rejected: the recipe refuses objects that have this attribute.
    """
    how = rule.how
    if how == "P":
        return case.subject
    if how == "U":
        return new_uids(case, value)
    if how == "Q":
        raise refusal(tag)
    if how not in "XZD":
        result = _judged(case, tag, how, vr, value)
        if result is not None:
            return result
        how = rule.fallback
    return {"X": None, "Z": b"", "D": values.dummy(vr)}[how]


def refusal(tag: int) -> Rejected:
    """The recipe does not take objects with this attribute."""
    return Rejected(
        "deid.refused", f"{show(tag)} is in the object, and the recipe refuses objects that have it."
    )


def _judged(case: Case, tag: int, how: str, vr: str, value: bytes) -> bytes | None:
    """The value after a look inside; None when it cannot stay and the fallback applies."""
    known = VRS.get(tag, vr)
    if how == "K":
        return _kept(case, tag, known, vr, value)
    if how == "I":
        parts = [part.strip(b"\0 ") for part in value.split(b"\\")]
        return value if all(not part or values.is_uid(part) for part in parts) else None
    text = charset.decode(value, case.codecs)
    if not text:
        return None if text is None else b""
    if how in "SMOFA":
        return _age(case, text, value) if how == "A" else _moment(case, how, known, text, value)
    if _is_harmless(case, tag, how, text) and _UID_IN_TEXT.search(text) is None:
        return value
    change = _technical if how == "T" else _cleaned
    return None if known == "UR" else change(case, tag, text, value)


def _is_harmless(case: Case, tag: int, how: str, text: str) -> bool:
    """A text that may stay as it is."""
    if len(text) > _MAX_HARMLESS:
        return False
    if how == "V":
        return not case.known.of_persons.in_text(text)
    if how != "T" or case.known.every.in_text(text):
        return False
    if _SHARED_ADDRESS.match(text) is not None:
        return True
    # Characters nobody sees would part the letters of a name, or be the bytes of a number. And a code of
    # eight digits is no telephone number; one of the person's own is in the tokens.
    if not text.isprintable() or (tag not in _CODE_VALUES and looks_identifying(text)):
        return False
    is_shared = tag == _MEANING and text.strip().casefold() in shared_meanings()
    return is_shared or says_nobody(text, coded=tag in _COINED)


def _technical(case: Case, tag: int, text: str, value: bytes) -> bytes | None:
    """What is left of a text that is not all technical: its words, whose machine it was, or a name of its own."""
    if tag in _COINED:
        return _coined(case, tag, text)
    cleaned = _cleaned(case, tag, text, value)
    named = devices(text)
    if has_short_name(text) and not named:
        return None
    if cleaned is value or not named or case.known.every.in_text(text) or looks_identifying(text):
        return cleaned
    return charset.encode(named, case.codecs)


def _coined(case: Case, tag: int, text: str) -> bytes:
    """A keyed name in place of one that may be somebody's: the same one wherever the old one stood."""
    begin, digits = _COINED[tag]
    number = int(case.key.uid(f"{show(tag)} {text.strip()}").rpartition(".")[2])
    return f"{begin}{number % 10**digits:0{digits}d}".encode()


def _cleaned(case: Case, tag: int, text: str, value: bytes) -> bytes | None:
    """The words that may stay; a part that is a UID gets its new one."""
    long = VRS.get(tag) in LONG_TEXT
    parts = [part.strip() for part in ([text] if long else text.split("\\"))]
    cleaned = [_cleaned_part(case, part) for part in parts]
    if not any(cleaned):
        return None
    if cleaned == parts:
        return value
    return charset.encode("\\".join(cleaned), case.codecs) or None


def _cleaned_part(case: Case, part: str) -> str:
    if _UID_IN_TEXT.fullmatch(part):
        if case.recipe.uids_kept or is_well_known(part.encode()):
            return part
        return case.key.uid(part)
    if len(part) > _MAX_TEXT:
        return ""
    part = _ENDLESS.sub(" ", _UID_IN_TEXT.sub(" ", part))
    if case.recipe.age_cap_years is not None:
        part = ages.without_great_ages(part, case.recipe.age_cap_years)
    return clean(part, case.known.every)


def _moment(case: Case, how: str, vr: str, text: str, value: bytes) -> bytes | None:
    """A date, time or zone: moved (S) or kept (F, M, O) if it is one."""
    parts = [part.strip() for part in text.split("\\")]
    if how == "S":
        shift = dates.shift_date if vr == "DA" else dates.shift_datetime
        moved = [shift(part, case.offset_days) if part else "" for part in parts]
        return None if None in moved else "\\".join(part or "" for part in moved).encode()
    if how == "O":
        is_one = dates.is_zone
    else:
        is_one = {"DA": dates.is_date, "DT": dates.is_datetime}.get(vr if how == "F" else "TM", dates.is_time)
    return value if all(not part or is_one(part) for part in parts) else None


def _age(case: Case, text: str, value: bytes) -> bytes | None:
    if not values.fits("AS", value):
        return None
    cap = case.recipe.age_cap_years
    if cap is None:
        return value
    new = "\\".join(ages.capped(part, cap) if part else "" for part in text.split("\\"))
    return value if new == text else new.encode()


def _kept(case: Case, tag: int, known: str, vr: str, value: bytes) -> bytes | None:
    """A number, code or bulk value, if the value looks like what the dictionary says it is."""
    if known in NUMBERS | BULK and vr in STRINGS:
        return None
    if known in SHORT_TEXT | LONG_TEXT or vr in SHORT_TEXT | LONG_TEXT:
        text = charset.decode(value, case.codecs)
        return None if text is None else _cleaned(case, tag, text, value)
    if known in {"CS", "DS", "IS", "AS"} and tag != _CHARACTER_SET:
        return _shaped(case, tag, known, value)
    if known in BULK and tag != _COLOUR_PROFILE and _holds_writing(value):
        raise Rejected("deid.writing", f"{show(tag)} holds what looks like names where numbers belong.")
    # The character set was read already, or the object would have been refused.
    return value if values.fits(vr, value) and not _says_something(case, value) else None


def _says_something(case: Case, value: bytes) -> bool:
    """True for bytes of a number that are words: an implicit file cannot say that the VR is another one.

    Binary numbers look like eight letters, or a dozen letters and digits, less than once in 100,000 values.
    """
    if not 4 <= len(value) <= _SEARCHED_BYTES:
        return False
    text = charset.decode(value, case.codecs)
    return _PLAIN.fullmatch(value.rstrip(b"\0 ")) is not None or (
        text is not None and case.known.every.in_text(text)
    )


def _holds_writing(value: bytes) -> bool:
    kinds = value.translate(_KINDS)
    if _CAPITALS in kinds:
        words = (word.decode().casefold() for pair in _TIED.findall(value) for word in pair)
        if any(word in name_list() for word in words):
            return True
    return any(mark in kinds for mark in _WRITING)


def _shaped(case: Case, tag: int, known: str, value: bytes) -> bytes | None:
    """A code, a number or an age written in characters."""
    text = value.rstrip(b"\0 ").decode("latin-1")
    if known == "AS":
        return _age(case, text, value)
    if not values.fits(known, value):
        return _cleaned(case, tag, text, value) if known == "CS" else None
    if known == "CS":
        return _coded(case, tag, text, value)
    told = any(_says_who_or_when(case, part.strip()) for part in text.split("\\"))
    return None if told else value


def _says_who_or_when(case: Case, number: str) -> bool:
    """A number that is exactly the patient's is not a measurement, and neither is a day."""
    wholes = case.known.every.wholes
    found = _WHOLE.fullmatch(number)
    if found is None or number in wholes:
        return number in wholes
    return found[1] in wholes or (_DAY.fullmatch(found[1]) is not None and dates.is_date(found[1]))


def capped_years(case: Case, value: bytes, unit: str) -> bytes | None:
    """A Numeric Value that is somebody's age; None when it cannot be read."""
    cap = case.recipe.age_cap_years
    try:
        years = documents.years(float(value.strip(b"\0 ")), unit)
    except ValueError:
        return None
    return value if cap is None or years < cap + 1 else b""


def _coded(case: Case, tag: int, text: str, value: bytes) -> bytes | None:
    """A coded string without the values that say who or when, or that are no terms; its place in a list stays."""
    known = case.known.every.in_text(text)
    if tag == _BODY_PART and not known and text.casefold() not in terms("code"):
        return _cleaned(case, tag, text, value)  # the one code that people type
    kept = []
    if tag in _ENUMERATED or not (known or looks_identifying(text)):
        words = medical_words() | _TERMS
        kept = ["" if _is_told(case, part.strip(), words) else part for part in text.split("\\")]
    if any(kept):
        return value if "\\".join(kept) == text else "\\".join(kept).encode()
    return _coined(case, tag, text) if tag in _COINED else None


def _is_told(case: Case, part: str, words: frozenset[str]) -> bool:
    """True for one code that may say who or when."""
    if looks_identifying(part) or (case.known.every.in_text(part) and fold(part) not in words):
        return True
    is_term = says_nobody(part, coded=True)
    return not is_term and (has_short_name(part) or clean(part, case.known.every) != part)


def new_uid(case: Case, tag: int, value: bytes) -> str:
    """The new one of a UID without which nothing is an object.

    Raises:
        Rejected: there is none, or it must stay and is no UID.
    """
    old = value.strip(b"\0 ")
    if not old:
        raise Rejected("deid.uid_missing", "The object lacks its SOP instance, study or series UID.")
    if case.recipe.uids_kept:
        if values.is_uid(old):
            return old.decode()
        raise Rejected("deid.uid_invalid", f"{show(tag)} is no UID, so it cannot stay as it is.")
    return case.key.uid_bytes(old).decode()


def new_uids(case: Case, value: bytes) -> bytes:
    """Each UID of a value replaced, except those everyone shares."""
    if not value:
        return value
    parts = [part.strip(b"\0 ") for part in value.split(b"\\")]
    new = [part if not part or is_well_known(part) else case.key.uid_bytes(part) for part in parts]
    return value if new == parts else b"\\".join(new)
