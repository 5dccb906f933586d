"""What is written in pictures: invented persons of many cultures, and what a radiologist needs.

Nobody here exists; phone numbers are in ranges reserved for fiction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np

_FAMILY: Final = (
    "Mueller", "Kowalczyk", "Nguyen", "Okonkwo", "Garcia Lopez", "Yamamoto", "Petrov", "O'Brien", "Haddad",
    "Van den Berg", "Silva", "Papadopoulos", "Kim", "Andersson", "Rossi", "Chaudhary", "Al-Masri", "Dubois",
    "Horvath", "Baker", "Stone", "Mbeki", "Ivanova", "Jimenez", "Lindqvist", "Tanaka", "Fitzgerald", "Novak",
    "Abdullah", "Schwarzkopf", "De la Cruz", "Wong", "Oyelaran", "Mac Donald", "Ozturk", "Bergstrom", "Li",
    "Ramanathan", "Kjaer", "Delacroix",
)  # fmt: skip
_GIVEN: Final = (
    "Anna", "Jan", "Thi Mai", "Chidi", "Maria", "Haruto", "Olga", "Sean", "Layla", "Pieter", "Joao", "Eleni",
    "Min Jun", "Karin", "Giulia", "Arjun", "Fatima", "Claire", "Zoltan", "Rose", "Wilhelm", "Thandi", "Irina",
    "Luis", "Nils", "Yuki", "Grace", "Petra", "Omar", "Hans-Peter", "Ines", "Mei", "Tunde", "Fiona", "Emre",
)  # fmt: skip
_HOSPITALS: Final = (
    "St. Elisabeth Hospital", "Larkspur General", "Klinikum Westend", "CHU de Valmont", "Royal Infirmary",
    "Ospedale San Rocco", "Mercy Medical Ctr", "Univ. Hosp. Nordby", "Praxis Dr. Ahrens", "Riverside Imaging",
    "Clinica Santa Lucia", "Hopital Saint-Luc", "Northgate Clinic", "Szpital Miejski",
)  # fmt: skip
_WARDS: Final = ("Ward 7B", "Station 12", "ER Bay 4", "Room 2.114")
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

_DIAGNOSTIC: Final[dict[str, tuple[str, ...]]] = {
    "us": (
        "Abdomen", "C5-2", "L12-3", "MI 0.8", "TIs 0.4", "TIb 1.2", "2D 54%", "Dyn R 60", "Gain 48 dB", "FR 32Hz",
        "12.0 cm", "Dist 2.34 cm", "Vol 12.5 ml", "PSV 88.1 cm/s", "EDV 24.0 cm/s", "RI 0.72", "HR 72 bpm",
        "Liver SAG", "Gallbladder TRANS", "RT KIDNEY LONG", "LT OVARY", "Thyroid isthmus", "CBD 4 mm",
        "Baker cyst", "Murphy sign neg", "PRF 4000 Hz", "WF 120 Hz", "SV 2.0 mm", "Angle 60", "Carotid bulb",
        "FHR 142 bpm", "BPD 45 mm", "FL 31 mm", "Harmonic", "THI", "Small Parts", "Morison pouch", "Spleen",
    ),
    "cr": (
        "R", "L", "RT", "LT", "AP PORTABLE", "PA ERECT", "LATERAL", "SUPINE", "Upright", "Inspiration",
        "Colles fracture", "Weight bearing", "Oblique", "120 kV", "3.2 mAs", "SID 180 cm", "DAP 1.24 dGy*cm2",
        "S 220 L 2.1", "EI 412", "CHEST PA", "KNEE AP", "HAND LEFT", "Pelvis", "45 mm", "Semi-erect", "Frog leg",
    ),
    "ct": (
        "R", "L", "A", "P", "120 kV", "210 mA", "SL 5.0 mm", "FOV 350 mm", "W 400 L 40", "Kernel B30f", "HU 42.5",
        "SE 3 IM 42", "Axial", "Tilt 0.0", "Arterial phase", "Delay 35 s", "Contrast", "Liver", "512 x 512",
        "Mean 62.1 SD 11.4", "Area 1.84 cm2", "24.6 mm", "Portal venous", "Thorax", "Baseline", "Hill-Sachs",
    ),
    "mr": (
        "R", "L", "H", "F", "TE 90", "TR 4500", "TI 2500 ms", "T1 TSE", "T2 FLAIR", "FOV 230", "SP H12.3", "FA 150",
        "b 1000", "ADC", "SL 4.0", "Sagittal", "Circle of Willis", "Brain", "NEX 2", "TOF MIP", "ETL 15", "STIR",
    ),
    "xa": (
        "LAO 32", "RAO 30", "CRAN 18", "CAUD 25", "15 fps", "80 kV", "650 mA", "FD 20 cm", "SID 105 cm", "LCA", "RCA",
        "LAD", "Stenosis 70%", "Run 4", "Frame 12", "DSA", "Left Coronary", "Guide 6F", "5 ml/s", "Road map",
    ),
    "mg": (
        "R CC", "L CC", "RMLO", "LMLO", "28 kV", "63 mAs", "Mo/Rh", "8.2 daN", "54 mm", "AGD 1.4 mGy", "SPOT",
        "MAG 1.8",
    ),
    "dose": (
        "Dose Report", "Series", "Type", "Scan Range (mm)", "CTDIvol (mGy)", "DLP (mGy-cm)", "Phantom cm", "Scout",
        "Helical", "I20.0-I420.0", "12.40", "512.33", "Body 32", "Head 16", "Total Exam DLP: 611.92", "Total mAs 2450",
        "Axial", "120 kV", "Scan KV mAs / ref.", "CTDIw", "Topogram", "ThorAbd", "Transaction", "0.5 s", "Abdomen",
    ),
    "sc": (
        "LVEF 58 %", "Stroke volume 72 ml", "Agatston score 112", "RCA", "LAD", "LCX", "Volume 84.2 mm3", "Perfusion",
        "CBF ml/100g/min", "T score -1.8", "L1-L4", "BMD 0.912 g/cm2", "Femoral neck", "SUVmax 8.4", "Lesion 1",
        "Mean 1.42", "Ejection fraction", "Kinetic curve", "Region", "Area cm2", "Crohn activity", "Gleason 3+4",
        "PI-RADS 4", "Achilles tendon", "Normal", "Time s", "Rest", "Stress",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Identity:
    """Who the picture is of and where it was taken; all of it stands in the header except `strangers`."""

    family: str
    given: str
    patient_id: str
    accession: str
    birth_date: str
    study_date: str
    study_time: str
    sex: str
    age: str
    hospital: str
    physician: tuple[str, str]
    strangers: tuple[tuple[str, str], ...]
    """Technicians and others who are written in the picture and nowhere in the header."""
    ward: str
    phone: str


def identity(random: np.random.Generator) -> Identity:
    """An invented patient of an invented hospital."""
    year, now = int(random.integers(1931, 2020)), int(random.integers(2019, 2027))
    people = [(_one(random, _FAMILY), _one(random, _GIVEN)) for _ in range(4)]
    digits = int(random.integers(100_000, 99_999_999))
    return Identity(
        *people[0],
        patient_id=_one(
            random, (f"{digits}", f"P{digits}", f"{digits:08d}", f"MRN-{digits}", f"{digits}-{year % 10}")
        ),
        accession=_one(random, (f"A{digits + 7}", f"{now}{digits % 100000:05d}", f"ACC{digits % 9999999}")),
        birth_date=_date(random, year),
        study_date=_date(random, now),
        study_time=f"{random.integers(7, 19):02d}{random.integers(60):02d}{random.integers(60):02d}",
        sex=_one(random, ("F", "M")),
        age=f"{min(now - year, 89):03d}Y",
        hospital=_one(random, _HOSPITALS),
        physician=people[1],
        strangers=(people[2], people[3]),
        ward=_one(random, _WARDS),
        phone=f"555-01{random.integers(10, 99)}",
    )


def identifying(random: np.random.Generator, who: Identity) -> list[str]:
    """Lines that tell who it is, in a spelling of this picture; the patient's name is always the first."""
    technician, other = who.strangers
    initial = f"{technician[1][0]}. {technician[0]}"
    lines = [
        _one(
            random,
            (
                f"ID: {who.patient_id}",
                who.patient_id,
                f"Patient ID {who.patient_id}",
                f"MRN {who.patient_id}",
            ),
        ),
        _one(random, ("DOB {}", "{}", "Born {}", "Geb. {}", "DOB: {}")).format(
            spelled_date(random, who.birth_date)
        ),
        _one(random, ("Acc# {}", "{}", "ACC: {}", "Accession {}")).format(who.accession),
        who.hospital if random.random() < 0.7 else who.hospital.upper(),
        _one(random, ("{} {}", "{}  {}", "Date {} {}")).format(
            spelled_date(random, who.study_date), _clock(who.study_time)
        ),
        _one(random, ("Tech: {}", "Operator {}", "{}", "Sonographer: {}", "Op. {}")).format(initial),
        _one(random, ("Dr. {}", "Ref: Dr {}", "Ref.Phys. {}")).format(
            _one(random, (who.physician[0], f"{who.physician[1]} {who.physician[0]}"))
        ),
        _one(random, (f"{who.ward} {other[0]}", f"Tel {who.phone}", f"Nurse {other[1]} {other[0]}")),
        f"{who.sex} {spelled_date(random, who.birth_date)}",
    ]
    return [_name(random, who), *(lines[index] for index in random.permutation(len(lines)))]


