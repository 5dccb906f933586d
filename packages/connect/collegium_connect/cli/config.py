"""`config check`: read the configuration as the gateway would, and change nothing."""

import argparse

from collegium_connect.cli.options import Commands, chosen, declare


def register(commands: Commands) -> None:
    family = commands.add_parser("config", help="look at the configuration file")
    declare(
        family.add_subparsers(required=True, metavar="COMMAND"),
        "check",
        "read the configuration as the gateway would, and change nothing",
        run,
    )


def run(options: argparse.Namespace) -> int:
    settings = chosen(options)
    receive = settings.receive
    print(f"{options.config} can be used by {settings.gateway.name}.")
    print(f"It receives on {receive.host}:{receive.port} from {len(receive.allowed_callers)} listed callers.")
    print(f"It delivers to {settings.server.url}, and keeps its data in {settings.gateway.data_dir}.")
    if not receive.allowed_callers:
        print("Nobody may send: receive.allowed_callers is empty.")
    return 0
