"""Which words of a line may stay: the word, and what stands beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from collegium_deid.engine.text.called import drop_called
from collegium_deid.engine.text.line import Line, is_plain_function, people
from collegium_deid.vocabulary import Grade, is_body, is_name_with_capital, name_list, partners, plain

if TYPE_CHECKING:
    from collegium_deid.engine.text.words import Token

# A capital alone beside a name-like word is a direction or a level, or else an initial.
_DIRECTIONS: Final = frozenset("LRAPSIHFCTWV")
_PAIRS: Final = ({"head", "neck"}, {"hand", "wrist"}, {"foot", "ankle"}, {"arm", "hand"}, {"hand", "foot"})
# The step of a score: a digit or a numeral with a letter or not, or a letter with a digit or not.
_STEP: Final = re.compile(r"[0-9][A-Fa-f]?|[IVX]{1,4}[A-Fa-f]?[12]?|[A-F][0-9]{0,2}")
_OPEN: Final = frozenset('([{"')
_CLOSED: Final = frozenset(')]}"')
_TIES: Final = frozenset({"", "-", "_", "/", "."})


def judge(text: str) -> list[Token]:
    """The words of a text with `is_kept` decided."""
    line = Line(text)
    drop_called(line)
    _drop_without_partner(line)
    for n, token in enumerate(line.tokens):
        if not token.is_kept:
            continue
        if _is_part_of_name(line, n) or _is_prefix_of_number(line, n) or _is_number_of_code(line, n):
            token.is_kept = False
    return line.tokens


def _drop_without_partner(line: Line) -> None:
    """A doubtful word needs its partner, or lower case amid a sentence."""
    prose = line.is_prose()
    for n, token in enumerate(line.tokens):
        if token.is_kept and token.grade is Grade.DOUBTFUL:
            token.is_kept = _has_partner(line, n) or (prose and _is_amid(line, n))


def _has_partner(line: Line, n: int) -> bool:
    """One of the word's partners stands beside it, with at most one word between."""
    word = line.tokens[n].lower
    mates = partners(word) or partners(word.removesuffix("'s").removesuffix("\u2019s"))
    is_eponym = "^" in mates
    if is_eponym and n and line.near[n - 1] and line.tokens[n - 1].lower in people()["before"]:
        return True
    if "~" in mates and (_is_before_step(line, n) or _is_behind_step(line, n)):
        return True
    for m in (n + 1, n - 1, n + 2, n - 2):
        # Who needs a partner stands before it (`may represent`); an eponym also behind it with "of".
        is_led = m < n and "!" in mates and not (is_eponym and line.tokens[n - 1].lower in people()["of"])
        if is_led or not line.is_joined(n, m) or _makes_double_name(line, n, m):
            continue
        other = line.tokens[m]
        if other.is_kept and (other.lower in mates or ("#" in mates and other.is_number)):
            return True
    return False


def _is_before_step(line: Line, n: int) -> bool:
    """`Bosniak IIF`, `Child-Pugh B7`, `Gleason 3+4`: a score and its step, which is no age and no initial."""
    for m in (n + 1, n + 2):
        if not line.is_joined(n, m):
            return False
        if _STEP.fullmatch(line.tokens[m].text):
            ends = line.behind(m) != "." or m + 1 == len(line.tokens)
            unit = line.tokens[m + 1].lower if m + 1 < len(line.tokens) else ""
            if not ends or unit in people()["unit"]:
                return False
            for token in line.tokens[n : m + 1]:
                # Nothing beside it makes a person of a score with its step.
                token.grade = Grade.SURE
            return True
        if line.tokens[n].lower not in partners(line.tokens[m].lower):
            return False
    return False


def _is_behind_step(line: Line, n: int) -> bool:
    """`Grad III nach Pfirrmann`, `stade 2 de Kellgren`."""
    if n < 2 or line.tokens[n - 1].lower not in people()["according"]:
        return False
    steps = partners(line.tokens[n].lower)
    before = line.tokens[max(0, n - 3) : n - 1]
    return any(token.lower in steps or _STEP.fullmatch(token.text) for token in before)


