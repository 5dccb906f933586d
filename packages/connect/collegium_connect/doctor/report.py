"""The findings as a dated report: for a person, for a file, for a program.

No word in it identifies a patient. It is not signed; the digest at its end tells one report from another.
"""

import hashlib
import html
import platform
import ssl
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from collegium_connect import SOFTWARE
from collegium_connect.doctor.findings import Finding, Verdict
from collegium_connect.doctor.network import firewall_sheet
from collegium_connect.settings import Settings

_STYLE: Final = (
    "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}th,td{border:1px solid #888;padding:.3rem .5rem;text-align:left}"
)


def as_text(settings: Settings, findings: Sequence[Finding], at: datetime) -> str:
    """The compatibility report as lines, with the digest of all lines before it."""
    short = _short(findings)
    lines = [
        _title(settings),
        *_when(at),
        "",
        *(_line(finding) for finding in findings),
        "",
        "What is missing:" if short else "Nothing is missing.",
        *(f"  {finding.about}: {finding.advice}" for finding in short),
        "",
        "Firewall:",
        *(f"  {line}" for line in firewall_sheet(settings)),
    ]
    body = "\n".join(lines) + "\n"
    return f"{body}\nSHA-256 of the lines above: {hashlib.sha256(body.encode()).hexdigest()}\n"


def as_html(settings: Settings, findings: Sequence[Finding], at: datetime) -> str:
    """The same as one page without anything from elsewhere; its digest is that of the lines."""
    title, told = html.escape(_title(settings)), as_text(settings, findings, at).splitlines()[-1]
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in _cells(finding)) + "</tr>"
        for finding in findings
    )
    sheet = "".join(f"<li>{html.escape(line)}</li>" for line in firewall_sheet(settings))
    head = "".join(
        f'<th scope="col">{word}</th>' for word in ("What", "Verdict", "Found", "Needed", "What to do")
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>"
        + "".join(f"<p>{html.escape(line)}</p>" for line in _when(at))
        + f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        + f"<h2>Firewall</h2><ul>{sheet}</ul>"
        + f"<p>{told.replace('lines above', 'report as text')}</p></body></html>\n"
    )


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


def _title(settings: Settings) -> str:
    return f"Compatibility report of {settings.gateway.name}"


def _when(at: datetime) -> tuple[str, str]:
    runs_on = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{at.isoformat(timespec='seconds')}, {SOFTWARE}", f"{runs_on}, {ssl.OPENSSL_VERSION}"


def _short(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.verdict is Verdict.SHORT]


def _line(finding: Finding) -> str:
    advice = f" {finding.advice}" if finding.verdict is Verdict.UNKNOWN else ""
    return f"{finding.verdict:8} {finding.about:22} {finding.found} (needed: {finding.needed}){advice}"


def _cells(finding: Finding) -> tuple[str, ...]:
    return finding.about, str(finding.verdict), finding.found, finding.needed, finding.advice
