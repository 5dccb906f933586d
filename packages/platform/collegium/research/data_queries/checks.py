"""Which failed checks of a form are worth a query. Pure; no database.

An empty answer is none: the form itself asks for it until it is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium.forms.judge import WHOLE_FORM
from collegium.forms.problems import ProblemCode
from collegium.kit.canonical import digest

if TYPE_CHECKING:
    from collegium.forms.judge import FormState
    from collegium.forms.problems import FormProblem


@dataclass(frozen=True, slots=True)
class Failed:
    """One check that does not hold. The same item and rule are the same failure, whenever it is found."""

    item: str
    rule: str
    text: str


def failed_checks(state: FormState) -> list[Failed]:
    """The failed checks of what is shown, each once. Judge the form in the project's first language, so that a
    failure keeps its name whatever language its reader has.
    """
    found = [(one.path, problem) for one in state.visible for problem in one.problems]
    found += [(one.group.name, problem) for one in state.groups for problem in one.problems]
    found += [(WHOLE_FORM, problem) for problem in state.problems]
    failed = (Failed(path, _rule(one), one.message) for path, one in found if one.code not in _ASKED_FOR)
    return list({(one.item, one.rule): one for one in failed}.values())


def _rule(problem: FormProblem) -> str:
    """Which check failed. Only an author's checks are told apart by their words: others quote the answer."""
    if problem.code is ProblemCode.CHECK:
        return f"{problem.code.value}:{digest(problem.message)[:16]}"
    return problem.code.value


_ASKED_FOR = (ProblemCode.REQUIRED, ProblemCode.ROWS)
