"""`confirm`: read what a looser configuration would let pass, and put it in force."""

import argparse

from collegium_connect.actor import CONSOLE
from collegium_connect.channels import Channels
from collegium_connect.cli.options import Commands, chosen, declare, opened
from collegium_connect.clock import now
from collegium_connect.configuration import Configuration
from collegium_connect.journal.channels import StoredChannel
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.trail import Trail


def register(commands: Commands) -> None:
    command = declare(
        commands, "confirm", "show what waits for confirmation; with --digest, put it in force", run
    )
    command.add_argument("--channel", default="", metavar="AE", help="called AE title of the channel")
    command.add_argument("--digest", default="", help="of the configuration, as this command shows it")


def run(options: argparse.Namespace) -> int:
    settings = chosen(options)
    with opened(settings) as journal:
        keys = KeyFolder(settings.gateway.data_dir / "keys")
        trail = Trail(journal, load_secrets(keys), now)
        configuration = Configuration(journal, Channels(journal, keys), trail, now)
        waiting = [
            item for item in configuration.waiting() if options.channel in {"", item.offered.called_ae}
        ]
        if not options.digest:
            _show(waiting)
            return 0
        for item in waiting:
            if item.offered.digest() == options.digest:
                configuration.confirm(
                    actor=CONSOLE, channel_id=item.setup.channel_id, setup_digest=options.digest
                )
                print(f"{item.offered.called_ae}: in force. A running gateway follows within seconds.")
                return 0
        print("Nothing with this digest waits. Something else may have come; look again without --digest.")
        return 1


def _show(waiting: list[StoredChannel]) -> None:
    for item in waiting:
        print(f"{item.offered.called_ae}: {item.offered.project_name}, {item.offered.site_name}")
        for reason in item.looser:
            print(f"  {reason}")
        print(f"  recipe in force {item.setup.recipe_digest}")
        print(f"  recipe offered  {item.offered.recipe_digest}")
        print(f"  to put it in force: collegium-connect confirm --digest {item.offered.digest()}")
    if not waiting:
        print("Nothing waits for confirmation.")
