"""The documents keep their promises: links lead somewhere, dependencies and decisions are listed."""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from collegium.kit.canonical import canonical
from collegium.trust.audit import verify

REPOSITORY = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])
DECISIONS = sorted(REPOSITORY.glob("docs/decisions/0*.md"))
# Made by other steps of the build, so they may be absent from a fresh checkout.
LINK = re.compile(r"\]\(([^)\s]+)\)")
OURS = {"collegium", "collegium-wire", "collegium-deid", "collegium-connect", "collegium-testkit"}


def anchors(document: Path) -> set[str]:
    """The names that a heading can be reached by, as common renderers make them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(document: Path) -> Iterator[str]:
    for link in LINK.findall(document.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        if "://" in path:
            continue
        target = (document.parent / path).resolve() if path else document
        if not target.is_relative_to(REPOSITORY):
            yield f"{link} leaves the repository"
        elif not target.exists():
            yield f"{link} leads nowhere"
        elif anchor and anchor not in anchors(target):
            yield f"{link} names no heading"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    assert list(broken_links(document)) == []


def python_dependencies() -> set[str]:
    named: list[str] = []
    for file in [REPOSITORY / "pyproject.toml", *REPOSITORY.glob("packages/*/pyproject.toml")]:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        named += content["project"]["dependencies"]
        named += [
            one for extra in content["project"].get("optional-dependencies", {}).values() for one in extra
        ]
        named += [one for group in content.get("dependency-groups", {}).values() for one in group]
    return {re.split(r"[\[<>=~!; ]", one, maxsplit=1)[0].lower() for one in named} - OURS


def npm_dependencies() -> set[str]:
    content = json.loads((REPOSITORY / "viewer/package.json").read_text(encoding="utf-8"))
    return {*content.get("dependencies", {}), *content.get("devDependencies", {})}


def test_every_python_dependency_has_a_reason_and_a_licence() -> None:
    page = (REPOSITORY / "docs/develop/dependencies.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| ([a-z0-9][\w.-]*)", page, flags=re.MULTILINE))

    assert python_dependencies() - listed == set()


def test_every_dependency_of_the_viewer_has_a_reason_and_a_licence() -> None:
    page = (REPOSITORY / "docs/develop/dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([@a-z][^|]*) \|", page, flags=re.MULTILINE)
    listed = {name.strip() for row in rows for name in row.split(",")}

    assert npm_dependencies() - listed == set()


def test_every_decision_is_in_the_list() -> None:
    page = (REPOSITORY / "docs/decisions/README.md").read_text(encoding="utf-8")

    assert [file.name for file in DECISIONS if f"({file.name})" not in page] == []


@pytest.mark.parametrize(
    "record", sorted((REPOSITORY / "docs/decisions").glob("0*.md")), ids=lambda path: path.stem
)
def test_a_decision_has_its_four_parts(record: Path) -> None:
    headings = re.findall(r"^## (.+)$", record.read_text(encoding="utf-8"), flags=re.MULTILINE)

    assert headings == ["Context", "Decision", "Consequences", "Alternatives"]


def test_the_documented_example_of_an_audit_entry_hashes_as_the_verifier_does() -> None:
    page = (REPOSITORY / "docs/develop/model.md").read_text(encoding="utf-8")
    example = re.search(
        r"Worked example.*?```text\n(.*?)\n```\s+gives `([0-9a-f]{64})`", page, flags=re.DOTALL
    )
    assert example is not None
    _, chain, seq, entry_id, moment, body = example[1].split("\n")

    text = verify.text_of(chain, int(seq), entry_id, datetime.fromisoformat(moment), body)

    assert text.decode() == example[1]
    assert hashlib.sha256(verify.START + text).hexdigest() == example[2]
    assert canonical(json.loads(body)) == body
