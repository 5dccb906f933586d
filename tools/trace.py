"""Trace requirements to the tests that name them.

Reads the register (docs/validate/requirements/*.yaml) and, without running or importing anything, the
`@pytest.mark.requirement(...)` marks of every test. It says what is named; whether the tests pass is for the
test run to say.

    python tools/trace.py            check the register and the marks
    python tools/trace.py --write    and write docs/validate/traceability.md
    python tools/trace.py --check    and fail when that page is out of date

Exit status: 0 all well, 1 a fault was found (each on a line of standard error).
"""

import argparse
import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

REGISTER = Path("docs/validate/requirements")
PAGE = Path("docs/validate/traceability.md")
FIELDS = ("id", "text", "product", "risk", "state")
# What of the text is not true yet, or which part alone is shown.
OPTIONAL = "note"
PRODUCTS = ("platform", "connect", "research", "teaching", "collective")
RISKS = ("high", "medium", "low")
STATES = ("planned", "partial", "done")
# Marks of tests that never run, may fail, or run only when asked for. skipif stays: a test that needs a browser
# still proves something where there is one.
APART = {"skip": "does not run", "xfail": "may fail", "soak": "only in `make soak`"}
ID = re.compile(r"[A-Z]\d\d")
# Order and headings of the page; a chapter that is not named here comes after, under its file name.
CHAPTERS = {
    "connect": "Connect",
    "intake": "Intake",
    "research-projects": "Research: projects, people, pipeline",
    "research-reading": "Research: readers, order, blinding",
    "research-results": "Research: forms, lesions, adjudication, results",
    "viewer": "Viewer",
    "ai": "AI",
    "teaching": "Teaching",
    "collective": "Collective and decision support",
    "security": "Security, compliance, plans",
    "every-room": "Plain good product, every room",
    "onboarding": "Onboarding, help, support",
}


class TraceError(Exception):
    """The register or a mark cannot be read as what it must be."""


@dataclass(frozen=True)
class Requirement:
    id: str
    text: str
    product: str
    risk: str
    state: str
    chapter: str
    note: str = ""


@dataclass(frozen=True)
class Named:
    """One test that names one requirement; `apart` says why it proves nothing in a run of all tests, if so."""

    requirement: str
    path: str
    line: int
    test: str
    apart: str

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}"


# --- the register ---


def read_register(folder: Path) -> tuple[Requirement, ...]:
    """All requirements, in the order of the chapters and of their files.

    Raises:
        TraceError: a file is not a list of complete entries, or an id occurs twice.
    """
    found: dict[str, Requirement] = {}
    files = sorted(folder.glob("*.yaml"), key=lambda file: (_chapter_order(file.stem), file.stem))
    for file in files:
        for requirement in _read_chapter(file):
            if requirement.id in found:
                raise TraceError(
                    f"{file.name}: {requirement.id} is already in {found[requirement.id].chapter}.yaml"
                )
            found[requirement.id] = requirement
    if not found:
        raise TraceError(f"{folder}: no requirement found")
    return tuple(found.values())


def _chapter_order(chapter: str) -> int:
    return list(CHAPTERS).index(chapter) if chapter in CHAPTERS else len(CHAPTERS)


def _read_chapter(file: Path) -> Iterator[Requirement]:
    try:
        entries = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    except YAMLError as error:
        raise TraceError(f"{file.name}: {error}") from error
    if not isinstance(entries, list):
        raise TraceError(f"{file.name}: must be a list of requirements")
    for number, entry in enumerate(entries, start=1):
        yield _requirement(entry, f"{file.name}: entry {number}", file.stem)


def _requirement(entry: object, where: str, chapter: str) -> Requirement:
    if not isinstance(entry, dict) or sorted({*map(str, entry), OPTIONAL}) != sorted((*FIELDS, OPTIONAL)):
        raise TraceError(f"{where}: needs exactly the fields {', '.join(FIELDS)}, and may have {OPTIONAL}")
    if any(not isinstance(value, str) or not value.strip() for value in entry.values()):
        raise TraceError(f"{where}: every field must be text that is not empty")
    made = Requirement(chapter=chapter, **entry)
    if not ID.fullmatch(made.id):
        raise TraceError(f"{where}: {made.id!r} is not a letter and two digits")
    for field, value, allowed in (
        ("product", made.product, PRODUCTS),
        ("risk", made.risk, RISKS),
        ("state", made.state, STATES),
    ):
        if value not in allowed:
            raise TraceError(f"{where} ({made.id}): {field} {value!r} is none of {', '.join(allowed)}")
    return made


# --- the marks ---


def read_marks(root: Path) -> tuple[Named, ...]:
    """Every mark in packages/*/tests and tests/, by path and line.

    Raises:
        TraceError: a test file does not parse, or a mark holds something else than plain text.
    """
    files = {*root.glob("packages/*/tests/**/*.py"), *root.glob("tests/**/*.py")}
    named: list[Named] = []
    for file in sorted(files):
        path = file.relative_to(root).as_posix()
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"), filename=path)
        except SyntaxError as error:
            raise TraceError(f"{path}:{error.lineno}: {error.msg}") from error
        named.extend(_marks_of_body(tree.body, path, prefix="", above=_pytestmark(tree.body)))
    return tuple(named)


def _marks_of_body(
    body: Sequence[ast.stmt], path: str, prefix: str, above: Sequence[ast.expr]
) -> Iterator[Named]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            inherited = [*above, *node.decorator_list, *_pytestmark(node.body)]
            yield from _marks_of_body(node.body, path, f"{prefix}{node.name}::", inherited)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            marks = [*above, *node.decorator_list]
            apart = next((APART[name] for mark in marks if (name := _mark_name(mark)) in APART), "")
            for id_ in dict.fromkeys(id_ for mark in marks for id_ in _ids(mark, path)):
                yield Named(id_, path, node.lineno, prefix + node.name, apart)


