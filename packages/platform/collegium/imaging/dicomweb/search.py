"""QIDO-RS over stored lines: the database matches indexed columns, the JSON is never parsed.

Source: DICOM PS3.18 10.6 (search), PS3.4 C.2.2.2 (matching).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db.models import Q

from collegium.imaging.archive import queries as archive
from collegium.kit.errors import Invalid
from collegium.kit.texts import is_storable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collegium.kit.principals import Actor

MOST = 1_000
_DATE = re.compile(r"(?:([0-9]{8})?-([0-9]{8})?|([0-9]{8}))")
_KEYS = {
    "StudyInstanceUID": "0020000D",
    "PatientID": "00100020",
    "PatientName": "00100010",
    "StudyDate": "00080020",
    "ModalitiesInStudy": "00080061",
    "StudyDescription": "00081030",
}
_NAMES = {tag: keyword for keyword, tag in _KEYS.items()} | {keyword: keyword for keyword in _KEYS}


class SearchInvalid(Invalid):
    code = "dicomweb.search.invalid"
    message = "This search cannot be understood. Dates are YYYYMMDD or a range, limit and offset are numbers."


@dataclass(frozen=True, slots=True)
class Search:
    """A study search, checked."""

    matches: dict[str, str] = field(default_factory=dict)
    limit: int = 100
    offset: int = 0

    @classmethod
    def of(cls, parameters: Iterable[tuple[str, str]]) -> Search:
        """Read query parameters; unknown ones are ignored, as the standard asks.

        Raises:
            SearchInvalid: a date, limit or offset that is none.
        """
        matches: dict[str, str] = {}
        numbers = {"limit": 100, "offset": 0}
        for name, value in parameters:
            if name in numbers:
                if not (value.isascii() and value.isdecimal()) or len(value) > 9:
                    raise SearchInvalid
                numbers[name] = int(value)
            elif name in _NAMES and value:
                if not is_storable(value):
                    raise SearchInvalid
                matches[_NAMES[name]] = value
        if "StudyDate" in matches and not _DATE.fullmatch(matches["StudyDate"]):
            raise SearchInvalid
        return cls(matches, min(numbers["limit"], MOST), numbers["offset"])


def study_lines(actor: Actor, search: Search) -> list[str]:
    """The ready-made JSON of matching studies, newest first."""
    rows = archive.exams(actor).filter(_condition(search.matches))
    return list(rows.values_list("qido_json", flat=True)[search.offset : search.offset + search.limit])


def _condition(matches: dict[str, str]) -> Q:
    found = Q()
    for keyword, value in matches.items():
        match keyword:
            case "StudyInstanceUID":
                found &= Q(study_uid__in=re.split(r"[,\\]", value))
            case "PatientID" | "PatientName":
                found &= _text("subject_code", value)
            case "StudyDescription":
                found &= _text("description", value)
            case "ModalitiesInStudy":
                found &= Q(modalities__regex=rf"(^|\\){re.escape(value)}(\\|$)")
            case "StudyDate":
                found &= _dates(value)
    return found


def _text(column: str, value: str) -> Q:
    """Wildcards `*` and `?`; without one the value itself."""
    if not re.search(r"[*?]", value):
        return Q(**{column: value})
    if re.fullmatch(r"[^*?]+\*", value):
        return Q(**{f"{column}__startswith": value[:-1]})
    pattern = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in value)
    return Q(**{f"{column}__regex": f"^{pattern}$"})


def _dates(value: str) -> Q:
    first, dash, last = value.partition("-")
    if not dash:
        return Q(study_date=first)
    found = ~Q(study_date="")
    if first:
        found &= Q(study_date__gte=first)
    if last:
        found &= Q(study_date__lte=last)
    return found
