"""What inspection says of one object."""

from dataclasses import dataclass

from collegium_connect.journal.facts import Facts
from collegium_connect.journal.objects import Product
from collegium_connect.selection import Named
from collegium_connect.spool import Stored


@dataclass(frozen=True)
class Passed:
    """Clean as it is."""

    facts: Facts | None = None
    """How it was acquired, where its project asks."""


@dataclass(frozen=True)
class Recleaned:
    """Cleaned into a new record."""

    product: Product
    stored: Stored
    facts: Facts | None = None


@dataclass(frozen=True)
class Selects:
    """It is a selection: not sent, but obeyed."""

    subject_code: str
    """Of its patient."""
    named: tuple[Named, ...]


@dataclass(frozen=True)
class Unfit:
    """It must not leave; where `stored` is given, the original sealed whole is there."""

    code: str
    words: str
    stored: Stored | None = None
    product: Product | None = None
    """What its header became, where something still identifies: by it the exam is known that waits."""


@dataclass(frozen=True)
class NotNow:
    """Nothing can be said yet; it stays as it is and is looked at again."""


Finding = Passed | Recleaned | Selects | Unfit | NotNow