def _pytestmark(body: Sequence[ast.stmt]) -> list[ast.expr]:
    """The marks a module or class gives to all of its tests."""
    marks: list[ast.expr] = []
    for node in body:
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        if any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in targets):
            marks.extend(value.elts if isinstance(value, ast.List | ast.Tuple) else [value])
    return marks


def _mark_name(mark: ast.expr) -> str:
    """The `x` of `pytest.mark.x` or `pytest.mark.x(...)`, else an empty text."""
    target = mark.func if isinstance(mark, ast.Call) else mark
    if (
        isinstance(target, ast.Attribute)
        and isinstance(target.value, ast.Attribute)
        and target.value.attr == "mark"
    ):
        return target.attr
    return ""


def _ids(mark: ast.expr, path: str) -> Iterator[str]:
    if _mark_name(mark) != "requirement":
        return
    if not isinstance(mark, ast.Call) or not mark.args or mark.keywords:
        raise TraceError(f"{path}:{mark.lineno}: the mark needs at least one id, as plain text")
    for argument in mark.args:
        if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
            raise TraceError(f"{path}:{argument.lineno}: an id must be written out as text")
        yield argument.value


# --- judgement and page ---


def faults(requirements: Sequence[Requirement], named: Sequence[Named]) -> list[str]:
    """What is wrong between register and tests, one line each."""
    known = {requirement.id for requirement in requirements}
    proven = {name.requirement for name in named if not name.apart}
    unknown = [
        f"{name.where}: {name.test} names {name.requirement}, which is in no file of {REGISTER.as_posix()}"
        for name in named
        if name.requirement not in known
    ]
    unproven = [
        f"{REGISTER.as_posix()}/{requirement.chapter}.yaml: {requirement.id} is marked done,"
        " but no test that runs names it"
        for requirement in requirements
        if requirement.state == "done" and requirement.id not in proven
    ]
    return unknown + unproven


def page(requirements: Sequence[Requirement], named: Sequence[Named]) -> str:
    """The traceability table as Markdown; the same input gives the same bytes."""
    tests: dict[str, list[Named]] = {}
    for name in named:
        tests.setdefault(name.requirement, []).append(name)
    lines = [
        "# Traceability",
        "",
        "Which test proves which requirement. Made by `python tools/trace.py --write` from",
        "[the register](requirements/README.md) and the marks in the tests; do not edit. That a test is",
        "named here does not say that it passes: that is in the report of the test run.",
        "",
        *_summary(requirements, tests),
    ]
    chapter = ""
    for requirement in requirements:
        if requirement.chapter != chapter:
            chapter = requirement.chapter
            lines += ["", f"## {CHAPTERS.get(chapter, chapter)}", ""]
            lines += ["| Id | Requirement | Risk | State | Tests |", "| --- | --- | --- | --- | --- |"]
        lines.append(_row(requirement, tests.get(requirement.id, [])))
    return "\n".join(lines) + "\n"


def _summary(requirements: Sequence[Requirement], tests: Mapping[str, Sequence[Named]]) -> list[str]:
    states = Counter((requirement.product, requirement.state) for requirement in requirements)
    tested = Counter(requirement.product for requirement in requirements if tests.get(requirement.id))
    lines = [
        "| Product | Requirements | Planned | Partial | Done | Named by a test |",
        "| --- | --: | --: | --: | --: | --: |",
    ]
    for product in PRODUCTS:
        counts = [states[product, state] for state in STATES]
        if sum(counts):
            cells = [sum(counts), *counts, tested[product]]
            lines.append(f"| {product} | " + " | ".join(map(str, cells)) + " |")
    totals = [sum(states[product, state] for product in PRODUCTS) for state in STATES]
    cells = [len(requirements), *totals, sum(tested.values())]
    lines.append("| **all** | " + " | ".join(map(str, cells)) + " |")
    return lines


def _row(requirement: Requirement, tests: Sequence[Named]) -> str:
    links = "<br>".join(
        f"[{test.test}](../../{test.path})" + (f" ({test.apart})" if test.apart else "") for test in tests
    )
    text, note = (words.strip().replace("|", "\\|") for words in (requirement.text, requirement.note))
    state = f"{requirement.state}: {note}" if note else requirement.state
    return f"| {requirement.id} | {text} | {requirement.risk} | {state} | {links or '-'} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; see the module's own words for the options."""
    parser = argparse.ArgumentParser(description="Trace requirements to the tests that name them.")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--write", action="store_true", help=f"write {PAGE.as_posix()}")
    way.add_argument("--check", action="store_true", help=f"fail when {PAGE.as_posix()} is out of date")
    options = parser.parse_args(arguments)
    root: Path = options.root
    try:
        requirements = read_register(root / REGISTER)
        named = read_marks(root)
    except TraceError as fault:
        print(fault, file=sys.stderr)
        return 1
    found = faults(requirements, named)
    target, wanted = root / PAGE, page(requirements, named)
    if options.check and (not target.exists() or target.read_text(encoding="utf-8") != wanted):
        found.append(f"{PAGE.as_posix()} is out of date: run `python tools/trace.py --write`")
    for line in found:
        print(line, file=sys.stderr)
    if found:
        return 1
    if options.write:
        target.write_text(wanted, encoding="utf-8")
    print(f"{len(requirements)} requirements, {len({name.requirement for name in named})} named by tests")
    return 0


if __name__ == "__main__":
    sys.exit(main())
