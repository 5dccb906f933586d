"""E-mail goes out once a minute, so that what comes together is told together."""

from __future__ import annotations

from collegium.kit.jobs import periodic
from collegium.notifications import mail


@periodic(mail.JOB, cron="* * * * *")
def send(timestamp: int) -> None:  # noqa: ARG001  every periodic job is told when it was due
    """Write to everybody who has not looked."""
    mail.send_waiting()
