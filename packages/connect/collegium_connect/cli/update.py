"""`update check | install | roll-back`: what the updater's account runs, by hand or by a timer."""

import argparse

from collegium_connect import log
from collegium_connect.cli.options import Commands, chosen, declare
from collegium_connect.service import lease_folder
from collegium_connect.updates.repository import Repository
from collegium_connect.updates.updater import Outcome, Update


def register(commands: Commands) -> None:
    family = commands.add_parser("update", help="look for, install or take back a signed release")
    acts = family.add_subparsers(required=True, metavar="COMMAND")
    declare(acts, "check", "say which release would be installed, and change nothing", check)
    declare(acts, "install", "install the release that is wanted, in an idle moment", install)
    declare(acts, "roll-back", "go back to the version before, and do not install this one again", roll_back)


def check(options: argparse.Namespace) -> int:
    settings = chosen(options)
    repository = Repository(settings.updates, settings.server)
    update = _update(options)
    try:
        release = update.wanted(repository)
    finally:
        repository.close()
    if release is None:
        print("Nothing newer.")
    elif update.has_failed(release.version):
        print(f"Version {release.version} did not work here, or was taken back; it is not tried again.")
    else:
        print(f"Version {release.version} would be installed.")
    return 0


def install(options: argparse.Namespace) -> int:
    log.configure(file=None)
    outcome = _update(options).run()
    print(f"The update ended: {outcome}.")
    return 1 if outcome is Outcome.ROLLED_BACK else 0


def roll_back(options: argparse.Namespace) -> int:
    log.configure(file=None)
    version = _update(options).roll_back()
    print(f"Version {version} is the current one again.")
    return 0


def _update(options: argparse.Namespace) -> Update:
    settings = chosen(options)
    return Update(
        settings,
        options.config,
        lambda: Repository(settings.updates, settings.server),
        lease_folder(settings),
    )