def _is_amid(line: Line, n: int) -> bool:
    """In lower case between two words that are no names; never a name that needs its partner."""
    token = line.tokens[n]
    if not token.text.islower() or "!" in partners(token.lower):
        return False
    sides = [line.tokens[m] for m in (n - 1, n + 1) if 0 <= m < len(line.tokens)]
    return all(other.grade >= Grade.COMMON and other.is_kept for other in sides)


def _is_part_of_name(line: Line, n: int) -> bool:
    """A word that is also a name, a particle or a letter, with a person beside it."""
    token = line.tokens[n]
    if _has_capital_amid(line, n) or (token.lower in people()["particle"] and _leads_to_name(line, n)):
        return True
    if token.grade is Grade.SURE and (
        _are_initials(line, n) or _is_before_given_name(line, n) or _is_behind_given_name(line, n)
    ):
        return True
    if token.grade is Grade.SURE:
        return token.lower in people()["particle"] and _is_beside_person(line, n)
    return (
        (token.grade is Grade.COMMON and (_is_double_name(line, n) or _is_set_apart(line, n)))
        or _is_beside_person(line, n)
        or (token.is_letter and _is_initial(line, n))
    )


def _has_capital_amid(line: Line, n: int) -> bool:
    """`Becken Langer`: an adjective or article with a capital, and words before it in the same sentence."""
    token = line.tokens[n]
    if token.grade is Grade.DOUBTFUL or not token.text.istitle():
        return False
    is_amid = n > 0 and "." not in line.between(n - 1, n) and "\n" not in line.between(n - 1, n)
    return is_amid and is_name_with_capital(token.lower) and not _is_titled(line)


def _is_titled(line: Line) -> bool:
    """Every word has its capital, as in a headline."""
    words = [token.text for token in line.tokens if token.text[0].isalpha() and len(token.text) > 2]
    return len(words) > 3 and all(word[0].isupper() for word in words)


def _is_beside_person(line: Line, n: int) -> bool:
    """A strange word, a name that went or an initial stands directly beside."""
    token = line.tokens[n]
    for m in line.beside(n):
        other = line.tokens[m]
        if other.is_strange and not _is_of_other_kind(token, other):
            return True
        if other.grade is Grade.DOUBTFUL and not other.is_kept and not is_plain_function(token):
            return True
        if m > n and len(token.text) > 2 and token.text[0].isupper() and _may_be_initials(other):
            return True
        if other.is_letter and len(token.text) > 1:
            is_initial = line.behind(m) == "." or "," in line.between(n, m) or other.text not in _DIRECTIONS
            if is_initial:
                return True
    return False


def _are_initials(line: Line, n: int) -> bool:
    """Two capitals behind a strange word or a name: `Zorbinski QU`, `Horn BQ`."""
    if not _may_be_initials(line.tokens[n]) or not n or not line.near[n - 1]:
        return False
    before = line.tokens[n - 1]
    if before.is_strange or (before.grade is Grade.DOUBTFUL and not before.is_kept):
        return True
    return before.grade is Grade.COMMON and before.text[0].isupper() and len(before.text) > 2


def _may_be_initials(token: Token) -> bool:
    return len(token.text) == 2 and token.text.isupper() and token.lower not in people()["short"]


def _is_before_given_name(line: Line, n: int) -> bool:
    """`Lunge, Georg`, `LUNGE^GEORG`: a comma or caret, then a name of the list."""
    if n + 1 >= len(line.tokens) or not line.near[n]:
        return False
    token, behind = line.tokens[n], line.tokens[n + 1]
    is_tied = any(mark in line.between(n, n + 1) for mark in ",^:")
    is_word = len(token.text) > 2 and token.text.isalpha() and token.text[0].isupper()
    return is_tied and is_word and behind.is_strange and plain(behind.lower) in name_list()


