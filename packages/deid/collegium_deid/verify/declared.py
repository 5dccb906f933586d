"""What an output says it kept: the options among its method codes, and the attributes they are about."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from collegium_deid.table import annex_e

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collegium_deid.verify.scan import Value

METHOD: Final = 0x00120063
CODES: Final = 0x00120064
CODE_VALUE: Final = 0x00080100
_CODE_PATH: Final = (CODES, CODE_VALUE)
FULL_DATES: Final = "113106"
KEPT_UIDS: Final = "113110"
# Options that keep what would otherwise point at somebody, by the column of the table that says where.
_COLUMNS: Final = {"113109": "device", "113112": "institution"}


def codes_of(values: Iterable[Value]) -> frozenset[str]:
    """The codes of the method code sequence (0012,0064)."""
    found = [raw for path, _, raw, _, _, _ in values if path == _CODE_PATH]
    return frozenset(raw.decode("latin-1").strip("\0 ") for raw in found)


@functools.lru_cache(maxsize=64)
def kept_places(codes: frozenset[str]) -> frozenset[int]:
    """Attributes that may name a machine or an institution under the options with these codes."""
    columns = {column for code, column in _COLUMNS.items() if code in codes}
    return frozenset(
        tag
        for tag, row in annex_e().items()
        if any(row.options.get(column) in {"K", "C"} for column in columns)
    )
