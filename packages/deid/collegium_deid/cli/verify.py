"""`collegium-deid verify`: look at cleaned files with eyes that know nothing of how they were cleaned."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Final

from collegium_deid.cli.exits import DONE, INTERRUPTED, SOME_REJECTED
from collegium_deid.cli.options import add_key, add_recipe, add_source, load_key
from collegium_deid.cli.progress import Progress
from collegium_deid.cli.reports import FOLDER as REPORTS
from collegium_deid.cli.sources import Source, sources, why_skipped
from collegium_deid.cli.workers import Stop, Workers
from collegium_deid.errors import DeidError
from collegium_deid.files import read_head
from collegium_deid.rules.recipe import load_recipe, parse_recipe
from collegium_deid.verify.against import verify_against
from collegium_deid.verify.conformance import verify_conformance
from collegium_deid.verify.identifiers import Identifiers, identifiers_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from collegium_deid.cli.exits import Commands
    from collegium_deid.keys import SiteKey
    from collegium_deid.rules.recipe import Recipe

_DESCRIPTION: Final = """
Each file is checked against what the recipe could have written. With --against it is also searched for
the identifiers of the originals: with --key for those of its own original, found by its keyed UID;
without a key for those of all originals together. Exit codes: 0 all conform; 1 some do not (each is listed
with its reasons); 2 wrong use; 130 stopped by Ctrl-C.
"""
_SOP_INSTANCE: Final = 0x00080018
_SHOWN: Final = 3
_METHOD: Final = "[deid.conformance.method]"
# Of larger files what lies behind the pixel data is not looked at.
_WHOLE_BYTES: Final = 256 * 1024 * 1024


def add(commands: Commands) -> None:
    """Declare the command."""
    verify = commands.add_parser("verify", help="check cleaned files", description=_DESCRIPTION)
    add_recipe(verify)
    verify.add_argument(
        "--against",
        type=Path,
        metavar="ORIGINALS",
        help="a file, folder or archive of originals whose identifiers must not be left",
    )
    add_key(verify, "the site key: match each file with its original")
    verify.add_argument("--json", action="store_true", help="the result as JSON")
    add_source(verify)
    verify.set_defaults(run=_verify)


@dataclass(frozen=True)
class Checker:
    """Everything that speaks against one file; picklable, never raises."""

    recipe: Recipe
    everybody: Identifiers | None = None
    """Identifiers of all originals."""
    originals: dict[str, Source] | None = None
    """Or the originals themselves, by keyed UID."""

    def __call__(self, source: Source) -> list[str]:
        try:
            with source.open() as file:
                head = read_head(file)
                is_whole = source.size <= _WHOLE_BYTES
                data = head.buf + (file.read() if is_whole else b"")
            findings = verify_conformance(self.recipe, data, reach="end" if is_whole else "pixels")
            problems = [f"{finding} [{finding.code}]" for finding in findings]
        except DeidError as error:
            return [f"{error.message} [{error.code}]"]
        except OSError as error:
            return [f"It cannot be read ({error.strerror})."]
        try:
            identifiers = self._identifiers(head.text(_SOP_INSTANCE))
            if identifiers is not None:
                verify_against(identifiers, data)
        # What was found of the original comes first: it is the worst.
        except DeidError as error:
            problems.insert(0, f"{error.message} [{error.code}]")
        except OSError as error:
            problems.insert(0, f"Its original cannot be read ({error.strerror}).")
        return problems

    def _identifiers(self, uid: str) -> Identifiers | None:
        if self.originals is None:
            return self.everybody
        original = self.originals.get(uid)
        if original is None:
            raise DeidError(
                "deid.verify.no_original", "None of the originals is this file's, under this key."
            )
        with original.open() as file:
            return identifiers_of(read_head(file).buf)

    def __reduce__(self) -> tuple[Callable[..., Checker], tuple[object, ...]]:
        """Travels to another process as the text of the recipe."""
        return _checker, (self.recipe.text, self.everybody, self.originals)


def _checker(text: str, everybody: Identifiers | None, originals: dict[str, Source] | None) -> Checker:
    return Checker(parse_recipe(text), everybody, originals)


def _verify(options: argparse.Namespace) -> int:
    recipe = load_recipe(options.recipe)
    if options.key and not options.against:
        raise DeidError("deid.verify.use", "--key belongs to --against.")
    inputs = [source for source in sources(options.source) if not _is_report(source)]
    conform = 0
    problems: dict[str, list[str]] = {}
    with Stop() as stop:
        checker = _checker_for(options, recipe, stop)
        workers = Workers(checker, _lost, jobs=options.jobs, stop=stop)
        with Progress(len(inputs), "checked", quiet=options.quiet) as progress:
            for source, found in workers.run(inputs):
                conform += not found
                for problem in found[:_SHOWN]:
                    progress.say(f"{source}: {problem}")
                if len(found) > _SHOWN:
                    progress.say(f"{source}: and {len(found) - _SHOWN} more (all of them with --json)")
                if found:
                    problems[str(source)] = found
                progress.step()
    _tell(options, recipe, conform, problems)
    if stop.asked:
        print(f"Stopped. Files not checked: {len(inputs) - conform - len(problems)}.", file=sys.stderr)
        return INTERRUPTED
    return SOME_REJECTED if problems else DONE


def _is_report(source: Source) -> bool:
    """What `apply` itself wrote beside the images."""
    return re.fullmatch(rf"{REPORTS}/[0-9.]+\.json", source.name) is not None


def _checker_for(options: argparse.Namespace, recipe: Recipe, stop: Stop) -> Checker:
    if options.against is None:
        return Checker(recipe)
    originals = list(sources(options.against))
    reader = _Original(load_key(options.key) if options.key else None, uids_kept=recipe.uids_kept)
    with Progress(len(originals), "read", quiet=options.quiet) as progress:
        found = []
        for source, read in Workers(reader, _unread, jobs=options.jobs, stop=stop).run(originals):
            progress.step()
            found.append((source, read))
    unread = sum(read is None and why_skipped(source) is None for source, read in found)
    if unread:
        print(f"Originals that cannot be read: {unread}. Nothing of theirs was looked for.", file=sys.stderr)
    if options.key:
        return Checker(recipe, originals={read: source for source, read in found if isinstance(read, str)})
    return Checker(recipe, everybody=_together(read for _, read in found if isinstance(read, Identifiers)))


@dataclass(frozen=True)
class _Original:
    """The UID an original's output has; its identifiers where there is no key. None: no image."""

    key: SiteKey | None
    uids_kept: bool

    def __call__(self, source: Source) -> str | Identifiers | None:
        try:
            with source.open() as file:
                head = read_head(file)
            if self.key is None:
                return identifiers_of(head.buf)
            uid = head.text(_SOP_INSTANCE)
            return uid if self.uids_kept else self.key.uid(uid)
        except (DeidError, OSError):
            return None


