"""`status` and `channels`: what the journal says, whether the gateway runs or not."""

import argparse
import json

from collegium_connect import SOFTWARE
from collegium_connect.cli.options import Commands, chosen, declare, opened
from collegium_connect.clock import now
from collegium_connect.local_ui.status import ChannelLine, GatewayStatus, as_json, gateway_status


def register(commands: Commands) -> None:
    status = declare(commands, "status", "show channels, queue, exams and quarantine", run)
    status.add_argument("--json", action="store_true", help="for programs")
    channels = declare(
        commands, "channels", "show what a PACS can send to, and what each channel holds", run_channels
    )
    channels.add_argument("--json", action="store_true", help="for programs")


def run(options: argparse.Namespace) -> int:
    status = _read(options)
    if options.json:
        print(json.dumps(as_json(status), indent=2))
        return 0
    print(f"{status.name}: {'enrolled at ' + status.server_url if status.is_enrolled else 'not enrolled'}")
    print(f"{status.totals.queue_objects} objects wait, {status.totals.failures} failed attempts.")
    for line in status.channels:
        print(
            f"  {line.setup.called_ae:16} {_state(line):9} {line.setup.project_name}, {line.setup.site_name}"
        )
    for exam in status.exams[:20]:
        print(f"  {exam.subject_code:16} {exam.state:9} {exam.delivered}/{exam.objects} {exam.reason}")
        for words in exam.unmet:
            print(f"    {words}")
    for quarantined in status.quarantine:
        print(f"  quarantine: {quarantined.objects} objects: {quarantined.reason}")
    return 0


def run_channels(options: argparse.Namespace) -> int:
    status = _read(options)
    if options.json:
        print(json.dumps(as_json(status)["channels"], indent=2))
        return 0
    for line in status.channels:
        setup, counts = line.setup, line.counts
        print(f"{setup.called_ae:16} {_state(line):9} {setup.project_name}, {setup.site_name}")
        print(f"  recipe {setup.recipe_digest[:16]}, closed after {setup.quiet_time_s} quiet seconds")
        print(f"  {counts.queue_objects} objects wait, {counts.set_aside_objects} are set aside")
    if not status.channels:
        print("No channel yet. They come from the server once this gateway is enrolled and has one there.")
    return 0


def _read(options: argparse.Namespace) -> GatewayStatus:
    settings = chosen(options)
    with opened(settings) as journal:
        return gateway_status(journal, name=settings.gateway.name, software=SOFTWARE, at=now())


def _state(line: ChannelLine) -> str:
    return "open" if line.is_active else "withdrawn"
