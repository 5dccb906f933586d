"""The command line: `collegium-connect COMMAND --config FILE`.

One module a command (or a family of them); each has `register(commands)`, which declares it and sets
`run`, a function that takes the parsed options and returns the exit code. 0: it did what it says.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from collegium_connect import SOFTWARE
from collegium_connect.cli import (
    config,
    confirm,
    conformance,
    doctor,
    enrol,
    journal,
    links,
    people,
    pull,
    quarantine,
    self_test,
    send,
    status,
    trail,
    up,
    update,
    version,
)
from collegium_connect.errors import ConnectError
from collegium_connect.send.errors import AttemptFailed


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 if it did what it says."""
    os.umask(0o077)  # whatever this program writes is nobody else's
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except ConnectError as error:
        print(f"{error} ({error.code})", file=sys.stderr)
    except AttemptFailed as failure:
        print(f"{failure.message} ({failure.code})", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="collegium-connect", description="The gateway in the hospital: receive, de-identify, deliver."
    )
    parser.add_argument("--version", action="version", version=SOFTWARE)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (
        up,
        enrol,
        send,
        status,
        confirm,
        config,
        journal,
        doctor,
        update,
        self_test,
        version,
        conformance,
        people,
        links,
        quarantine,
        pull,
        trail,
    ):
        command.register(commands)
    return parser