def _unread(_source: Source) -> None:
    return None


def _together(found: Iterable[Identifiers]) -> Identifiers:
    """What identifies anybody of them. Which date stood where is each original's own: see `--key`.

    Raises:
        DeidError: there is no original.
    """
    several = list(found)
    if not several:
        raise DeidError("deid.verify.no_original", "No original image was found.")
    sets = [field.name for field in fields(Identifiers) if field.name != "moments"]
    return Identifiers(
        moments={},
        **{name: frozenset().union(*(getattr(one, name) for one in several)) for name in sets},
    )


def _lost(_source: Source) -> list[str]:
    return ["The process that worked on it died. [deid.crashed]"]


def _tell(options: argparse.Namespace, recipe: Recipe, conform: int, problems: dict[str, list[str]]) -> None:
    if problems and all(any(one.endswith(_METHOD) for one in found) for found in problems.values()):
        print(
            f"None of these says that {recipe.name} {recipe.version} cleaned it. If another recipe did, "
            "give that with --recipe.",
            file=sys.stderr,
        )
    if options.json:
        print(json.dumps({"conform": conform, "problems": problems, "recipe": recipe.digest}, indent=2))
    else:
        print(
            f"{conform} conform, {len(problems)} do not, "
            f"recipe {recipe.name} {recipe.version} {recipe.digest[:12]}"
        )
