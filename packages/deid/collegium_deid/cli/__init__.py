"""`collegium-deid`: clean, look at and verify files by hand, with the engine the gateway uses.

One module a command; each has `add(commands)`, which declares it. Exit codes: see `cli.exits`.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import metadata
from typing import TYPE_CHECKING

from collegium_deid.cli import apply, dry_run, inventory, masks, recipe, verify
from collegium_deid.cli.exits import INTERRUPTED, NOT_READ, SOME_REJECTED, WRONG_USE
from collegium_deid.cli.screen import plain
from collegium_deid.errors import DeidError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code = int(options.run(options))
        sys.stdout.flush()  # a closed pipe is to show here, not when Python ends
    except DeidError as error:
        print(f"collegium-deid: {error.message} [{error.code}]", file=sys.stderr)
        return WRONG_USE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read the output has seen enough
        for stream in (sys.stdout, sys.stderr):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return NOT_READ
    except OSError as error:
        where = f": {plain(str(error.filename))}" if error.filename else ""
        print(f"collegium-deid: stopped, {error.strerror}{where} [deid.file]", file=sys.stderr)
        return SOME_REJECTED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="collegium-deid", description="De-identify DICOM by recipe.")
    parser.add_argument("--version", action="version", version=metadata.version("collegium-deid"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (apply, dry_run, verify, inventory, recipe, masks):
        command.add(commands)
    return parser
