"""`collegium-deid dry-run`: what would become of one file, attribute by attribute; writes and sends nothing."""

from __future__ import annotations

import html
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from collegium_deid.cli.exits import DONE, SOME_REJECTED
from collegium_deid.cli.options import add_key, add_recipe, load_key
from collegium_deid.cli.screen import cut, plain
from collegium_deid.cli.side_by_side import Row, compare
from collegium_deid.cli.sources import sources
from collegium_deid.engine.pixelplan import Look
from collegium_deid.errors import DeidError, Rejected
from collegium_deid.files import Task, read_cleaned
from collegium_deid.keys import SiteKey
from collegium_deid.rules.recipe import load_recipe
from collegium_deid.verify.against import verify_against
from collegium_deid.verify.identifiers import identifiers_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from collegium_deid.cli.exits import Commands

_DESCRIPTION: Final = """
Shows one file before and after, side by side, with the action code of PS3.15 for each attribute. Writes
no image and sends nothing. The left side is patient data: do not redirect it into a file that others can
read. Exit codes: 0 it would be cleaned; 1 it would be rejected, with the reason; 2 wrong use.
"""
_WARNING: Final = "The column ORIGINAL holds patient data. It is for this screen only."
_LOOKS: Final = {
    Look.NONE: "not looked at",
    Look.GATE: "looked at, and read where something looks like writing",
    Look.READ: "looked at and read",
}
_WIDTH: Final = 200
_NAME: Final = 46
_STYLE: Final = """<style>
:root { color-scheme: light dark }
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: left; vertical-align: top; padding: .2em .6em; border-bottom: 1px solid #8884 }
th { position: sticky; top: 0; background: Canvas }
td { overflow-wrap: anywhere; min-width: 14em }
tr > :nth-child(-n + 2) { white-space: nowrap; min-width: 0 }
.changed { background: #e6a80026 }
strong { color: light-dark(#a40000, #ff8080) }
</style>"""


def add(commands: Commands) -> None:
    """Declare the command."""
    dry_run = commands.add_parser("dry-run", help="one file before and after", description=_DESCRIPTION)
    add_recipe(dry_run)
    add_key(dry_run, "the site key; without it UIDs and dates are examples")
    dry_run.add_argument("--subject", metavar="CODE", default="SUBJECT", help="the code to show")
    dry_run.add_argument("--changed-only", action="store_true", help="leave out what stays as it is")
    dry_run.add_argument("--why", action="store_true", help="who decided each attribute, and why")
    dry_run.add_argument(
        "--html", type=Path, metavar="FILE", help="write a page, readable by you only, instead of printing"
    )
    dry_run.add_argument("source", type=Path, metavar="FILE")
    dry_run.set_defaults(run=_dry_run)


def _dry_run(options: argparse.Namespace) -> int:
    recipe = load_recipe(options.recipe)
    key = load_key(options.key) if options.key else SiteKey.generate()
    if options.source.is_dir():
        raise DeidError("deid.file", "Give one file.")
    source = next(iter(sources(options.source)))
    try:
        with source.open() as file:
            head, cleaned, _ = read_cleaned(Task(recipe, key, options.subject), file)
        verify_against(identifiers_of(head), cleaned.head)
        rows = [
            row for row in compare(recipe, head, cleaned.head) if row.is_changed or not options.changed_only
        ]
    except Rejected as error:
        print(f"It would be rejected: {error.message} [{error.code}]", file=sys.stderr)
        return SOME_REJECTED
    except OSError as error:
        raise DeidError("deid.file", f"It cannot be read ({error.strerror}).") from error
    if source.is_member:
        print(f"Of the archive only {plain(source.name)} is shown.", file=sys.stderr)
    pixels = f"Pixels: {_LOOKS[cleaned.plan.look]}. {cleaned.plan.why}"
    if options.html:
        _write_page(options.html, rows, pixels, with_why=options.why)
        print(f"{options.html} holds patient data; delete it when you have read it.", file=sys.stderr)
    else:
        print(_WARNING, file=sys.stderr)
        for line in _lines(rows, with_why=options.why):
            print(line)
        print(pixels)
    if not options.key:
        print("No key was given: new UIDs and dates are examples.", file=sys.stderr)
    return DONE


def _lines(rows: Iterable[Row], *, with_why: bool) -> Iterator[str]:
    """The table as wide as the terminal."""
    width = min(shutil.get_terminal_size((_WIDTH, 24)).columns, _WIDTH)
    side = max(16, (width - _NAME - 7) // 2)
    yield f"{'ATTRIBUTE':{_NAME}}  ACT  {'ORIGINAL':{side}} AFTER"
    for row in rows:
        name = f"{'  ' * row.depth}{row.tag} {row.name}"
        left, right = _shown(row.before, side), _shown(row.after, side)
        mark = row.action or " "
        yield f"{cut(name, _NAME):{_NAME}}   {mark}   {left:{side}} {right}".rstrip()
        if with_why and row.why:
            yield f"{'  ' * row.depth}    {row.why}"


def _shown(value: str | None, width: int) -> str:
    return cut("-" if value is None else value, width)


def _write_page(path: Path, rows: Iterable[Row], pixels: str, *, with_why: bool) -> None:
    body = "".join(
        f"<tr{' class=changed' if row.is_changed else ''}><td style='padding-left:{row.depth * 1.5 + 0.5}em'>"
        f"{html.escape(row.tag)} {html.escape(row.name)}<td>{row.action}"
        f"<td>{html.escape(row.before or '')}<td>{html.escape(row.after or '')}"
        f"{f'<td>{html.escape(row.why)}' if with_why else ''}\n"
        for row in rows
    )
    page = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>De-identification, dry run</title>{_STYLE}"
        f"<p><strong>{_WARNING}</strong><p>{html.escape(pixels)}"
        f"<table><thead><tr><th>Attribute<th>Action<th>Original<th>After{'<th>Why' if with_why else ''}"
        f"<tbody>{body}</table>\n"
    )
    try:
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(page)
    except OSError as error:
        raise DeidError("deid.file", f"The page cannot be written ({error.strerror}).") from error
