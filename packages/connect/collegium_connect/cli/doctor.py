"""`doctor`: compare this machine, its line and its door with what the gateway needs; 1 if something is short."""

import argparse
import json
from pathlib import Path

from collegium_connect.cli.options import Commands, chosen, declare, opened
from collegium_connect.clock import now
from collegium_connect.doctor import Finding, Verdict, as_html, as_json, as_text, examine, open_channels
from collegium_connect.doctor.dry_exam import dry_exam
from collegium_connect.doctor.network import LINE
from collegium_connect.doctor.round_trip import round_trip


def register(commands: Commands) -> None:
    command = declare(
        commands, "doctor", "compare this machine, its line and its door with what the gateway needs", run
    )
    command.add_argument(
        "--exam",
        metavar="AE",
        default="",
        help="send the test exam to this channel; without it to the first open one",
    )
    command.add_argument("--no-exam", action="store_true", help="send no test exam")
    command.add_argument("--json", action="store_true", help="for programs")
    command.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="write the dated report there too; as a page if it ends .html",
    )


def run(options: argparse.Namespace) -> int:
    settings, at = chosen(options), now()
    with opened(settings) as journal:
        findings = (*examine(settings, journal), dry_exam(open_channels(journal)))
        if not options.no_exam and not _is_cut_off(findings):
            findings += round_trip(settings, journal, now, called_ae=options.exam)
    text = as_text(settings, findings, at)
    print(json.dumps(as_json(findings, at), indent=2) if options.json else text, end="")
    if options.report:
        is_page = options.report.suffix in {".html", ".htm"}
        options.report.write_text(as_html(settings, findings, at) if is_page else text, "utf-8")
    return int(any(finding.verdict is Verdict.SHORT for finding in findings))


def _is_cut_off(findings: tuple[Finding, ...]) -> bool:
    """Whether the server cannot be reached, which is told already and would be waited for."""
    return any(one.about == LINE and one.verdict is Verdict.UNKNOWN for one in findings)
