"""`up`: run the gateway until it is stopped."""

import argparse
import sys
from typing import Final

from collegium_connect import log, machine
from collegium_connect.cli.options import Commands, chosen, declare, require_own
from collegium_connect.errors import NotEnrolled, SettingsInvalid
from collegium_connect.settings import Settings

SERVICE: Final = "collegium-connect"
"""What the installation calls the service; the same in deploy/gateway."""
_NOT_SET_UP: Final = 78  # EX_CONFIG of sysexits.h; the unit says not to start it again after that


def register(commands: Commands) -> None:
    command = declare(commands, "up", "run the gateway until it is stopped", run)
    command.add_argument("--service", action="store_true", help="as a service of this system")


def run(options: argparse.Namespace) -> int:
    if not options.service:
        return _serve(chosen(options))
    try:
        settings = chosen(options)
        return machine.HERE.run_as_service(SERVICE, lambda: _serve(settings))
    except (NotEnrolled, SettingsInvalid) as error:
        print(f"{error} ({error.code})", file=sys.stderr)
        return _NOT_SET_UP


def _serve(settings: Settings) -> int:
    # A service manager waits for a sign of life, on a slow disk for longer than this takes to load.
    from collegium_connect.service import Gateway  # noqa: PLC0415 - as said

    require_own(settings)
    log.configure(file=settings.log)
    machine.HERE.keep_large_blocks()
    Gateway(settings).run()
    return 0
