"""A site's allocation list as CSV: `local_id,subject`, one patient a line; commas or semicolons.

What is wrong is told by its line; no message holds a value.

A spreadsheet takes a cell that begins with one of `FORMULA` for a formula. So each cell is written in
quotes, and one that begins like that with an apostrophe before it; reading takes that apostrophe away.

Source: OWASP, CSV Injection.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from collegium_connect.errors import ConnectError
from collegium_deid import DeidError
from collegium_deid.engine.clean import require_subject_code

COLUMNS: Final = ("local_id", "subject")
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - wide forms run too
_AS_TEXT: Final = "'"
_MOST_BYTES: Final = 16 << 20
_ID_CHARACTERS: Final = 64  # LO, PS3.5 section 6.2


class ListInvalid(ConnectError):
    code = "connect.links.list_invalid"
    message = "The list cannot be used."


class LinkInUse(ConnectError):
    code = "connect.links.in_use"
    message = "This subject code is nobody's, or objects were cleaned with it: their link stays."


@dataclass(frozen=True)
class Row:
    line: int
    local_id: str = field(repr=False)
    code: str


def read_list(data: bytes) -> tuple[Row, ...]:
    """The rows of a list.

    Raises:
        ListInvalid: it is no such list, or names an id or a code twice; nothing of it was taken.
    """
    text = _text(data)
    separator = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        if tuple(cell.strip().lower() for cell in next(reader, [])) != COLUMNS:
            raise ListInvalid("Line 1 must be: local_id,subject.")
        rows = tuple(_row(reader.line_num, cells) for cells in reader if any(map(str.strip, cells)))
    except csv.Error as error:
        raise ListInvalid(f"Line {reader.line_num} is no line of a CSV file.") from error
    _require_unique((row.local_id for row in rows), rows, "patient id")
    _require_unique((row.code for row in rows), rows, "subject code")
    return rows


def write_list(rows: Iterable[tuple[str, str]]) -> str:
    """The same form, of pairs of local id and code, of which no spreadsheet runs anything."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    writer.writerows([_as_text(cell) for cell in row] for row in rows)
    return text.getvalue()


def _as_text(cell: str) -> str:
    """With an apostrophe where a spreadsheet would run it, or reading would take one away."""
    return _AS_TEXT + cell if cell.startswith((*FORMULA, _AS_TEXT)) else cell


def _as_meant(cell: str) -> str:
    """Without the apostrophe of `_as_text`; any other is part of the id."""
    rest = cell.removeprefix(_AS_TEXT)
    return rest if rest.startswith((*FORMULA, _AS_TEXT)) else cell


def _text(data: bytes) -> str:
    if len(data) > _MOST_BYTES:
        raise ListInvalid("The list has more than 16 MB. Split it.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ListInvalid("The list is not UTF-8 text. Save it as CSV UTF-8.") from error


def _row(line: int, cells: list[str]) -> Row:
    values = [_as_meant(cell.strip()) for cell in cells]
    if len(values) != len(COLUMNS) or not all(values):
        raise ListInvalid(f"Line {line}: a patient id and a subject code are expected.")
    local_id, code = values
    if len(local_id) > _ID_CHARACTERS or not local_id.isprintable() or "\\" in local_id:
        raise ListInvalid(f"Line {line}: the patient id is none that DICOM could hold.")
    try:
        require_subject_code(code)
    except DeidError as error:
        raise ListInvalid(f"Line {line}: {error.message}") from error
    return Row(line, local_id, code)


def _require_unique(values: Iterable[str], rows: tuple[Row, ...], what: str) -> None:
    seen: set[str] = set()
    for value, row in zip(values, rows, strict=True):
        if value in seen:
            raise ListInvalid(f"Line {row.line}: this {what} is there twice.")
        seen.add(value)
