"""`collegium-deid apply`: clean a file, a folder or an archive into a file, a folder or an archive."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from collegium_deid import pixels
from collegium_deid.cli import allocation, masks
from collegium_deid.cli.cleaner import NO_ROOM, Job
from collegium_deid.cli.destination import Destination, destination
from collegium_deid.cli.exits import DONE, INTERRUPTED, SOME_REJECTED
from collegium_deid.cli.journal import Journal, source_id
from collegium_deid.cli.options import add_key, add_recipe, add_source, load_key
from collegium_deid.cli.progress import Progress
from collegium_deid.cli.quarantine import Quarantine
from collegium_deid.cli.reports import write_reports
from collegium_deid.cli.run import Run, Tally
from collegium_deid.cli.sources import STATE_FOLDER, Source, is_archive, sources
from collegium_deid.cli.workers import Stop
from collegium_deid.errors import DeidError
from collegium_deid.files import Task
from collegium_deid.keys import SiteKey
from collegium_deid.rules.recipe import load_recipe

if TYPE_CHECKING:
    import argparse

    from collegium_deid.cli.exits import Commands
    from collegium_deid.rules.recipe import Recipe

_DESCRIPTION: Final = """
Each input is cleaned, searched for every identifier of its original header, and only then given a name
made from its new UIDs. One bad file never stops the rest. A run that was stopped goes on where it was
when the same command is given again. Exit codes: 0 all done; 1 some files were rejected (each is listed
with its reason); 2 wrong use, nothing was done; 130 stopped by Ctrl-C, what is done is kept.
"""


def add(commands: Commands) -> None:
    """Declare the command."""
    apply = commands.add_parser(
        "apply", help="clean a file, a folder or a zip archive", description=_DESCRIPTION
    )
    add_recipe(apply)
    key = apply.add_mutually_exclusive_group(required=True)
    add_key(key, "the site key")
    key.add_argument(
        "--new-key", type=Path, metavar="FILE", help="make a site key first; keep it, follow-ups need it"
    )
    allocation.add_options(apply)
    apply.add_argument(
        "--quarantine",
        type=Path,
        metavar="FOLDER",
        help="copy what is rejected there; these are originals, patient data in clear",
    )
    apply.add_argument(
        "--masks", type=Path, metavar="FILE", help="use confirmed places of text by device; learn new ones"
    )
    apply.add_argument("--strict", action="store_true", help="reject what is no image instead of skipping it")
    apply.add_argument(
        "--fsync", action="store_true", help="wait for the disk after each file, against power cuts; slower"
    )
    apply.add_argument("--json", action="store_true", help="the summary as JSON")
    add_source(apply)
    apply.add_argument("target", metavar="OUT", help="a file, a folder/ or an archive.zip")
    apply.set_defaults(run=_apply)


def _apply(options: argparse.Namespace) -> int:
    began = time.monotonic()
    recipe = load_recipe(options.recipe)
    inputs = list(sources(options.source))
    is_single = options.source.is_file() and not is_archive(options.source)
    place = destination(
        Path(options.target), is_single=is_single, is_folder=options.target.endswith(("/", os.sep))
    )
    _check(options, place)
    if recipe.pixels is not None and not pixels.is_available():
        print(
            "The recipe looks at pictures, which needs more than is installed here: they will be rejected.\n"
            'Install it with: pip install "collegium-deid[pixels]"',
            file=sys.stderr,
        )
    quarantine = Quarantine(options.quarantine) if options.quarantine else None
    known = masks.load(options.masks, may_be_missing=True) if options.masks else None
    key = _key(options)
    with Stop() as stop:
        subject = allocation.chooser(options, _key_path(options), inputs, processes=options.jobs, stop=stop)
        settings = {
            "engine": metadata.version("collegium-deid"),
            "recipe": recipe.digest,
            "key": key.uid("fingerprint"),
            "subject": allocation.setting(options),
            "masks": "" if known is None else masks.digest(known),
        }
        with Journal(place.folder, settings, fsync=options.fsync) as journal:
            run = Run(Task(recipe, key, subject, known), place.folder, journal, fsync=options.fsync)
            _clean(options, run, [(source_id(key, source), source) for source in inputs], quarantine, stop)
            # Without room there are none; the run that goes on writes them.
            exams = 0 if run.tally.is_full else write_reports(place.folder, recipe, journal.entries.values())
        if known is not None:
            known.save(options.masks)
        if not stop.asked:
            _finish(place, run.tally)
    _tell(options, recipe, run.tally, exams, time.monotonic() - began, is_stopped=stop.asked)
    if run.tally.is_full:
        return SOME_REJECTED
    if stop.asked:
        return INTERRUPTED
    return DONE if run.tally.has_images and not run.tally.rejected else SOME_REJECTED


def _finish(place: Destination, tally: Tally) -> None:
    try:
        place.finish()
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        tally.is_full = True


def _check(options: argparse.Namespace, place: Destination) -> None:
    """Refuse what would mix originals, keys and outputs, before anything is done."""
    allocation.check(options)
    source, target = options.source.resolve(), place.target.resolve()
    if target.is_relative_to(source) or source.is_relative_to(target):
        raise DeidError("deid.file", "Input and output must not lie inside each other.")
    private = {
        "The key": _key_path(options),
        "The link table": allocation.links_path(options, _key_path(options)),
        "The quarantine": options.quarantine,
        "The file of masks": options.masks,
    }
    for name, path in private.items():
        if path is not None and path.resolve().is_relative_to(target):
            raise DeidError("deid.file", f"{name} must not lie in the output, which is for sending.")
    if options.new_key is not None and (place.folder / STATE_FOLDER).exists():
        raise DeidError(
            "deid.run.other",
            "The output holds a run with another key. Give that with --key, or a new folder.",
        )
    if options.quarantine is not None and options.quarantine.resolve().is_relative_to(source):
        raise DeidError("deid.file", "The quarantine must not lie in the input.")


def _key_path(options: argparse.Namespace) -> Path:
    path: Path = options.new_key or options.key
    return path


def _key(options: argparse.Namespace) -> SiteKey:
    if options.key:
        return load_key(options.key)
    key = SiteKey.generate()
    key.save_new(options.new_key)
    print(f"Made the key {options.new_key}. Keep it, and a copy: follow-ups need it.", file=sys.stderr)
    return key


def _clean(
    options: argparse.Namespace,
    run: Run,
    inputs: list[tuple[str, Source]],
    quarantine: Quarantine | None,
    stop: Stop,
) -> None:
    jobs = [Job(n, source, id_) for n, (id_, source) in enumerate(inputs) if not run.knows(id_)]
    run.tally.again += len(inputs) - len(jobs)
    with Progress(len(jobs), "done", quiet=options.quiet) as progress:
        run.clean(
            jobs,
            processes=options.jobs,
            stop=stop,
            progress=progress,
            quarantine=quarantine,
            strict=options.strict,
        )
        for problem in [] if options.quiet else run.tally.skipped:
            progress.say(f"skipped {problem.source}: {problem.reason} [{problem.code}]")


def _tell(  # noqa: PLR0913 - each is one fact of the summary
    options: argparse.Namespace,
    recipe: Recipe,
    tally: Tally,
    exams: int,
    seconds: float,
    *,
    is_stopped: bool,
) -> None:
    if is_stopped or tally.is_full:
        why = "Stopped: there is no room for the output." if tally.is_full else "Stopped."
        again = ", with --key instead of --new-key" if options.new_key else ""
        print(f"{why} What is done is kept; give the same command again{again} to go on.", file=sys.stderr)
    if tally.look_at:
        print(
            f"Pictures of screens or cameras: {tally.look_at}. Look at them before they leave "
            "(`look_at` in the reports).",
            file=sys.stderr,
        )
    if not tally.has_images and not tally.rejected and not is_stopped:
        print("Nothing was cleaned: there is no image in the input.", file=sys.stderr)
    if options.quarantine and tally.rejected:
        print("The quarantine holds originals: protect it as you protect the archive.", file=sys.stderr)
    if options.json:
        summary = {
            "cleaned": tally.cleaned,
            "already_done": tally.again,
            "look_at": tally.look_at,
            "skipped": [asdict(problem) for problem in tally.skipped],
            "rejected": [asdict(problem) for problem in tally.rejected],
            "exams": exams,
            "seconds": round(seconds, 3),
            "stopped": is_stopped or tally.is_full,
            "recipe": {"name": recipe.name, "version": recipe.version, "digest": recipe.digest},
        }
        print(json.dumps(summary, indent=2))
        return
    counts = [f"{tally.cleaned} cleaned"]
    counts += [f"{tally.again} done already"] * bool(tally.again)
    counts += [f"{len(tally.skipped)} skipped"] * bool(tally.skipped)
    counts += [f"{len(tally.rejected)} rejected"]
    print(f"{', '.join(counts)}, recipe {recipe.name} {recipe.version} {recipe.digest[:12]}, {seconds:.1f} s")
