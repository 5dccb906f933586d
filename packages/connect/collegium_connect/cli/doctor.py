"""`doctor`: compare this machine and its line with what the gateway needs; 1 if something is short."""

import argparse
import json
from pathlib import Path

from collegium_connect.cli.options import Commands, chosen, declare, opened
from collegium_connect.clock import now
from collegium_connect.doctor import Verdict, as_json, examine, report
from collegium_connect.doctor.round_trip import round_trip


def register(commands: Commands) -> None:
    command = declare(
        commands, "doctor", "compare this machine and its line with what the gateway needs", run
    )
    command.add_argument(
        "--exam", metavar="AE", help="send an invented exam to this channel, and wait for its receipt"
    )
    command.add_argument("--json", action="store_true", help="for programs")
    command.add_argument("--report", type=Path, metavar="FILE", help="write the dated report there too")


def run(options: argparse.Namespace) -> int:
    settings, at = chosen(options), now()
    with opened(settings) as journal:
        findings = examine(settings, journal)
        if options.exam:
            findings += round_trip(settings, journal, options.exam, now)
    text = report(settings, findings, at)
    print(json.dumps(as_json(findings, at), indent=2) if options.json else text, end="")
    if options.report:
        options.report.write_text(text, "utf-8")
    return int(any(finding.verdict is Verdict.SHORT for finding in findings))
