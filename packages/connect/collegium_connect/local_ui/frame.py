"""What every local page shares: its frame, its headers, and how times and sizes are written."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from collegium_connect.local_ui.sessions import Session
from collegium_connect.trail import words_of
from collegium_wire.acquisition import in_words

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
    " img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_DIGEST: Final = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


class Frame:
    """Renders templates; everything in them is escaped, and a misspelt name is an error."""

    def __init__(self, gateway_name: str, software: str) -> None:
        self._templates = Environment(
            loader=PackageLoader("collegium_connect.local_ui"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "time": _time, "size": _size, "plural": _plural, "asks": in_words, "act": words_of, "short": _short,
        }  # fmt: skip
        self._templates.globals |= {"gateway_name": gateway_name, "software": software}

    def page(
        self, template: str, session: Session | None, *, status: int = 200, **context: object
    ) -> HTMLResponse:
        """A whole page, or the part of one that its template is."""
        content = self._templates.get_template(template).render(session=session, **context)
        return HTMLResponse(content, status_code=status, headers=HEADERS)


def _time(at: datetime | None) -> str:
    """In this machine's zone, which is its people's; UTC when pointed at."""
    if at is None:
        return "never"
    there = at.astimezone()
    return Markup('<time datetime="{}" title="{:%Y-%m-%d %H:%M:%S} UTC">{:%Y-%m-%d %H:%M:%S}</time>').format(
        at.isoformat(), at.astimezone(UTC), there
    )


def _size(size_bytes: int) -> str:
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size_bytes >= scale:
            return f"{size_bytes / scale:.1f}\N{NO-BREAK SPACE}{unit}"
    return f"{size_bytes} bytes"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _short(text: str) -> str:
    """Digests by their first digits, as elsewhere on these pages."""
    return _DIGEST.sub(r"\1", text)
