"""`pull add` and `pull status`: lists of exams that a PACS shall send."""

import argparse
import sys
from pathlib import Path

from collegium_connect.actor import CONSOLE
from collegium_connect.cli.options import Commands, chosen, declare, opened
from collegium_connect.clock import now
from collegium_connect.errors import ConnectError
from collegium_connect.journal import channels, pulls
from collegium_connect.journal.database import Journal
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.pull import Requests
from collegium_connect.pull.pacs import Kind
from collegium_connect.settings import Settings
from collegium_connect.trail import Trail


class CannotPull(ConnectError):
    code = "connect.pull.impossible"
    message = "The list cannot be taken."


def register(commands: Commands) -> None:
    family = commands.add_parser("pull", help="have a PACS send exams that are listed").add_subparsers(
        required=True, metavar="COMMAND"
    )
    add = declare(family, "add", "take a list, one entry a line", run_add)
    add.add_argument("--from", dest="source", required=True, help="name of the PACS in [pull] sources")
    add.add_argument("--to", required=True, metavar="AE", help="called AE title of the channel")
    which = add.add_mutually_exclusive_group(required=True)
    which.add_argument("--accessions", type=Path, metavar="FILE", help="accession numbers; - reads the input")
    which.add_argument("--patients", type=Path, metavar="FILE", help="patient ids; - reads the input")
    declare(family, "status", "show how far the lists have come", run_status)


def run_add(options: argparse.Namespace) -> int:
    settings = chosen(options)
    if options.source not in {source.name for source in settings.pull.sources}:
        raise CannotPull("The configuration names no such PACS in [pull] sources.")
    kind = Kind.ACCESSION if options.accessions else Kind.PATIENT
    lines = _lines(options.accessions or options.patients)
    with opened(settings) as journal:
        added = _requests(settings, journal).take_list(
            actor=CONSOLE,
            channel_id=_channel(journal, options.to),
            source=options.source,
            kind=kind,
            lines=lines,
        )
    print(f"{added} new entries. A running gateway asks the PACS in its window.")
    return 0


def run_status(options: argparse.Namespace) -> int:
    with opened(chosen(options)) as journal, journal.look() as db:
        titles = {item.setup.channel_id: item.setup.called_ae for item in channels.channels(db)}
        told = pulls.counts(db)
    for line in told:
        print(f"{line.source} to {titles[line.channel_id]}: {line.waiting} wait, {line.done} done,")
        print(
            f"  {line.empty} without an exam, {line.failed} failed; {line.exams} exams, {line.objects} objects"
        )
        if line.problem:
            print(f"  {line.problem}")
    if not told:
        print("Nothing is listed.")
    return 0


def _requests(settings: Settings, journal: Journal) -> Requests:
    secrets = load_secrets(KeyFolder(settings.gateway.data_dir / "keys"))
    return Requests(journal, secrets, Trail(journal, secrets, now), now)


def _channel(journal: Journal, called_ae: str) -> str:
    with journal.look() as db:
        for item in channels.channels(db):
            if item.is_active and item.setup.called_ae == called_ae:
                return item.setup.channel_id
    raise CannotPull("There is no such channel here, or it was withdrawn.")


def _lines(path: Path) -> list[str]:
    try:
        return sys.stdin.readlines() if str(path) == "-" else path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CannotPull("The list cannot be read as text.") from error
