"""`collegium-deid verify`: look at cleaned files with eyes that know nothing of how they were cleaned."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from collegium_deid.cli.exits import DONE, SOME_REJECTED
from collegium_deid.errors import DeidError
from collegium_deid.files import inputs, read_header
from collegium_deid.rules.recipe import load_recipe
from collegium_deid.verify.against import verify_against
from collegium_deid.verify.conformance import verify_conformance
from collegium_deid.verify.identifiers import identifiers_of

if TYPE_CHECKING:
    import argparse

    from collegium_deid.cli.exits import Commands
    from collegium_deid.rules.recipe import Recipe
    from collegium_deid.verify.identifiers import Identifiers


def add(commands: Commands) -> None:
    """Declare the command."""
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
