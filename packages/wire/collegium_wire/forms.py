"""The written form of the few kinds of text that messages carry: UID, digest, UUID, size, code, times."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from collegium_wire.errors import WireError

if TYPE_CHECKING:
    from collections.abc import Collection

_HEX_256: Final = re.compile(r"[0-9a-f]{64}")
# PS3.5 section 9.1: at most 64 characters, components of digits, no leading zeros.
# Real scanners do send leading zeros; those are the archive's matter, not a reason to lose an exam.
_UID: Final = re.compile(r"[0-9]+(\.[0-9]+)*")
_CODE: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
_WINDOW: Final = re.compile(r"((?:[01][0-9]|2[0-3]):[0-5][0-9])-((?:[01][0-9]|2[0-3]):[0-5][0-9])")
_VERSION: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){2}")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def require_sha256(value: str, what: str) -> None:
    _require(_HEX_256.fullmatch(value) is not None, f"{what} must be 64 lower-case hex digits.")


require_token = require_sha256


def require_uid(value: str, what: str) -> None:
    _require(len(value) <= 64 and _UID.fullmatch(value) is not None, f"{what} must be a DICOM UID.")


def require_uuid(value: str, what: str) -> None:
    _require(_UUID.fullmatch(value) is not None, f"{what} must be a UUID in lower case.")


def require_count(value: float, what: str) -> None:
    _require(value >= 0, f"{what} must not be negative.")


def require_text(value: str, what: str) -> None:
    _require(bool(value.strip()), f"{what} must not be empty.")


def require_words(value: str, what: str, at_most: int) -> None:
    """Something to read: not empty, and not longer than a line or two."""
    require_text(value, what)
    _require(len(value) <= at_most, f"{what} must be at most {at_most} characters.")


def require_code(value: str, what: str) -> None:
    """A stable name such as `connect.line.down`: no room for anything that a person typed."""
    _require(len(value) <= 100 and _CODE.fullmatch(value) is not None, f"{what} must be a dotted name.")


def require_window(value: str, what: str) -> None:
    """Two different times of the day, such as `19:00-06:00`; the second may be past midnight."""
    times = _WINDOW.fullmatch(value)
    _require(times is not None and times[1] != times[2], f"{what} must be two times, such as 19:00-06:00.")


def require_version(value: str, what: str) -> None:
    """A gateway's version, such as `1.2.3`."""
    _require(_VERSION.fullmatch(value) is not None, f"{what} must be a version such as 1.2.3.")


def require_one_of(value: str, known: Collection[str], what: str) -> None:
    _require(value in known, f"{what} must be one of: {', '.join(sorted(known))}.")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise WireError("wire.field.value", message)
