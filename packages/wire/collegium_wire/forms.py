"""The written form of the few kinds of text that messages carry: UID, digest, UUID, size."""

from __future__ import annotations

import re
from typing import Final

from collegium_wire.errors import WireError

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
# PS3.5 section 9.1: at most 64 characters, components of digits, no leading zeros.
# Real scanners do send leading zeros; those are the archive's matter, not a reason to lose an exam.
_UID: Final = re.compile(r"[0-9]+(\.[0-9]+)*")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def require_sha256(value: str, what: str) -> None:
    _require(_SHA256.fullmatch(value) is not None, f"{what} must be 64 lower-case hex digits.")


def require_uid(value: str, what: str) -> None:
    _require(len(value) <= 64 and _UID.fullmatch(value) is not None, f"{what} must be a DICOM UID.")


def require_uuid(value: str, what: str) -> None:
    _require(_UUID.fullmatch(value) is not None, f"{what} must be a UUID in lower case.")


def require_count(value: float, what: str) -> None:
    _require(value >= 0, f"{what} must not be negative.")


def require_text(value: str, what: str) -> None:
    _require(bool(value.strip()), f"{what} must not be empty.")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise WireError("wire.field.value", message)
