"""`self-test`: whether this version works on this machine; the updater asks before it installs one."""

import argparse

from collegium_connect.cli.options import Commands, chosen, declare
from collegium_connect.self_test import SelfTestFailed, self_test
from collegium_connect.updates.version import Version


def register(commands: Commands) -> None:
    command = declare(
        commands, "self-test", "try on this machine what the gateway needs, and change nothing", run
    )
    command.add_argument("--expect", metavar="VERSION", help="fail if this is another version")


def run(options: argparse.Namespace) -> int:
    if options.expect and str(Version.here()) != options.expect:
        raise SelfTestFailed(f"This is version {Version.here()}.")
    settings = chosen(options)
    print(f"The configuration of {settings.gateway.name} can be used.")
    for sentence in self_test():
        print(sentence)
    return 0
