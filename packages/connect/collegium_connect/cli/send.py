"""`send`: hand the DICOM files of a folder to the running gateway."""

import argparse
from pathlib import Path

from collegium_connect.cli.options import Commands, chosen, declare
from collegium_connect.push import push


def register(commands: Commands) -> None:
    command = declare(commands, "send", "hand the DICOM files of a folder to the running gateway", run)
    command.add_argument("folder", type=Path)
    command.add_argument("--to", default="", metavar="AE", help="called AE title of the channel")


def run(options: argparse.Namespace) -> int:
    result = push(chosen(options), options.folder, options.to)
    print(f"{result.taken} taken, {result.refused} refused, {result.skipped} are no DICOM files.")
    return 0 if result.taken and not result.refused else 1
