"""What people type into descriptions: medicine, with an identity in the middle of it.

The phrases were written without looking at the product's list of words.
"""

import random
from dataclasses import dataclass
from datetime import date
from typing import Final

from collegium_testkit.planted.identities import Person

_PHRASES: Final = (
    "CT thorax abdomen with contrast", "T2 axial fat saturated", "lung nodule right upper lobe",
    "follow-up liver metastasis", "arterial phase", "head without contrast", "knee left sagittal",
    "chest pain", "staging lymphoma", "venous phase 5 mm", "brain tumor", "pelvis coronal", "whole body PET",
    "cervical spine", "shortness of breath", "post operative control", "diffusion weighted imaging",
    "bone scan", "mammography screening", "low dose", "pulmonary embolism", "acute stroke", "renal cyst",
    "prostate cancer", "abdominal ultrasound", "fracture of the left wrist", "contrast enhanced",
)  # fmt: skip
_SHORT: Final = ("thorax", "abdomen", "brain", "liver", "pelvis", "knee", "axial", "lung", "spine", "heart")
_SHORT_TEXT: Final = 16
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Where:
    """The exam something is planted in."""

    person: Person
    day: date
    rng: random.Random
    uid_root: str


@dataclass(frozen=True)
class Value:
    """A value's bytes, the words of it that identify nobody, and the pieces of it that do."""

    value: bytes
    keep: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


def spelled(day: date, rng: random.Random) -> str:
    """A date as people write it."""
    forms = ("%d.%m.%Y", "%Y-%m-%d", "%m/%d/%Y", "%Y%m%d", "%d/%m/%Y")
    if rng.random() < 1 / 6:
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    return day.strftime(rng.choice(forms))


def identifying(where: Where) -> str:
    """One piece of identity as it stands in text."""
    person, day, rng = where.person, where.day, where.rng
    doctor = person.doctor.replace("^", " ").split(" ")
    latin = person.parts if all(part.isascii() for part in person.parts) else (person.family, person.parts[1])
    choices = (
        person.family,
        f"{person.family.upper()}",
        f"{latin[0]}, {latin[1]}",
        f"{latin[1]} {latin[0]}",
        person.local_id,
        person.accession,
        spelled(day, rng),
        spelled(person.born, rng),
        f"Dr. {doctor[0]}",
        person.phone,
        person.email,
        person.place.split(" ", maxsplit=1)[0] + " " + person.place.split(" ")[-2],
    )
    return rng.choice(choices)


def mixed(where: Where, *, longest: int) -> Value:
    """Medicine and identity together, at most `longest` characters."""
    person, rng = where.person, where.rng
    if longest <= _SHORT_TEXT:
        word = rng.choice(_SHORT)
        secret = next((part for part in (person.family, person.local_id) if len(part) <= _SHORT_TEXT - 8), "")
        return Value(person.text(f"{word} {secret}".strip()), (word,), (secret,) if secret else ())
    while True:
        before, after, secret = rng.choice(_PHRASES), rng.choice(_PHRASES), identifying(where)
        text = rng.choice((f"{before} {secret} {after}", f"{secret}: {before}", f"{before} ({secret})"))
        if len(text) <= longest:
            kept = f"{before} {after}" if text.endswith(after) else before
            return Value(person.text(text), tuple(kept.split()), (secret,))


def medical(where: Where, *, longest: int) -> Value:
    """Medicine alone."""
    text = where.rng.choice(_SHORT if longest <= _SHORT_TEXT else _PHRASES)
    return Value(text.encode(), tuple(text.split()))
