"""Choose how subject codes are found, from what the command line says; look for new patients if asked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from collegium_deid.cli.lock import lock
from collegium_deid.cli.subjects import OneSubject, Table, allocate, read_table, write_table
from collegium_deid.cli.workers import Workers
from collegium_deid.engine.clean import local_id_of, require_subject_code
from collegium_deid.errors import DeidError
from collegium_deid.files import read_head

if TYPE_CHECKING:
    import argparse

    from collegium_deid.cli.sources import Source
    from collegium_deid.cli.workers import Stop


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the ways to say who gets which code."""
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--subject", metavar="CODE", help="all files are of one patient, who gets this code")
    who.add_argument("--subjects", type=Path, metavar="FILE.csv", help="a table: local_id,subject")
    who.add_argument("--allocate", metavar="PREFIX", help="give each new patient the next free code")
    parser.add_argument(
        "--links", type=Path, metavar="FILE.csv", help="link table of --allocate (default: beside the key)"
    )


def links_path(options: argparse.Namespace, key_path: Path) -> Path:
    """Where the link table lies."""
    chosen: Path | None = options.links
    return chosen or key_path.with_suffix(".links.csv")


def setting(options: argparse.Namespace) -> str:
    """What the journal remembers: a run of one code and a run with a table do not mix."""
    return f"code {options.subject}" if options.subject is not None else "table"


def check(options: argparse.Namespace) -> None:
    """Raise on a code that no header may hold, before anything is done.

    Raises:
        DeidError: as `require_subject_code`, or `--links` without `--allocate`.
    """
    if options.links is not None and options.allocate is None:
        raise DeidError("deid.subjects.invalid", "--links belongs to --allocate.")
    if options.subject is not None:
        require_subject_code(options.subject)
    elif options.allocate is not None:
        require_subject_code(f"{options.allocate}0001")
    else:
        for code in read_table(options.subjects).values():
            require_subject_code(code)


def chooser(
    options: argparse.Namespace, key_path: Path, inputs: list[Source], *, processes: int, stop: Stop
) -> OneSubject | Table:
    """What finds the code for a local id; writes the link table first where codes are allocated.

    Raises:
        DeidError: the table cannot be read or written, or another run holds it.
    """
    if options.subject is not None:
        return OneSubject(options.subject)
    if options.subjects is not None:
        return Table(read_table(options.subjects))
    workers = Workers(_local_id, _nobody, jobs=processes, stop=stop)
    local_ids = [found for _, found in workers.run(inputs) if found]
    path = links_path(options, key_path)
    try:
        with path.with_name(path.name + ".lock").open("a") as holder:
            lock(holder)
            known = read_table(path) if path.exists() else {}
            codes = allocate(known, local_ids, options.allocate)
            if codes != known:
                write_table(path, codes)
                new = len(codes) - len(known)
                print(f"New patients: {new}. Who is who: {path}. Guard it like the key.", file=sys.stderr)
    except OSError as error:
        raise DeidError("deid.subjects.not_written", "The link table cannot be written.") from error
    return Table(codes)


def _local_id(source: Source) -> str:
    """The local id of one input; empty where the run will refuse or skip it anyway."""
    try:
        with source.open() as file:
            return local_id_of(read_head(file))
    except Exception:  # noqa: BLE001 - a file that breaks the reading is refused, with its reason, when it is cleaned
        return ""


def _nobody(_source: Source) -> str:
    return ""
