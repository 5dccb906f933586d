"""What templates may say beside Django's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.utils.html import format_html
from django.utils.translation import gettext as _

from collegium.kit.pages.assets import asset

if TYPE_CHECKING:
    from datetime import date, datetime

    from django.utils.safestring import SafeString

    from collegium.kit.pages.lists import Asked

register = template.Library()

NOTHING = "–"  # noqa: RUF001  an en dash is what a table shows for nothing
_DICOM_DAY = 8


@register.simple_tag(name="asset")
def asset_address(name: str) -> str:
    """Address of a built front-end file: `{% asset "shell.css" %}`."""
    return asset(name)


@register.simple_tag(name="head")
def column_head(asked: Asked, column: str, label: str, kind: str = "") -> SafeString:
    """A column's head that sorts the list: `{% head asked "code" _("Subject") "number" %}`."""
    way = {column: "ascending", f"-{column}": "descending"}.get(asked.sort, "")
    icon = {"ascending": "chevron-up", "descending": "chevron-down"}.get(way, "selector")
    return format_html(
        '<th scope="col"{}{}><a class="sort" href="{}" title="{}">{}'
        '<i class="ti ti-sm ti-{}" aria-hidden="true"></i></a></th>',
        format_html(' class="{}"', kind) if kind else "",
        format_html(' aria-sort="{}"', way) if way else "",
        asked.sorted_by(column),
        _("Sort by this column"),
        label,
        icon,
    )


@register.filter
def moment(value: datetime | None, style: str = "minute") -> SafeString | str:
    """A time the page shows in the person's zone, with UTC on hover; `moment:"ago"` relative within a day."""
    if value is None:
        return NOTHING
    return format_html(
        '<time datetime="{}" title="{} UTC" data-style="{}">{}</time>',
        value.strftime("%Y-%m-%dT%H:%M:%SZ"),
        value.strftime("%Y-%m-%d %H:%M:%S"),
        style,
        value.strftime("%Y-%m-%d" if style == "date" else "%Y-%m-%d %H:%M"),
    )


@register.filter
def day(value: date | str | None) -> SafeString | str:
    """A day without a time, which has no zone; DICOM's `20260131` as well."""
    if isinstance(value, str) and len(value) == _DICOM_DAY and value.isdigit():
        value = f"{value[:4]}-{value[4:6]}-{value[6:]}"
    if not value:
        return NOTHING
    text = value if isinstance(value, str) else value.strftime("%Y-%m-%d")
    return format_html('<time datetime="{}">{}</time>', text, text)


@register.filter
def bytes_of(value: int) -> str:
    """A size with its unit."""
    size = float(value)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return ""
