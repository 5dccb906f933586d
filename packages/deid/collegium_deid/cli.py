"""`collegium-deid`: clean or verify files by hand, with the engine the gateway uses.

Exit codes: 0 everything done and clean; 1 some files were rejected or do not conform (each is listed
with its reason); 2 wrong use, recipe or key: nothing was done.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from collegium_deid.errors import DeidError
from collegium_deid.files import Task, apply_to_all, inputs, read_header
from collegium_deid.keys import SiteKey
from collegium_deid.rules.recipe import load_recipe
from collegium_deid.verify.against import verify_against
from collegium_deid.verify.conformance import verify_conformance
from collegium_deid.verify.identifiers import identifiers_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collegium_deid.rules.recipe import Recipe
    from collegium_deid.verify.identifiers import Identifiers

DONE: Final = 0
SOME_REJECTED: Final = 1
WRONG_USE: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except DeidError as error:
        print(f"collegium-deid: {error.message} [{error.code}]", file=sys.stderr)
        return WRONG_USE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="collegium-deid", description="De-identify DICOM by recipe.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    apply = commands.add_parser(
        "apply", help="clean a file or a folder", description="Exit code 1: some files were rejected."
    )
    apply.add_argument(
        "--recipe", default="trial", help="a shipped recipe by name, or a file (default: trial)"
    )
    key = apply.add_mutually_exclusive_group(required=True)
    key.add_argument("--key", type=Path, metavar="FILE", help="the site key")
    key.add_argument(
        "--new-key", type=Path, metavar="FILE", help="make a site key first; keep it, follow-ups need it"
    )
    apply.add_argument(
        "--subject", required=True, metavar="CODE", help="takes the place of name and patient id"
    )
    apply.add_argument("source", type=Path, metavar="IN")
    apply.add_argument("target", type=Path, metavar="OUT")
    apply.set_defaults(run=_apply)

    verify = commands.add_parser(
        "verify", help="check cleaned files", description="Exit code 1: some files do not conform."
    )
    verify.add_argument("--recipe", default="trial", help="the recipe that cleaned them (default: trial)")
    verify.add_argument(
        "--against",
        type=Path,
        metavar="FILE",
        help="an original whose identifiers must not be left in any file",
    )
    verify.add_argument("source", type=Path, metavar="IN")
    verify.set_defaults(run=_verify)
    return parser


def _apply(options: argparse.Namespace) -> int:
    recipe = load_recipe(options.recipe)
    if not options.source.exists():
        raise DeidError("deid.file", "The input does not exist.")
    if options.new_key:
        key = SiteKey.generate()
        key.save_new(options.new_key)
    else:
        key = SiteKey.load(options.key)
    done = rejected = 0
    for result in apply_to_all(Task(recipe, key, options.subject), options.source, options.target):
        if result.output is None:
            rejected += 1
            print(f"rejected {result.source}: {result.reason} [{result.code}]", file=sys.stderr)
        else:
            done += 1
    print(f"{done} cleaned, {rejected} rejected, recipe {recipe.name} {recipe.version} {recipe.digest[:12]}")
    return SOME_REJECTED if rejected else DONE


def _verify(options: argparse.Namespace) -> int:
    recipe = load_recipe(options.recipe)
    if not options.source.exists():
        raise DeidError("deid.file", "The input does not exist.")
    identifiers = identifiers_of(read_header(options.against)) if options.against else None
    conform = others = 0
    for file in inputs(options.source):
        problems = _problems(file, recipe, identifiers)
        conform, others = conform + (not problems), others + bool(problems)
        for problem in problems:
            print(f"{file}: {problem}", file=sys.stderr)
    print(f"{conform} conform, {others} do not, recipe {recipe.name} {recipe.version} {recipe.digest[:12]}")
    return SOME_REJECTED if others else DONE


def _problems(file: Path, recipe: Recipe, identifiers: Identifiers | None) -> list[str]:
    """Everything that speaks against one file."""
    try:
        head = read_header(file)
        problems = [f"{finding} [{finding.code}]" for finding in verify_conformance(recipe, head)]
    except DeidError as error:
        return [f"{error.message} [{error.code}]"]
    except OSError as error:
        return [f"It cannot be read ({error.strerror})."]
    if identifiers is not None:
        try:
            verify_against(identifiers, head)
        except DeidError as error:
            problems.append(f"{error.message} [{error.code}]")
    return problems
