"""`collegium-deid apply`: clean a file or a folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from collegium_deid.cli.exits import DONE, SOME_REJECTED
from collegium_deid.errors import DeidError
from collegium_deid.files import Task, apply_to_all
from collegium_deid.keys import SiteKey
from collegium_deid.rules.recipe import load_recipe

if TYPE_CHECKING:
    import argparse

    from collegium_deid.cli.exits import Commands


def add(commands: Commands) -> None:
    """Declare the command."""
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
