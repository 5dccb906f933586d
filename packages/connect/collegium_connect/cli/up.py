"""`up`: run the gateway until it is stopped."""

import argparse

from collegium_connect import log, machine
from collegium_connect.cli.options import Commands, chosen, declare
from collegium_connect.service import Gateway
from collegium_connect.settings import Settings

SERVICE = "collegium-connect"
"""What the installation calls the service; the same in deploy/gateway."""


def register(commands: Commands) -> None:
    command = declare(commands, "up", "run the gateway until it is stopped", run)
    command.add_argument("--service", action="store_true", help="as a service of this system")


def run(options: argparse.Namespace) -> int:
    settings = chosen(options)
    log.configure(file=settings.log)
    machine.HERE.keep_large_blocks()
    if options.service:
        return machine.HERE.run_as_service(SERVICE, lambda: _serve(settings))
    return _serve(settings)


def _serve(settings: Settings) -> int:
    Gateway(settings).run()
    return 0
