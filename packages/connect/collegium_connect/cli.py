"""The command line: `collegium-connect up | enrol | send | status`."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from collegium_connect import SOFTWARE, log, settings
from collegium_connect.clock import now
from collegium_connect.enrol import enrol
from collegium_connect.errors import ConnectError, SettingsInvalid
from collegium_connect.journal.database import Journal
from collegium_connect.local_ui.status import as_json, gateway_status
from collegium_connect.memory import keep_large_blocks
from collegium_connect.push import push
from collegium_connect.send.errors import AttemptFailed
from collegium_connect.service import Gateway, journal_path
from collegium_connect.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 if it did what it says."""
    os.umask(0o077)  # whatever this program writes is nobody else's
    options = _parser().parse_args(arguments)
    try:
        return _run(options, settings.load(options.config))
    except ConnectError as error:
        print(f"{error} ({error.code})", file=sys.stderr)
    except AttemptFailed as failure:
        print(f"{failure.message} ({failure.code})", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="collegium-connect", description="The gateway in the hospital: receive, de-identify, deliver."
    )
    parser.add_argument("--version", action="version", version=SOFTWARE)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="run the gateway until it is stopped")
    enrolling = commands.add_parser("enrol", help="spend a one-time code at the server")
    enrolling.add_argument("--server", help="base URL; must be the one in the configuration")
    enrolling.add_argument("--code", required=True, help="the code the project gave")
    enrolling.add_argument("--replace", action="store_true", help="enrol anew; keys and queue stay")
    sending = commands.add_parser("send", help="hand the DICOM files of a folder to the running gateway")
    sending.add_argument("folder", type=Path)
    sending.add_argument("--to", default="", metavar="AE", help="called AE title of the channel")
    status = commands.add_parser("status", help="show channels, queue, exams and quarantine")
    status.add_argument("--json", action="store_true", help="for programs")
    for command in commands.choices.values():
        command.add_argument("--config", type=Path, required=True, metavar="FILE", help="the TOML file")
    return parser


def _run(options: argparse.Namespace, chosen: Settings) -> int:
    if options.command == "up":
        return _up(chosen)
    if options.command == "enrol":
        return _enrol(chosen, options)
    if options.command == "send":
        return _send(chosen, options)
    return _status(chosen, as_text=not options.json)


def _up(chosen: Settings) -> int:
    log.configure()
    keep_large_blocks()
    Gateway(chosen).run()
    return 0


def _enrol(chosen: Settings, options: argparse.Namespace) -> int:
    url = options.server or chosen.server.url
    if url.rstrip("/") != chosen.server.url.rstrip("/"):
        raise SettingsInvalid(
            f"The configuration says server.url = {chosen.server.url}. Correct one of them."
        )
    journal = Journal(journal_path(chosen))
    try:
        count = enrol(chosen, journal, url, options.code, replace=options.replace)
    finally:
        journal.close()
    print(f"Enrolled at {url} with {count} channels. (Re)start the gateway with: collegium-connect up.")
    print(f"Its keys are made at the first start. Back them up: {chosen.gateway.data_dir / 'keys'}.")
    return 0


def _send(chosen: Settings, options: argparse.Namespace) -> int:
    result = push(chosen, options.folder, options.to)
    print(f"{result.taken} taken, {result.refused} refused, {result.skipped} are no DICOM files.")
    return 0 if result.taken and not result.refused else 1


def _status(chosen: Settings, *, as_text: bool) -> int:
    journal = Journal(journal_path(chosen))
    try:
        status = gateway_status(journal, name=chosen.gateway.name, software=SOFTWARE, at=now())
    finally:
        journal.close()
    if not as_text:
        print(json.dumps(as_json(status), indent=2))
        return 0
    print(f"{status.name}: {'enrolled at ' + status.server_url if status.is_enrolled else 'not enrolled'}")
    print(f"{status.totals.queue_objects} objects wait, {status.totals.failures} failed attempts.")
    for line in status.channels:
        state = "open" if line.is_active else "withdrawn"
        print(f"  {line.setup.called_ae:16} {state:9} {line.setup.project_name}, {line.setup.site_name}")
    for exam in status.exams[:20]:
        print(f"  {exam.subject_code:16} {exam.state:9} {exam.delivered}/{exam.objects} {exam.reason}")
    for quarantined in status.quarantine:
        print(f"  quarantine: {quarantined.objects} objects: {quarantined.reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
