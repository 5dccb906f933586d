"""What every command has in common: the configuration file it is told to use."""

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from collegium_connect import machine, settings
from collegium_connect.errors import AlreadyRunning
from collegium_connect.folders import journal_path
from collegium_connect.journal.database import Journal
from collegium_connect.settings import Settings

# argparse has no public name for it, and at run time it takes no brackets.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - as said


def declare(
    commands: Commands, name: str, words: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    """A command that needs `--config`; add its own arguments to what this returns."""
    command = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
    command.add_argument("--config", type=Path, required=True, metavar="FILE", help="the TOML file")
    command.set_defaults(run=run)
    return command


def chosen(options: argparse.Namespace) -> Settings:
    """The configuration that the options name."""
    return settings.load(options.config)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep the gateway from starting meanwhile.

    Raises:
        AlreadyRunning: it runs.
    """
    try:
        handle = machine.HERE.lock(folder / "lock")
    except BlockingIOError as error:
        raise AlreadyRunning("The gateway runs. Stop it first.") from error
    try:
        yield
    finally:
        os.close(handle)


@contextmanager
def opened(settings_: Settings) -> Iterator[Journal]:
    """The journal of a gateway, running or not."""
    journal = Journal(journal_path(settings_))
    try:
        yield journal
    finally:
        journal.close()
