"""Read a project file into its definition, every fault with its line; write a definition as canonical text."""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from collegium.forms.file_values import read_labels
from collegium.forms.form_file import form_tree, read_forms
from collegium.kit import yaml
from collegium.research.projects.acquisition_file import acquisition_tree, read_acquisition
from collegium.research.projects.definition import (
    SCHEMA,
    ProjectDefinition,
    SiteDefinition,
    SubjectPolicy,
    VisitDefinition,
)
from collegium.research.projects.step_file import read_pipeline, step_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collegium.forms.definition import FormDefinition
    from collegium.kit.yaml import Node, Problems

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,19}")


@lru_cache(maxsize=16)
def parse_project(text: str) -> ProjectDefinition:
    """The definition a project file holds; the last few are remembered: one is checked, shown, then published.

    Raises:
        YamlError: with every fault found, each with its line and what to do.
    """
    problems = yaml.Problems()
    body = yaml.load(text).fields(
        required=["collegium", "name", "sites", "visits", "forms", "pipeline"],
        optional=["languages", "subjects"],
    )
    with problems.gathered():
        body["collegium"].one_of([SCHEMA])
    name = ""
    languages: tuple[str, ...] = ("en",)
    policy = SubjectPolicy.LISTED
    with problems.gathered():
        name = body["name"].text(longest=120).strip()
    with problems.gathered():
        languages = _languages(body["languages"]) if "languages" in body else languages
    with problems.gathered():
        policy = _policy(body["subjects"]) if "subjects" in body else policy
    sites = _sites(body["sites"], problems)
    visits = _visits(body["visits"], problems)
    forms: dict[str, FormDefinition] = {}
    with problems.gathered():
        forms = read_forms(body["forms"], problems)
    pipeline = read_pipeline(body["pipeline"], forms, problems)
    problems.finish()
    definition = ProjectDefinition(name, languages, policy, sites, visits, MappingProxyType(forms), pipeline)
    _require_languages(definition, body, problems)
    problems.finish()
    return definition


def write_project(definition: ProjectDefinition) -> str:
    """The canonical file: two definitions differ in text only where they differ."""
    return yaml.dump(
        {
            "collegium": SCHEMA,
            "name": definition.name,
            "languages": list(definition.languages),
            "subjects": {"create": definition.subject_policy.value},
            "sites": [{"code": site.code, "name": site.name} for site in definition.sites],
            "visits": [_visit_tree(visit) for visit in definition.visits],
            "forms": {name: form_tree(form) for name, form in definition.forms.items()},
            "pipeline": [step_tree(step) for step in definition.pipeline],
        }
    )


def _languages(node: Node) -> tuple[str, ...]:
    found = tuple(part.text(longest=5) for part in node.sequence())
    if not found or len(set(found)) != len(found):
        raise node.fault("List each language once: [en, sv].")
    return found


def _policy(node: Node) -> SubjectPolicy:
    body = node.fields(required=["create"])
    return SubjectPolicy(body["create"].one_of(list(SubjectPolicy)))


def _code(node: Node) -> str:
    code = node.text(longest=20)
    if not CODE.fullmatch(code):
        raise node.fault(f"The code “{code}” may hold letters, digits and _ . - only.")
    return code


def _sites(node: Node, problems: Problems) -> tuple[SiteDefinition, ...]:
    sites: dict[str, SiteDefinition] = {}
    with problems.gathered():
        for part in node.sequence():
            with problems.gathered():
                body = part.fields(required=["code", "name"])
                code = _code(body["code"])
                if code in sites:
                    raise body["code"].fault(f"There is a site “{code}” already.")
                sites[code] = SiteDefinition(code, body["name"].text(longest=120))
    return tuple(sites.values())


def _visits(node: Node, problems: Problems) -> tuple[VisitDefinition, ...]:
    visits: dict[str, VisitDefinition] = {}
    with problems.gathered():
        if not node.sequence():
            raise node.fault("A project needs at least one visit.")
        for part in node.sequence():
            with problems.gathered():
                visit = _visit(part, is_first=not visits)
                if visit.code in visits:
                    raise part.fault(f"There is a visit “{visit.code}” already.")
                visits[visit.code] = visit
    return tuple(visits.values())


def _visit(node: Node, *, is_first: bool) -> VisitDefinition:
    body = node.fields(required=["code", "label"], optional=["days", "acquisition"])
    if is_first and "days" in body:
        raise body["days"].fault("The first visit is day 0; later visits count their days from it.")
    if not is_first and "days" not in body:
        raise node.fault("A later visit needs its window: days: [from, to], counted from the first visit.")
    first = last = None
    if "days" in body:
        window = body["days"].sequence()
        if len(window) != 2:
            raise body["days"].fault("Write the window as days: [from, to].")
        first, last = (part.whole(0, 36_500) for part in window)
        if first > last:
            raise body["days"].fault("The window ends before it begins.")
    code = _code(body["code"])
    asked = read_acquisition(body["acquisition"], code) if "acquisition" in body else ()
    return VisitDefinition(code, read_labels(body["label"]), first, last, asked)


def _require_languages(definition: ProjectDefinition, body: Mapping[str, Node], problems: Problems) -> None:
    """Every label exists in every language of the project: half a translation confuses readers."""
    labels = [("visits", visit.label) for visit in definition.visits]
    labels += [("pipeline", step.label) for step in definition.pipeline]
    labels += [("forms", label) for form in definition.forms.values() for label in form.labels()]
    for section, label in labels:
        missing = [language for language in definition.languages if language not in label]
        if missing:
            text = next(iter(label.values()))
            problems.add(body[section], f"“{text}” is missing in {', '.join(missing)}.")


def _visit_tree(visit: VisitDefinition) -> dict[str, object]:
    tree: dict[str, object] = {"code": visit.code, "label": dict(visit.label)}
    if visit.first_day is not None:
        tree["days"] = [visit.first_day, visit.last_day]
    if visit.acquisition:
        tree["acquisition"] = [acquisition_tree(entry) for entry in visit.acquisition]
    return tree
