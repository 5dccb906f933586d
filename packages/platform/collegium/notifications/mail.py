"""One plain e-mail a person about all that is new: project, what waits, where to sign in. Nothing else, ever."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from django.core.mail import EmailMessage, get_connection
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from collegium.kit import clock
from collegium.kit.database import acting_as, anonymous
from collegium.kit.principals import Principal
from collegium.notifications import queries, services, words
from collegium.notifications.models import NotificationKind
from collegium.settings.installation import installation
from collegium.trust.identity.queries import mail_address
from collegium.trust.tenancy.models import SpaceKind
from collegium.trust.tenancy.queries import spaces_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from django.core.mail.backends.base import BaseEmailBackend

    from collegium.notifications.models import Notification

JOB = "notifications.mail"
GIVEN_UP_AFTER = timedelta(days=1)


def send_waiting() -> int:
    """Write to everybody who has not looked; returns how many were written to. Nothing without a mail server.

    Raises:
        OSError: the mail server does not answer; all is tried again a minute later.
        ExceptionGroup: single messages it did not take, after all others were sent.
    """
    settings = installation()
    if not settings.mail_host:
        return 0
    since = clock.now() - GIVEN_UP_AFTER
    waiting = _waiting(clock.now() - timedelta(seconds=settings.mail_wait_s), since)
    failures: list[Exception] = []
    sent = 0
    if waiting:
        with get_connection() as line:
            for person in waiting:
                try:
                    sent += _write(person, since, line)
                except Exception as error:  # noqa: BLE001  raised below: one bad address must not stop the others
                    failures.append(error)
    if failures:
        raise ExceptionGroup("Some messages were not sent.", failures)
    return sent


def _waiting(before: datetime, after: datetime) -> list[UUID]:
    with anonymous(), connection.cursor() as cursor:
        cursor.execute("select notifications_waiting(%s, %s)", [before, after])
        return [row[0] for row in cursor.fetchall()]


def _write(person: UUID, since: datetime, line: BaseEmailBackend) -> bool:
    """Send, then note it: a message may come twice after a crash, but none is lost."""
    principal = Principal.person(person).as_job(JOB)
    with acting_as(principal):
        told = queries.to_mail(principal, since)
        address = mail_address(person)
        if not told or not address:
            return False
        names = {space.id: space.name for space in spaces_of(principal, SpaceKind.PROJECT)}
        message = message_about(told, names, installation().address)
        message.to, message.connection = [address], line
        services.mark_mailed(principal, [one.id for one in told])
        message.send()
    return True


def message_about(told: Sequence[Notification], names: dict[UUID, str], address: str) -> EmailMessage:
    """The message for what was told, without its receiver."""
    by_space: dict[UUID, Counter[NotificationKind]] = {}
    for one in told:
        by_space.setdefault(one.space_id, Counter())[NotificationKind(one.kind)] += 1
    lines = []
    for space_id, kinds in by_space.items():
        lines += [_("%(project)s:") % {"project": names.get(space_id, "")}]
        lines += [f"- {words.what(kind, count)}" for kind, count in kinds.items()]
        lines += [""]
    only = names.get(next(iter(by_space)), "") if len(by_space) == 1 else ""
    subject = (
        _("New for you in %(project)s") % {"project": only}
        if only
        else ngettext("New for you in %(n)d project", "New for you in %(n)d projects", len(by_space))
        % {"n": len(by_space)}
    )
    body = [
        _("There is something new for you in Collegium."), "", *lines,
        _("Sign in to see it: %(address)s") % {"address": f"{address}/notifications/"}, "",
        _("You can turn these messages off on the same page."),
    ]  # fmt: skip
    headers = {"Auto-Submitted": "auto-generated"}
    return EmailMessage(" ".join(subject.split()), "\n".join(body), headers=headers)
