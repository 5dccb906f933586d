"""`collegium-deid recipe`: read a recipe as the engine does, and say what it does and why."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from collegium_deid.cli.exits import DONE, SOME_REJECTED
from collegium_deid.cli.options import add_recipe
from collegium_deid.dictionary import VRS, show
from collegium_deid.errors import DeidError, RecipeError
from collegium_deid.rules.explain import HOW, differences, explain, name_of, private_name
from collegium_deid.rules.objects import OBJECTS, near
from collegium_deid.rules.options import OPTIONS
from collegium_deid.rules.recipe import load_recipe

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from collegium_deid.cli.exits import Commands
    from collegium_deid.rules.recipe import Recipe


def add(commands: Commands) -> None:
    """Declare the command and its four parts."""
    recipe = commands.add_parser(
        "recipe",
        help="show, check, compare or explain recipes",
        description="Read a recipe as the engine does.",
    )
    parts = recipe.add_subparsers(required=True, metavar="PART")

    shown = parts.add_parser("show", help="what it does, in words", description="A summary of a recipe.")
    shown.add_argument("recipe", help="a shipped recipe by name, or a file")
    shown.add_argument("--attributes", action="store_true", help="also every attribute and its rule")
    shown.set_defaults(run=_show)

    check = parts.add_parser("check", help="is it valid?", description="Exit code 1: some are not valid.")
    check.add_argument("recipes", nargs="+", metavar="recipe", help="names or files")
    check.set_defaults(run=_check)

    diff = parts.add_parser(
        "diff",
        help="what changes between two",
        description="Exit code 1: the recipes treat something differently.",
    )
    diff.add_argument("old")
    diff.add_argument("new")
    diff.set_defaults(run=_diff)

    why = parts.add_parser("explain", help="who decides one attribute, and why", description="One attribute.")
    why.add_argument("tag", help="keyword, (gggg,eeee), a path A/B, or 'CREATOR (gggg,xxee)'")
    add_recipe(why)
    why.add_argument("--sop-class", default="", metavar="OBJECT", help="such as 'CT Image', or its UID")
    why.set_defaults(run=_explain)


def _show(options: argparse.Namespace) -> int:
    recipe = load_recipe(options.recipe)
    for line in [*_summary(recipe), *(_attributes(recipe) if options.attributes else ())]:
        print(line)
    return DONE


def _check(options: argparse.Namespace) -> int:
    wrong = 0
    for source in options.recipes:
        try:
            recipe = load_recipe(source)
        except RecipeError as error:
            wrong += 1
            print(f"{error.message} [{error.code}]", file=sys.stderr)
        else:
            print(f"{source}: valid, {recipe.name} {recipe.version} {recipe.digest[:12]}")
    return SOME_REJECTED if wrong else DONE


def _diff(options: argparse.Namespace) -> int:
    old, new = load_recipe(options.old), load_recipe(options.new)
    lines = list(_settings(old, new))
    found = list(differences(old, new))
    lines += [
        f"{change.direction:9}{change.name}: {change.old.action} {HOW[change.old.how]}"
        f" -> {change.new.action} {HOW[change.new.how]}"
        for change in found
    ]
    counts = Counter(change.direction for change in found)
    for line in lines:
        print(line)
    print(f"{counts['stricter']} stricter, {counts['looser']} looser, {counts['other']} other")
    return SOME_REJECTED if lines else DONE


def _explain(options: argparse.Namespace) -> int:
    sop_class = OBJECTS.get(options.sop_class, options.sop_class)
    if sop_class and sop_class not in OBJECTS.values():
        raise DeidError(
            "deid.recipe.object",
            f"No such kind of object; write its UID, or its name, such as: {near(options.sop_class)}.",
        )
    recipe = load_recipe(options.recipe)
    if sop_class and sop_class not in recipe.objects:
        print("The recipe does not take this kind of object: it would be refused.")
    for found in explain(recipe, options.tag, sop_class):
        print(f"{found.name} {found.vr}, {found.place}: {found.rule.action}, {HOW[found.rule.how]}")
        print(f"  {found.reason}")
    return DONE


def _summary(recipe: Recipe) -> Iterator[str]:
    yield f"{recipe.name} {recipe.version}"
    yield f"digest   {recipe.digest}"
    yield "profile  basic (113100): what Table E.1-1 of DICOM PS3.15 names is removed, emptied or replaced"
    for name in recipe.options:
        yield f"option   {name} ({OPTIONS[name].code}): {OPTIONS[name].plain}"
    yield f"objects  {', '.join(_objects(recipe))}"
    yield from _parts(recipe)
    for line in recipe.lines:
        yield f"rule     line {line.number}: {line.selector.text} {line.action}, because: {line.why}"
    counts = Counter(rule.action for rule in recipe.anywhere.standard.values())
    parts = ", ".join(f"{action} {counts[action]}" for action in "DZXKCU")
    yield f"rules    {len(recipe.anywhere.standard)} attributes: {parts}; {len(recipe.anywhere.private)} private"


def _parts(recipe: Recipe) -> Iterator[str]:
    """The settings that are one value each."""
    moved = (
        f"moved by {recipe.shift_days[0]} to {recipe.shift_days[1]} days" if recipe.shift_days else "removed"
    )
    yield f"dates    {'kept' if recipe.full_dates else moved}"
    yield f"ages     {f'capped above {recipe.age_cap_years} years' if recipe.age_cap_years else 'no cap'}"
    pixels = recipe.pixels
    words = "no look: doubt refuses"
    if pixels:
        words = f"{pixels.policy}, look {pixels.look}, fill {pixels.fill}, release {pixels.release}"
    yield f"pixels   {words}" + (f", also kept: {' '.join(pixels.allow)}" if pixels and pixels.allow else "")
    for one in pixels.devices if pixels else ():
        size = f"{one.columns} by {one.rows}"
        yield f"device   {one.maker} {one.model}, {size}: {len(one.boxes)} places hidden"
    documents = vars(recipe.documents)
    yield "parts    " + ", ".join(f"{name} {choice}" for name, choice in documents.items())
    standard, private = recipe.anywhere.unknown_standard, recipe.anywhere.unknown_private
    yield f"unknown  standard: {HOW[standard.how]}; private: {HOW[private.how]}; VR UN: {recipe.un}"


def _objects(recipe: Recipe) -> list[str]:
    return [name for name, uid in OBJECTS.items() if uid in recipe.objects]


def _attributes(recipe: Recipe) -> Iterator[str]:
    for tag, rule in sorted(recipe.anywhere.standard.items()):
        yield f"{show(tag)} {VRS.get(tag, '??')} {rule.action} {name_of(tag)}: {HOW[rule.how]}"
    for key, rule in sorted(recipe.anywhere.private.items()):
        yield f"{private_name(key)} {recipe.anywhere.private_vr.get(key, '??')} {rule.action}: {HOW[rule.how]}"


def _settings(old: Recipe, new: Recipe) -> Iterator[str]:
    """What differs besides single attributes."""
    for sign, ours, theirs in (("+", new, old), ("-", old, new)):
        yield from (f"option   {sign} {name}" for name in ours.options if name not in theirs.options)
        yield from (f"object   {sign} {name}" for name in _objects(ours) if name not in _objects(theirs))
    for before, after in zip(_parts(old), _parts(new), strict=True):
        if before != after:
            yield f"{before} -> {after[9:]}"
