"""Invented people in many scripts, with everything a header may know of them."""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from pydicom.charset import convert_encodings, encode_string
from pydicom.valuerep import PersonName

# Character sets as (0008,0005) names them, with invented names that they can write. Common words,
# particles, two letters, joined and ideographic names are all among them.
_NAMES: Final[tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]] = (
    (
        (),
        (
            "Brambleworth^Leopoldine",
            "Quartermaine^Isolde^Wren^Dr^MBE",
            "Ng^Wu",
            "Head^Jonasius",
            "May^Junella",
            "O'Shaughnessey^Fiadhnait",
            "van der Kloosterboer^Joostema",
            "McAllisterson^Ailsabeth",
            "Smith-Wetherington^Annaliesa",
            "Li^Na",
            "Tschernobrovkin^Igorek",
        ),
    ),
    (
        ("ISO_IR 100",),
        ("Äneasköter^Jörgfried", "Ångströmsson^Åsalinda", "Núñezcabrera^Begoñita", "Lefèvrebois^Zoélie"),
    ),
    (("ISO_IR 101",), ("Dvořáčková^Žofienka", "Wójcikiewicz^Łucjanna")),
    (("ISO_IR 144",), ("Люксембургова^Розалинда", "Щербакович^Юлианна")),
    (("ISO_IR 126",), ("Παπαδημητρόπουλος^Θεόδωρος",)),
    (("ISO_IR 127",), ("قبانيون^لنزاريون",)),
    (("ISO_IR 138",), ("שרונסקילר^דבורהלה",)),
    (("ISO_IR 148",), ("Çağlayangil^İsmetcan",)),
    (("ISO_IR 166",), ("นามสมมุติ^สมชายดี",)),
    (("", "ISO 2022 IR 87"), ("Yamadanoue^Tarounosuke=山田上^太郎介=やまだのうえ^たろうのすけ",)),
    (("ISO 2022 IR 13", "ISO 2022 IR 87"), ("ﾔﾏﾀﾞﾉｳｴ^ﾀﾛｳｽｹ=山田上^太郎介=やまだのうえ^たろうすけ",)),
    (("", "ISO 2022 IR 149"), ("Honggilsan^Gildongsu=洪吉^吉洞=홍길산^길동수",)),
    (("", "ISO 2022 IR 58"), ("Zhangwenhao^Xiaodongli=张文^小东^",)),
    (("GB18030",), ("Wangxiaodong^Meilingzi=王晓东^美玲^",)),
    (("GBK",), ("Liuyangming^Guohuali=刘洋^国华^",)),
    (
        ("ISO_IR 192",),
        (
            "Ørnebåkken^Åsamunde=山田上^花子",
            "Παπαρηγοπούλου^Ελένηδα",
            "Đorđevićević^Ćiroslav",
            "นามสมมุติ^สมหญิงดี",
        ),
    ),
)
_DOCTORS: Final = ("Pellinghast^Adaline", "Tjarnqvist^Ovesson", "Quillfeather^Benedikta", "Zorbinskaya^Marfa")
_PLACES: Final = ("Quillhaven Clinic", "St. Wenceslaria Hospital", "Larkspurgh Imaging Centre")
_ID_FORMS: Final = (
    "{n:07d}",
    "MRN-{a:02d}-{n:06d}",
    "{n:010d}",
    "P{n:06d}",
    "{a:03d}-{b:02d}-{n:04d}",
    "{n:06d}-{b:04d}X",
)


@dataclass(frozen=True)
class Person:
    """One patient with their exams."""

    number: int
    name: str
    """As PN, all groups."""
    character_set: tuple[str, ...]
    local_id: str
    other_id: str
    accession: str
    doctor: str
    place: str
    phone: str
    email: str
    street: str
    born: date
    visits: tuple[date, ...]
    sex: str
    codecs: tuple[str, ...] = field(repr=False)

    @property
    def parts(self) -> tuple[str, ...]:
        """Family and given name of every group, apart."""
        found = [part for group in self.name.split("=") for part in group.split("^")[:2]]
        return tuple(part for part in found if part)

    @property
    def family(self) -> str:
        """The family name in the script of the last group, as people type it into text."""
        return next(group for group in reversed(self.name.split("=")) if group.strip("^")).split("^")[0]

    def text(self, text: str) -> bytes:
        """Text in the character set of this person's objects."""
        return encode_string(text, list(self.codecs)) if not text.isascii() else text.encode()

    def person_name(self, name: str) -> bytes:
        """A PN value in the character set of this person's objects."""
        return name.encode() if name.isascii() else bytes(PersonName(name).encode(self.codecs))


def people(seed: int, count: int) -> list[Person]:
    """`count` people; every character set comes round before it comes again."""
    rng = random.Random(f"people {seed}")
    flat = [(sets, name) for sets, names in _NAMES for name in names]
    rng.shuffle(flat)
    return [_person(rng, number, *flat[number % len(flat)]) for number in range(count)]


def _person(rng: random.Random, number: int, character_set: tuple[str, ...], name: str) -> Person:
    a, b, n = rng.randrange(10, 99), rng.randrange(10, 9999), rng.randrange(100_000, 999_999)
    form = _ID_FORMS[number % len(_ID_FORMS)] if number % 17 else "{short}"
    first = date(2012, 1, 1) + timedelta(days=rng.randrange(4000))
    gaps = sorted(rng.sample(range(20, 300), 2))
    return Person(
        number=number,
        name=name,
        character_set=character_set,
        local_id=form.format(a=a, b=b % 100, n=n, short=number % 9 + 1),
        other_id=f"OLD-{n + 7}{a}",
        accession=f"ACC{n * 3 + number}",
        doctor=_DOCTORS[number % len(_DOCTORS)],
        place=_PLACES[number % len(_PLACES)],
        phone=f"+49 30 {rng.randrange(1_000_000, 9_999_999)}",
        email=f"box{n}@quillmail{number}.example.org",
        street=f"{a} Larkspurgate Lane",
        born=date(1921, 3, 1) + timedelta(days=rng.randrange(25_000)),
        visits=(first, *(first + timedelta(days=gap) for gap in gaps)),
        sex="FMO"[number % 3],
        codecs=tuple(convert_encodings(list(character_set) or [""])),
    )
