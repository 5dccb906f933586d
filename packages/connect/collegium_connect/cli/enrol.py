"""`enrol`: spend a one-time code at the server."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from collegium_connect.cli.options import Commands, chosen, declare, opened
from collegium_connect.enrol import Enrolled, enrol
from collegium_connect.errors import SettingsInvalid
from collegium_connect.send.errors import AttemptFailed


def register(commands: Commands) -> None:
    command = declare(commands, "enrol", "spend a one-time code at the server", run)
    command.add_argument("--server", help="base URL; must be the one in the configuration")
    command.add_argument("--code", required=True, help="the code the project gave")
    command.add_argument(
        "--replace",
        action="store_true",
        help="enrol anew, with a new code; keys, link table and all that waits stay",
    )


def run(options: argparse.Namespace) -> int:
    settings = chosen(options)
    url = options.server or settings.server.url
    if url.rstrip("/") != settings.server.url.rstrip("/"):
        raise SettingsInvalid(
            f"The configuration says server.url = {settings.server.url}. Correct one of them."
        )
    try:
        with opened(settings) as journal:
            done = enrol(settings, journal, url, options.code, replace=options.replace)
    except AttemptFailed as failure:
        print(f"{failure.message} ({failure.code})", file=sys.stderr)
        return 1
    for line in _words(done, url, settings.gateway.data_dir / "keys"):
        print(line)
    return 0


def _words(done: Enrolled, url: str, keys: Path) -> Iterator[str]:
    """What has become of the gateway, and what is to be done now."""
    number = f"{done.channels} channel{'' if done.channels == 1 else 's'}"
    if not done.is_anew:
        yield f"Enrolled at {url} with {number}. Start the gateway with: collegium-connect up."
        yield f"The site keys are made at the first start. Back them up then: {keys}."
        return
    yield f"Enrolled anew at {url} with {number}. Restart the gateway; until then it speaks as before."
    yield "Keys, link table and all that waits are as they were."
    for name in done.kept:
        yield f"  {name}: goes on with its key and its subject codes."
    for name in done.new:
        yield f"  {name}: new here. Its key is made at the next start, its subject codes begin at 001."
    for channel in done.withdrawn:
        yield (
            f"  {channel.name}: not named by the server any more. It takes nothing; {channel.objects} objects"
            " of it stay here."
        )
    if done.new:
        yield f"Back up the new keys after the restart: {keys}."
