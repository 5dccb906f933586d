"""`conformance`: print the DICOM conformance statement."""

import argparse

from collegium_connect.cli.options import Commands
from collegium_connect.receive.conformance import statement


def register(commands: Commands) -> None:
    command = commands.add_parser("conformance", help="print the DICOM conformance statement")
    command.set_defaults(run=run)


def run(_options: argparse.Namespace) -> int:
    print(statement(), end="")
    return 0
