"""Names by what stands before them: a title (`Dr`), a role (`Tech:`), a label (`Pt`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from collegium_deid.engine.text.line import is_plain_function, people
from collegium_deid.vocabulary import Grade

if TYPE_CHECKING:
    from collegium_deid.engine.text.line import Line
    from collegium_deid.engine.text.words import Token

_LABEL_END: Final = re.compile(r" ?[:=.(#] ?")
_REACH: Final = 6
_MOST: Final = 3


def drop_called(line: Line) -> None:
    """Drop titles, and up to three words behind a title, role or label."""
    for n in range(len(line.tokens) - 1):
        if _is_title(line, n):
            line.tokens[n].is_kept = False
            _drop_behind(line, n, is_title=True)
        elif _is_role(line, n):
            _drop_behind(line, n, is_title=False)


def _drop_behind(line: Line, n: int, *, is_title: bool) -> None:
    taken = 0
    for m in range(n + 1, min(n + _REACH, len(line.tokens))):
        token = line.tokens[m]
        is_label = m == n + 1 and _LABEL_END.fullmatch(line.between(n, m)) is not None
        if taken == _MOST or token.is_number or not (line.near[m - 1] or is_label):
            return
        joins = token.lower in people()["and"] if taken else token.lower in people()["hop"] and not is_title
        if joins:
            continue
        if taken:
            goes = token.grade is not Grade.SURE and not is_plain_function(token)
        else:
            goes = is_title or _may_be_called(line.tokens[n], token, line.between(n, m))
        if not goes:
            return
        token.is_kept = False
        taken += 1


def _is_title(line: Line, n: int) -> bool:
    token, kinds = line.tokens[n], people()
    has_dot = line.behind(n) == "."
    if token.lower in kinds["title"]:
        # DR is also digital radiography: in capitals only a doubtful word behind it is a name.
        return token.text != "DR" or has_dot
    if token.text == "M":
        return line.behind(n, 2) == ". "
    return token.text in kinds["cased"] or (has_dot and token.lower in kinds["dotted"])


def _is_role(line: Line, n: int) -> bool:
    token, kinds = line.tokens[n], people()
    if token.lower in kinds["label"]:
        # With a colon always; without one only before a capital, as in `Pt Head`.
        behind = line.behind(n, 2)
        return behind[:1] == ":" or (
            token.lower != "rt" and not token.text.islower() and behind[1:].isupper()
        )
    return token.lower in kinds["role"] or token.lower in kinds["staff"]


def _may_be_called(role: Token, token: Token, between: str) -> bool:
    """Directly behind a role: anything not sure, and short capitals (initials)."""
    if is_plain_function(token):
        return False
    is_staff = role.lower in people()["staff"] or ":" in between
    return token.grade < Grade.SURE or (is_staff and token.text.isupper() and len(token.text) <= 3)
