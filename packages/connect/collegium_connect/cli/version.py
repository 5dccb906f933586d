"""`version`: what this program is, and what it runs on."""

import argparse
import platform
import sqlite3
import ssl

from collegium_connect import SOFTWARE
from collegium_connect.cli.options import Commands


def register(commands: Commands) -> None:
    command = commands.add_parser("version", help="show what this program is and what it runs on")
    command.set_defaults(run=run)


def run(_options: argparse.Namespace) -> int:
    print(SOFTWARE)
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {ssl.OPENSSL_VERSION}")
    print(f"{platform.system()} {platform.release()} on {platform.machine()}")
    return 0
