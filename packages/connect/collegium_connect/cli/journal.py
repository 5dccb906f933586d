"""`journal check | copy | rebuild`: look after the gateway's only memory."""

import argparse

from collegium_connect.cli.options import Commands, alone, chosen, declare, opened
from collegium_connect.clock import now
from collegium_connect.folders import copies_path, journal_path
from collegium_connect.journal.backups import keep_copy
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.place import adopt
from collegium_connect.rebuild import rebuild
from collegium_connect.settings import Settings
from collegium_connect.spool import Stores


def register(commands: Commands) -> None:
    command = declare(commands, "journal", "check, copy or rebuild the journal, adopt a copied folder", run)
    command.add_argument(
        "action",
        choices=("check", "copy", "rebuild", "adopt"),
        help="check: read every page; copy: keep a copy now; rebuild: make a damaged journal again"
        " from its newest copy and the spool, with the gateway stopped; adopt: say that this data folder"
        " was moved, and that the one it was copied from will never run again",
    )


def run(options: argparse.Namespace) -> int:
    settings = chosen(options)
    if options.action == "rebuild":
        return _rebuild(settings)
    if options.action == "adopt":
        adopt(settings.gateway.data_dir)
        print("This data folder is the gateway's own now. Never start the one that it was copied from.")
        return 0
    with opened(settings) as journal:
        journal.check()
        if options.action == "copy":
            copy = keep_copy(journal, copies_path(settings))
            print(f"A copy of the journal is at {copy}.")
        else:
            print("The journal is as it was written.")
    return 0


def _rebuild(settings: Settings) -> int:
    folder = settings.gateway.data_dir
    with alone(folder):
        secrets = load_secrets(KeyFolder(folder / "keys"))
        stores = Stores.below(folder, settings.limits, secrets.sealing)
        done = rebuild(journal_path(settings), copies_path(settings), stores, secrets, now)
    print(f"The journal is made again: {done.kept} objects of the copy, {done.added} more from the spool.")
    print(f"Links that the copy lacked: {done.links}. Objects whose record is gone: {done.missing}.")
    print(f"The damaged journal is kept at {done.damaged}. Start the gateway with: collegium-connect up.")
    return 0
