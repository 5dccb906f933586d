"""The command line: `collegium-connect COMMAND`.

One module a command (or a family of them); each has `register(commands)`, which declares it and sets
`run`, a function that takes the parsed options and returns the exit code. 0: it did what it says.

A module is loaded when its command is asked for, not before: the processes that a gateway starts load
this one too, and need none of them.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Final

from collegium_connect import SOFTWARE
from collegium_connect.errors import ConnectError

MODULES: Final = {
    "up": "up",
    "enrol": "enrol",
    "send": "send",
    "status": "status",
    "channels": "status",
    "confirm": "confirm",
    "config": "config",
    "journal": "journal",
    "doctor": "doctor",
    "update": "update",
    "self-test": "self_test",
    "version": "version",
    "conformance": "conformance",
    "people": "people",
    "links": "links",
    "quarantine": "quarantine",
    "pull": "pull",
    "trail": "trail",
}
"""Each command and its module, in the order in which help lists them."""
_NO_RIGHT: Final = (
    "This account has no right to {name}. Run it as the gateway's account, or name another place."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 if it did what it says."""
    os.umask(0o077)  # whatever this program writes is nobody else's
    words = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser(words[0] if words else "").parse_args(words)
    try:
        return int(options.run(options))
    except ConnectError as error:
        print(f"{error} ({error.code})", file=sys.stderr)
    except PermissionError as error:
        if error.filename is None:
            raise
        print(_NO_RIGHT.format(name=error.filename), file=sys.stderr)
    return 1


def _parser(command: str) -> argparse.ArgumentParser:
    """Of one command, or of all where none is named: for help, and for what is misspelt."""
    parser = argparse.ArgumentParser(
        prog="collegium-connect", description="The gateway in the hospital: receive, de-identify, deliver."
    )
    parser.add_argument("--version", action="version", version=SOFTWARE)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in [MODULES[command]] if command in MODULES else dict.fromkeys(MODULES.values()):
        importlib.import_module(f"{__name__}.{name}").register(commands)
    return parser
