"""Where objects are kept: cleaned ones, those sealed whole, and how full both are together."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from collegium_connect.settings import LimitSettings
from collegium_connect.spool.files import Spool
from collegium_connect.spool.usage import Usage


@dataclass(frozen=True)
class Stores:
    spool: Spool
    quarantine: Spool
    usage: Usage

    @classmethod
    def below(cls, folder: Path, limits: LimitSettings) -> Self:
        """The stores of one data folder."""
        usage = Usage(folder, limits.spool_bytes, limits.keep_free_bytes)
        return cls(Spool(folder / "spool"), Spool(folder / "quarantine"), usage)