def diagnostic(random: np.random.Generator, field: str) -> list[str]:
    """Lines that tell nothing about a person, each at most once."""
    words = _DIAGNOSTIC[field]
    return [words[index] for index in random.permutation(len(words))]


def spelled_date(random: np.random.Generator, date: str) -> str:
    """A DA in one of the ways machines write it."""
    year, month, day = date[:4], date[4:6], date[6:]
    word = _MONTHS[int(month) - 1]
    return _one(
        random,
        (
            f"{day}.{month}.{year}", f"{month}/{day}/{year}", f"{year}-{month}-{day}", f"{day}-{word}-{year}",
            f"{int(day)} {word.title()} {year}", f"{word.title()} {int(day)}, {year}", f"{year}/{month}/{day}",
            f"{day}/{month}/{year[2:]}", f"{word} {day} {year[2:]}", date,
        ),
    )  # fmt: skip


def _name(random: np.random.Generator, who: Identity) -> str:
    family, given = who.family, who.given
    return _one(
        random,
        (
            f"{family.upper()}, {given}", f"{family}^{given}", f"{given} {family}", f"{family.upper()} {given.upper()}",
            f"{family}, {given[0]}.", f"Name: {given} {family}",
            f"{family.upper()}, {given.upper()} {who.sex} {who.age}",
            f"Patient: {family}, {given}",
        ),
    )  # fmt: skip


def _clock(time: str) -> str:
    return f"{time[:2]}:{time[2:4]}:{time[4:]}"


def _date(random: np.random.Generator, year: int) -> str:
    return f"{year}{random.integers(1, 13):02d}{random.integers(1, 29):02d}"


def _one(random: np.random.Generator, choices: tuple[str, ...]) -> str:
    return choices[int(random.integers(len(choices)))]
