"""What templates may say beside Django's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.utils.html import format_html

from collegium.kit.pages.assets import asset

if TYPE_CHECKING:
    from datetime import datetime

    from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag(name="asset")
def asset_address(name: str) -> str:
    """Address of a built front-end file: `{% asset "shell.css" %}`."""
    return asset(name)


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """A time the page shows in the reader's zone, with UTC on hover."""
    if value is None:
        return "–"  # noqa: RUF001  an en dash is what a table shows for nothing
    iso = value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        iso,
        value.strftime("%Y-%m-%d %H:%M:%S"),
        value.strftime("%Y-%m-%d %H:%M"),
    )


@register.filter
def bytes_of(value: int) -> str:
    """A size with its unit."""
    size = float(value)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return ""
