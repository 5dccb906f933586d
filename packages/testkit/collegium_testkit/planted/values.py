"""One planted value for a row of the table: what stands there, and what is expected of it."""

import struct
from datetime import datetime, time, timedelta
from typing import Final

from collegium_testkit.planted.table import Row
from collegium_testkit.planted.words import Value, Where, identifying, medical, mixed

LONGEST: Final = {"SH": 16, "LO": 64, "ST": 400, "LT": 400, "UT": 400, "UC": 400, "PN": 64, "AE": 16}
TEXT: Final = frozenset({"LO", "SH", "ST", "LT", "UT", "UC"})
TIMES: Final = frozenset({"DA", "DT", "TM"})
# Values that stay because an option says so; none of them names anybody.
_KEPT: Final = {
    "PatientSexNeutered": "UNALTERED",
    "SmokingStatus": "UNKNOWN",
    "EthnicGroup": "EUROPEAN",
    "EthnicGroups": "EUROPEAN",
    "SexParametersforClinicalUseCategoryReference": "http://snomed.info/sct/704318007",
}


def value_for(where: Where, row: Row, actions: frozenset[str]) -> Value:
    """A value of this VR that makes the action worth doing."""
    vr = row.vr
    if row.tag == 0x00080201:
        return Value(b"+0100")
    if vr in TEXT:
        return _text(where, row, actions)
    if vr in TIMES:
        return _time(where, vr)
    if vr == "UI":
        uid = f"{where.uid_root}.{where.rng.randrange(10**9)}"
        return Value(uid.encode(), secrets=(uid,))
    if "K" in actions:
        return Value(_kept(where, row))
    return _identity(where, vr)


def _text(where: Where, row: Row, actions: frozenset[str]) -> Value:
    vr, keyword = row.vr, row.keyword
    rng, person = where.rng, where.person
    if "K" in actions:
        return Value(_KEPT.get(keyword, "UNKNOWN").encode())
    if "C" in actions:
        make = medical if rng.random() < 0.25 else mixed
        return make(where, longest=LONGEST[vr])
    secret = person.family[: LONGEST[vr]] if vr == "SH" else identifying(where)
    return Value(person.text(secret), secrets=(secret,))


def _time(where: Where, vr: str) -> Value:
    rng = where.rng
    # Days of one exam lie close together, so that every interval within it can be checked.
    day = where.day - timedelta(days=rng.choice((0, 0, 0, 1, 3, 14)))
    moment = datetime.combine(day, time(rng.randrange(24), rng.randrange(60), rng.randrange(60)))
    fraction = rng.choice(("", ".5", ".123456", ".000000"))
    if vr == "DA":
        return Value(f"{day:%Y%m%d}".encode(), secrets=(f"{day:%Y%m%d}",))
    if vr == "TM":
        return Value(f"{moment:%H%M%S}{fraction}".encode())
    zone = rng.choice(("", "", "+0100", "-0530", "+1300"))
    return Value(f"{moment:%Y%m%d%H%M%S}{fraction}{zone}".encode(), secrets=(f"{day:%Y%m%d}",))


def _kept(where: Where, row: Row) -> bytes:
    vr, keyword, person = row.vr, row.keyword, where.person
    if keyword in _KEPT:
        return _KEPT[keyword].encode()
    texts = {
        "AS": f"{person.number % 60 + 20:03d}Y",
        "DS": f"{where.rng.randrange(400, 990) / 10:.1f}",
        "IS": str(where.rng.randrange(1, 900)),
        "CS": person.sex,
    }
    return texts[vr].encode() if vr in texts else struct.pack("<H", where.rng.randrange(1, 5))


def _identity(where: Where, vr: str) -> Value:
    """Identity in a value that may not be text at all."""
    person, rng = where.person, where.rng
    if vr == "PN":
        name = rng.choice((person.name, person.doctor))
        return Value(person.person_name(name), secrets=tuple(name.replace("=", "^").split("^")[:2]))
    digits = "".join(filter(str.isdigit, person.local_id))[:9]
    latin = next((part for part in person.parts if part.isascii()), "Quillhavener")
    texts = {
        "CS": "".join(filter(str.isalpha, latin)).upper()[:16],
        "AE": "QUILLHAVENCT" + str(person.number % 9),
        "UR": f"https://{person.email.split('@')[1]}/{person.local_id}",
        "AS": f"{person.number % 60 + 20:03d}Y",
        "DS": digits or "7",
        "IS": digits or "7",
    }
    if vr in texts:
        secret = texts[vr] if vr in {"CS", "AE", "UR"} else ""
        return Value(texts[vr].encode(), secrets=(secret,) if secret else ())
    if vr == "US":
        return Value(struct.pack("<H", rng.randrange(1, 60_000)))
    return Value(b"\1" + person.text(person.family) + b"\0", secrets=(person.family,))