def _is_behind_given_name(line: Line, n: int) -> bool:
    """`Georg Lunge`, `LUNGE/GEORG`: a listed name directly before, or behind a slash or underscore."""
    token = line.tokens[n]
    if len(token.text) < 4 or not token.text.isalpha() or not token.text[0].isupper():
        return False
    if n and line.near[n - 1] and line.between(n - 1, n) == " " and token.text.istitle():
        before = line.tokens[n - 1]
        return before.is_strange and before.text.istitle() and plain(before.lower) in name_list()
    if n + 1 < len(line.tokens) and line.between(n, n + 1) == "/":
        behind = line.tokens[n + 1]
        return behind.is_strange and plain(behind.lower) in name_list()
    return False


def _is_set_apart(line: Line, n: int) -> bool:
    """`[Horn]`, `Horn family`: alone in brackets and no part of the body, or with kin behind it."""
    token = line.tokens[n]
    if n + 1 < len(line.tokens) and line.near[n] and line.tokens[n + 1].lower in people()["after"]:
        return True
    is_alone = line.text[token.start - 1 : token.start] in _OPEN and line.behind(n) in _CLOSED
    return is_alone and len(token.text) > 2 and token.text[0].isupper() and not is_body(token.lower)


def _is_of_other_kind(token: Token, strange: Token) -> bool:
    """A word in lower case beside a strange one that is not: a name has its capitals, or none, throughout."""
    return token.text.islower() and len(token.text) > 1 and not strange.text[0].islower()


def _is_double_name(line: Line, n: int) -> bool:
    return any(_makes_double_name(line, n, m) for m in line.beside(n))


def _makes_double_name(line: Line, n: int, m: int) -> bool:
    """`Foot-Bone`: two words that are also names, tied by a hyphen, each with its capital."""
    token, other = line.tokens[n], line.tokens[m]
    is_tied = abs(n - m) == 1 and line.between(n, m) == "-" and other.grade is Grade.COMMON
    have_capitals = token.text[0].isupper() and other.text[0].isupper()
    is_pair = len(token.text) > 2 < len(other.text) and {token.lower, other.lower} not in _PAIRS
    return is_tied and have_capitals and is_pair


def _leads_to_name(line: Line, n: int) -> bool:
    """`van der Berg`: behind the particles stands a strange word, or something that went."""
    for m in range(n + 1, len(line.tokens)):
        other = line.tokens[m]
        if other.is_gone:
            return True
        if not line.near[m - 1]:
            return False
        if other.lower not in people()["particle"]:
            return other.is_strange or not other.is_kept
    return False


def _is_prefix_of_number(line: Line, n: int) -> bool:
    """`KG-573692`: short letters tied to a number that goes."""
    token = line.tokens[n]
    if n + 1 >= len(line.tokens) or len(token.text) > 4 or not token.text.isalpha():
        return False
    behind = line.tokens[n + 1]
    return line.between(n, n + 1) in _TIES and not behind.is_kept and (behind.is_number or behind.is_gone)


def _is_number_of_code(line: Line, n: int) -> bool:
    """`STS_043`: a number tied to strange letters before it."""
    token = line.tokens[n]
    is_tied = n > 0 and line.between(n - 1, n) in {"_", "-"} and line.tokens[n - 1].is_strange
    return is_tied and any(map(str.isdigit, token.text))


def _is_initial(line: Line, n: int) -> bool:
    """A capital alone with a dot behind it, or beside another one, or beside nothing that stays."""
    token = line.tokens[n]
    if line.behind(n) == "." and n + 1 < len(line.tokens):
        return True
    beside = [line.tokens[m] for m in line.beside(n)]
    names = [other for other in beside if other.grade is Grade.COMMON and other.text[0].isupper()]
    if token.text not in _DIRECTIONS and any(other.text != token.text for other in names):
        return True
    is_slashed = "/" in line.text[max(0, token.start - 1) : token.end + 1]
    if not is_slashed and any(len(other.text) == 1 and other.text.isalpha() for other in beside):
        return True
    stays = any(other.is_kept and other.grade is not Grade.DOUBTFUL for other in beside)
    return len(line.tokens) > 1 and not stays
