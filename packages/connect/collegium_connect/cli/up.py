"""`up`: run the gateway until it is stopped."""

import argparse

from collegium_connect import log, machine
from collegium_connect.cli.options import Commands, chosen, declare
from collegium_connect.service import Gateway


def register(commands: Commands) -> None:
    declare(commands, "up", "run the gateway until it is stopped", run)


def run(options: argparse.Namespace) -> int:
    settings = chosen(options)
    log.configure(file=settings.log)
    machine.HERE.keep_large_blocks()
    Gateway(settings).run()
    return 0
