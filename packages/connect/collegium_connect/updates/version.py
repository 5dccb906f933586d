"""A version of the gateway: numbers with dots, compared as numbers."""

import re
from dataclasses import dataclass
from importlib import metadata
from typing import Final, Self

_FORM: Final = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})", re.ASCII)


@dataclass(frozen=True, order=True)
class Version:
    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: object) -> Self:
        """A version from its text.

        Raises:
            ValueError: it is none.
        """
        found = _FORM.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise ValueError("This is no version.")
        return cls(*(int(number) for number in found.groups()))

    @classmethod
    def here(cls) -> Self:
        """The version of the program that runs now."""
        return cls.parse(metadata.version("collegium-connect"))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"
