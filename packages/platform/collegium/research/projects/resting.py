"""What live tasks and signed answers rest on, and what of it a new project file leaves out. Pure; no database.

Steps, visits, forms and items are known by their names: a name that is gone leaves answers behind that no later read
connects to. Labels, windows, rules and all that is added may change (decision 0037).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from collegium.forms.definition import FormDefinition
    from collegium.research.projects.definition import ProjectDefinition, Step


@dataclass(frozen=True, slots=True)
class StepInUse:
    """A step as a published version has it, and how many tasks rest on it."""

    definition: ProjectDefinition
    step: str
    tasks: int


@dataclass(frozen=True, slots=True)
class InUse:
    """What a project's tasks rest on."""

    steps: tuple[StepInUse, ...] = ()
    visits: Mapping[str, int] | None = None
    """Number of tasks by visit code."""


def left_out(fresh: ProjectDefinition, in_use: InUse) -> list[str]:
    """A sentence for each thing that tasks rest on and the file has no longer: what it is and what to do."""
    found = [
        _("Visit “%(name)s” is gone, and %(tasks)s on it. Keep its code; its label and days may change.")
        % {"name": code, "tasks": _rest(number)}
        for code, number in (in_use.visits or {}).items()
        if fresh.visit(code) is None
    ]
    for used in in_use.steps:
        found += _of_step(fresh, used)
    return list(dict.fromkeys(found))


def _of_step(fresh: ProjectDefinition, used: StepInUse) -> Iterator[str]:
    old, told = used.definition.step(used.step), {"step": used.step, "tasks": _rest(used.tasks)}
    new = next((step for step in fresh.pipeline if step.name == used.step), None)
    if new is None:
        yield (
            _(
                "Step “%(step)s” is gone, and %(tasks)s on it. Keep its name; its label and its role may change."
            )
            % told
        )
        return
    for what, before, after in _fixed(old, new):
        facts = {**told, "what": what, "before": before, "after": after}
        yield (
            _("Step “%(step)s” has another %(what)s, and %(tasks)s on it. ")
            + _("Keep “%(before)s” instead of “%(after)s”, or add a step beside it.")
        ) % facts
    if old.form == new.form:
        yield from _of_form(used.definition.forms[old.form], fresh.forms[new.form], old.form, told)


def _fixed(old: Step, new: Step) -> list[tuple[str, str, str]]:
    """What of a step may not change under its tasks, and has."""
    pairs = [
        (_("kind"), old.kind.value, new.kind.value),
        (_("“about”"), old.about.value, new.about.value),
        (_("form"), old.form, new.form),
    ]
    return [(what, before, after) for what, before, after in pairs if before != after]


def _of_form(old: FormDefinition, new: FormDefinition, form: str, told: Mapping[str, str]) -> Iterator[str]:
    for name in old.groups:
        if name not in new.groups:
            text = _("Group “%(name)s” of form “%(form)s” is gone, and %(tasks)s on it. Keep its name.")
            yield text % {**told, "name": name, "form": form}
    there = {(scope, item.name) for scope, item in new.all_items()}
    for scope, item in old.all_items():
        if (scope, item.name) not in there and (not scope or scope in new.groups):
            text = _("Item “%(name)s” of form “%(form)s” is gone, and %(tasks)s on it. Keep its name.")
            yield text % {**told, "name": f"{scope}.{item.name}" if scope else item.name, "form": form}


def _rest(tasks: int) -> str:
    return ngettext("%(n)d task rests", "%(n)d tasks rest", tasks) % {"n": tasks}
