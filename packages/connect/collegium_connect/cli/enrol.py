"""`enrol`: spend a one-time code at the server."""

import argparse

from collegium_connect.cli.options import Commands, chosen, declare, opened
from collegium_connect.enrol import enrol
from collegium_connect.errors import SettingsInvalid


def register(commands: Commands) -> None:
    command = declare(commands, "enrol", "spend a one-time code at the server", run)
    command.add_argument("--server", help="base URL; must be the one in the configuration")
    command.add_argument("--code", required=True, help="the code the project gave")
    command.add_argument("--replace", action="store_true", help="enrol anew; keys and queue stay")


def run(options: argparse.Namespace) -> int:
    settings = chosen(options)
    url = options.server or settings.server.url
    if url.rstrip("/") != settings.server.url.rstrip("/"):
        raise SettingsInvalid(
            f"The configuration says server.url = {settings.server.url}. Correct one of them."
        )
    with opened(settings) as journal:
        count = enrol(settings, journal, url, options.code, replace=options.replace)
    print(f"Enrolled at {url} with {count} channels. (Re)start the gateway with: collegium-connect up.")
    print(f"Its keys are made at the first start. Back them up: {settings.gateway.data_dir / 'keys'}.")
    return 0
