"""`trail list | verify`: what was done at this gateway, and whether nobody changed what is written."""

import argparse

from collegium_connect.cli.options import Commands, chosen, declare
from collegium_connect.cli.parts import local_parts
from collegium_connect.cli.person import add_as, signed_in


def register(commands: Commands) -> None:
    family = commands.add_parser("trail", help="what was done here, by whom and why")
    actions = family.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = declare(actions, "list", "show the newest entries with their reasons", _list)
    listing.add_argument("--limit", type=int, default=50, help="how many")
    add_as(listing)
    declare(actions, "verify", "recompute the whole chain", _verify)


def _list(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        signed_in(parts.people, options)
        lines = parts.trail.lines(limit=options.limit)
    for line in lines:
        at = line.at.isoformat(timespec="seconds")
        print(f"{line.seq:6} {at} {line.actor} ({line.actor_role}) {line.action} {line.ref} {line.detail}")
        if line.reason:
            print(f"       {line.reason}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        verdict = parts.trail.verify()
    if verdict.is_whole:
        print(f"{verdict.entries} entries, all as they were written. The last hash is {verdict.head}.")
        return 0
    print(f"Entry {verdict.broken_at} is changed or missing; the {verdict.entries} before it are sound.")
    return 1
