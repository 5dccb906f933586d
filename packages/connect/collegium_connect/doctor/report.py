"""The findings as a dated report: for a person, for a file, for a program."""

from collections.abc import Sequence
from datetime import datetime

from collegium_connect import SOFTWARE
from collegium_connect.doctor.findings import Finding, Verdict
from collegium_connect.doctor.network import firewall_sheet
from collegium_connect.settings import Settings


def report(settings: Settings, findings: Sequence[Finding], at: datetime) -> str:
    """The compatibility report; no word in it identifies a patient."""
    short = [finding for finding in findings if finding.verdict is Verdict.SHORT]
    lines = [
        f"Compatibility report of {settings.gateway.name}",
        f"{at.isoformat(timespec='seconds')}, {SOFTWARE}",
        "",
        *(_line(finding) for finding in findings),
        "",
        "What is missing:" if short else "Nothing is missing.",
        *(f"  {finding.about}: {finding.advice}" for finding in short),
        "",
        "Firewall:",
        *(f"  {line}" for line in firewall_sheet(settings)),
    ]
    return "\n".join(lines) + "\n"


def as_json(findings: Sequence[Finding], at: datetime) -> dict[str, object]:
    return {
        "at": at.isoformat(timespec="seconds"),
        "software": SOFTWARE,
        "findings": [
            {
                "about": finding.about,
                "verdict": str(finding.verdict),
                "found": finding.found,
                "needed": finding.needed,
                "advice": finding.advice,
            }
            for finding in findings
        ],
    }


def _line(finding: Finding) -> str:
    return f"{finding.verdict:8} {finding.about:22} {finding.found} (needed: {finding.needed})"
