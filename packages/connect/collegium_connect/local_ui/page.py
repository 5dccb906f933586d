"""The page's HTML, written on the server: no script, no asset from elsewhere, everything escaped."""

from collections.abc import Iterable
from datetime import datetime
from html import escape
from typing import Final

from collegium_connect.local_ui.status import ChannelLine, GatewayStatus

_STATES: Final = {
    "receiving": "Receiving",
    "queued": "Queued",
    "retrying": "Retrying",
    "delivered": "Delivered",
    "held": "Held",
    "refused": "Refused",
}


def page(status: GatewayStatus) -> str:
    """The whole document."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="10">
<title>{escape(status.name)} - Collegium Connect</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header>
<p class="product">Collegium Connect</p>
<h1>{escape(status.name)}</h1>
<p class="quiet">{escape(status.software)}, {_time(status.at)}</p>
</header>
<main>
{_notice(status)}
{_figures(status)}
<section aria-labelledby="channels"><h2 id="channels">Channels</h2>
{_channels(status.channels)}</section>
<section aria-labelledby="exams"><h2 id="exams">Exams</h2>
{_exams(status)}</section>
<section aria-labelledby="quarantine"><h2 id="quarantine">Quarantine</h2>
{_quarantine(status)}</section>
</main>
</body>
</html>
"""


def _notice(status: GatewayStatus) -> str:
    if not status.is_enrolled:
        return (
            '<p class="notice" role="status">This gateway is not enrolled yet. Ask the project for a code and run'
            " <code>collegium-connect enrol</code>.</p>"
        )
    if status.problem:
        return (
            f'<p class="notice" role="status">{escape(status.problem)} Nothing is lost: exams wait here and are'
            " sent when the server answers again.</p>"
        )
    return ""


def _figures(status: GatewayStatus) -> str:
    totals = status.totals
    figures = (
        ("Waiting to be sent", f"{totals.queue_objects} objects", _size(totals.queue_bytes)),
        ("Last delivery", _time(totals.last_success_at), ""),
        ("Failed attempts", str(totals.failures), "of what waits now"),
        ("In quarantine", f"{sum(line.objects for line in status.quarantine)} objects", ""),
    )
    cards = "".join(
        f"<div><dt>{name}</dt><dd>{escape(value)}<small>{escape(more)}</small></dd></div>"
        for name, value, more in figures
    )
    return f"<dl>{cards}</dl>"


def _channels(lines: Iterable[ChannelLine]) -> str:
    rows = [
        (
            f"<strong>{escape(line.setup.name)}</strong>",
            f"<code>{escape(line.setup.called_ae)}</code>",
            f"{escape(line.setup.project_name)}, {escape(line.setup.site_name)}",
            _channel_state(line),
            str(line.counts.queue_objects),
            str(line.counts.set_aside_objects),
            _time(line.counts.last_received_at),
            _time(line.counts.last_success_at),
        )
        for line in lines
    ]
    heads = (
        "Name",
        "Called AE",
        "Project, site",
        "State",
        "Waiting",
        "Quarantine",
        "Last received",
        "Last sent",
    )
    return _table(heads, rows, "No channel yet. The server adds channels; they appear here within a minute.")


def _channel_state(line: ChannelLine) -> str:
    if line.problem:
        return f'<span class="state refused">Off</span> {escape(line.problem)}'
    return _badge("delivered", "Open") if line.is_active else _badge("held", "Withdrawn")


def _exams(status: GatewayStatus) -> str:
    rows = [
        (
            f"<strong>{escape(line.subject_code)}</strong>",
            escape(line.channel_name),
            _badge(line.state, _STATES[line.state]),
            f"{line.delivered} of {line.objects}",
            escape(line.reason)
            + (f" Next try {_time(line.next_attempt_at)}." if line.next_attempt_at else ""),
            _time(line.last_received_at),
        )
        for line in status.exams
    ]
    heads = ("Subject", "Channel", "State", "Delivered", "Why", "Last received")
    return _table(heads, rows, "No exam yet. Send one from the PACS to a channel's AE title.")


def _quarantine(status: GatewayStatus) -> str:
    rows = [
        (escape(line.reason), f"<code>{escape(line.reason_code)}</code>", str(line.objects))
        for line in status.quarantine
    ]
    return _table(("Reason", "Code", "Objects"), rows, "Nothing is in quarantine.")


def _table(heads: Iterable[str], rows: Iterable[tuple[str, ...]], empty: str) -> str:
    rows = list(rows)
    if not rows:
        return f'<p class="empty">{escape(empty)}</p>'
    head = "".join(f'<th scope="col">{escape(item)}</th>' for item in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _badge(state: str, text: str) -> str:
    return f'<span class="state {state}">{escape(text)}</span>'


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes < 1e9 else f"{size_bytes / 1e9:.2f} GB"


def _time(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"
