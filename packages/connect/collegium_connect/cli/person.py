"""A named local person at the command line: `--as NAME`, and a password that is asked for or piped in."""

import argparse
import getpass
import sys

from collegium_connect.actor import Actor
from collegium_connect.people import People


def add_as(parser: argparse.ArgumentParser) -> None:
    """Declare who it is."""
    parser.add_argument(
        "--as", dest="person", required=True, metavar="NAME", help="who does it; the password is asked for"
    )


def signed_in(people: People, options: argparse.Namespace) -> Actor:
    """Who `--as` names, once the password was right. Raises SignInRefused, SignInLocked."""
    return people.check(options.person, password(f"Password of {options.person}: ")).actor


def password(question: str) -> str:
    """Asked for without showing it; where no person sits there, the next line of the input."""
    if sys.stdin.isatty():
        return getpass.getpass(question)
    return sys.stdin.readline().rstrip("\r\n")
