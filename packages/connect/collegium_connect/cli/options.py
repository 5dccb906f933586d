"""What every command has in common: the configuration file it is told to use."""

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from collegium_connect import machine, settings
from collegium_connect.errors import AlreadyRunning, AnotherAccount
from collegium_connect.folders import journal_path
from collegium_connect.journal.database import Journal
from collegium_connect.settings import Settings

# argparse has no public name for it, and at run time it takes no brackets.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - as said


def declare(
    commands: Commands, name: str, words: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    """A command that reads the configuration; add its own arguments to what this returns."""
    command = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
    usual = machine.HERE.usual_config()
    command.add_argument(
        "--config", type=Path, default=usual, metavar="FILE", help=f"the TOML file; without it {usual}"
    )
    command.set_defaults(run=run)
    return command


def chosen(options: argparse.Namespace) -> Settings:
    """The configuration that the options name."""
    return settings.load(options.config)


def require_own(settings_: Settings) -> None:
    """See that what this program writes will be the gateway's.

    Raises:
        AnotherAccount: the data folder is another account's, and its gateway could not read it then.
    """
    folder = settings_.gateway.data_dir
    owner = machine.HERE.owner_if_another(folder)
    if owner:
        raise AnotherAccount(
            f"The data folder {folder} belongs to {owner}. Run this as that account:"
            f" sudo -u {owner} collegium-connect …"
        )


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
    require_own(settings_)
    journal = Journal(journal_path(settings_))
    try:
        yield journal
    finally:
        journal.close()
