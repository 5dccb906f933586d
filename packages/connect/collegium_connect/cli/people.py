"""`people add | list | password | unlock | close`: the local users, made at the console of the gateway."""

import argparse

from collegium_connect.actor import CONSOLE, Role
from collegium_connect.cli.options import Commands, chosen, declare
from collegium_connect.cli.parts import local_parts
from collegium_connect.cli.person import password
from collegium_connect.people import Person


def register(commands: Commands) -> None:
    family = commands.add_parser("people", help="the local users of this gateway")
    actions = family.add_subparsers(dest="action", required=True, metavar="ACTION")
    adding = declare(actions, "add", "make an account; the password is asked for", _add)
    adding.add_argument("name", metavar="NAME")
    adding.add_argument("--role", choices=("administrator", "operator"), required=True)
    declare(actions, "list", "show everybody", _list)
    for name, words, run in (
        ("password", "give a new password, which is asked for", _password),
        ("unlock", "let somebody sign in again after too many failures", _unlock),
        ("close", "end an account", _close),
    ):
        declare(actions, name, words, run).add_argument("name", metavar="NAME")


def _add(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        person = parts.people.add(CONSOLE, options.name, Role(options.role), password("New password: "))
    print(f"{person.name} can sign in as {person.role}.")
    return 0


def _list(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        everybody = parts.people.listed()
    for person in everybody:
        print(f"{person.name:32} {person.role:14} {_state(person)}")
    if not everybody:
        print("Nobody yet. Make the first: collegium-connect people add NAME --role administrator.")
    return 0


def _password(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        parts.people.set_password(CONSOLE, options.name, password("New password: "))
    print("The password is changed. Whoever was signed in with the old one is not any more.")
    return 0


def _unlock(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        parts.people.unlock(CONSOLE, options.name)
    print("The account is unlocked.")
    return 0


def _close(options: argparse.Namespace) -> int:
    with local_parts(chosen(options)) as parts:
        parts.people.close(CONSOLE, options.name)
    print("The account is closed. Whoever was signed in with it is not any more.")
    return 0


def _state(person: Person) -> str:
    if not person.is_active:
        return "closed"
    return "locked" if person.locked_until else "active"
