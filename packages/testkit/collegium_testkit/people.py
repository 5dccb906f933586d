"""Invented persons: patients to plant and look for.

Nobody here exists. Family names are made up so that a search for one in any output can only
find a leak; addresses are under example.org, phone numbers in ranges reserved for fiction.
"""

import random
from dataclasses import dataclass
from typing import Final

MARK: Final = "INVENTED PERSON"
"""Stands in the comments of every phantom, so that no one mistakes it for a patient."""

_FAMILY: Final = (
    "Quillfeather", "Brambleworth", "Öståkersson", "Vandermossel", "Tjärnqvistel", "Hazelgrimm",
    "Ørnebakken", "Pellinghast", "Zwetschgenau", "Müllerstrøm", "Corvinelli", "Dubreuchet",
)  # fmt: skip
_GIVEN: Final = (
    "Wilhelmine", "Balthasar", "Åsmund", "Peregrina", "Leopoldine", "Ludovico", "Ingeborga", "Thaddeus",
    "Célestine", "Bartholomew", "Ottoline", "Gräfin",
)  # fmt: skip
_STREETS: Final = ("Larkspur Lane", "Copperbeech Row", "Thistledown Street", "Ferrywater Quay")


@dataclass(frozen=True)
class Person:
    """An invented patient, with everything that a scanner's header tends to say about one."""

    family: str
    given: str
    patient_id: str
    accession_number: str
    birth_date: str
    sex: str
    phone: str
    address: str
    referring_physician: str
    operator: str
    other_patient_id: str

    @property
    def dicom_name(self) -> str:
        return f"{self.family}^{self.given}"

    @property
    def identifiers(self) -> tuple[str, ...]:
        """Every string that must not leave the hospital, as it is written in the header."""
        physician_family, _, _ = self.referring_physician.partition("^")
        operator_family, _, _ = self.operator.partition("^")
        return (
            self.family, self.given, self.patient_id, self.accession_number, self.birth_date, self.phone,
            self.address, physician_family, operator_family, self.other_patient_id,
        )  # fmt: skip


def patient(seed: int) -> Person:
    """The invented patient of this number: the same number gives the same person."""
    draw = random.Random(f"patient/{seed}")
    family, physician, operator = draw.sample(_FAMILY, 3)
    given, physician_given, operator_given = draw.sample(_GIVEN, 3)
    return Person(
        family=family,
        given=given,
        patient_id=f"INV-{draw.randrange(10**7, 10**8)}",
        accession_number=f"ACC{draw.randrange(10**8, 10**9)}",
        birth_date=f"{draw.randrange(1938, 2001)}{draw.randrange(1, 13):02d}{draw.randrange(1, 29):02d}",
        sex=draw.choice(("F", "M")),
        phone=f"+44 1632 960{draw.randrange(100, 1000)}",
        address=f"{draw.randrange(2, 98)} {draw.choice(_STREETS)}",
        referring_physician=f"{physician}^{physician_given}^^Dr",
        operator=f"{operator}^{operator_given}",
        other_patient_id=f"OLD{draw.randrange(10**6, 10**7)}",
    )
