"""Options that several commands have: declared once, so that they are called and mean the same everywhere."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from collegium_deid.keys import SiteKey


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Declare `--recipe`."""
    parser.add_argument(
        "--recipe", default="trial", help="a shipped recipe by name, or a file (default: trial)"
    )


def add_key(parser: argparse._ActionsContainer, purpose: str) -> None:
    """Declare `--key`, with what it is for."""
    parser.add_argument("--key", type=Path, metavar="FILE", help=purpose)


def add_source(parser: argparse.ArgumentParser) -> None:
    """Declare the input, and how it is worked on: `--jobs`, `--quiet`."""
    parser.add_argument(
        "--jobs", type=_count, metavar="N", default=_cores(), help="processes (default: one a core)"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress, nothing but what is wrong")
    parser.add_argument("source", type=Path, metavar="IN", help="a file, a folder or a zip archive")


def load_key(path: Path) -> SiteKey:
    """The site key of a file; says so on stderr when others can read it.

    Raises:
        DeidError: it cannot be read, or holds no key.
    """
    key = SiteKey.load(path)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        print(f"Others can read the key file. Close it: chmod 600 {path}", file=sys.stderr)
    return key


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("a number from 1 on is expected")
    return int(text)


def _cores() -> int:
    """Those this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
