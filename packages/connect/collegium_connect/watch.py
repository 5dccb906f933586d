"""Look at the gateway every few seconds: what a person should know, how fast it goes, what may be erased."""

import shutil
import sqlite3
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from collegium_connect.alarms import Alarms
from collegium_connect.channels import Channels
from collegium_connect.clock import Clock, to_ms
from collegium_connect.errors import JournalDamaged
from collegium_connect.journal import answers, overview, pulls, selected
from collegium_connect.journal import channels as stored
from collegium_connect.journal.database import Journal
from collegium_connect.journal.objects import UNMET
from collegium_connect.receive.certificate import Certificate
from collegium_connect.send.client import ServerClient
from collegium_connect.send.meter import Meter
from collegium_connect.send.sender import Sender
from collegium_connect.spool import Stores
from collegium_connect.tolerances import CERTIFICATE_DAYS, CLOCK_S
from collegium_connect.twins import SHARED, SHARED_WORDS

WATCH_S: Final = 2.0
LINE_DOWN: Final = "connect.line.down"
_LINE_DOWN_AFTER_S: Final = 300.0
# What to do before a certificate ends, and what its end means.
_OF_SERVER: Final = (
    "Tell whoever runs the server.", "Nothing can be delivered until it is renewed.",
)  # fmt: skip
_OF_DOOR: Final = (
    "Renew receive.tls_certificate_file and its key; they are taken up without a restart.",
    "Senders that look at it no longer send: renew receive.tls_certificate_file and its key.",
)
_SPANS: Final = ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes"))
_MOST_CHARACTERS: Final = 400
_NAMED_FOR: Final = timedelta(hours=1)
"""What an export manifest names may take so long to come."""
_TOLD_FOR: Final = timedelta(days=1)
"""An exam that was sent though it lacks something is told for so long."""

_HELD_FOR: Final = timedelta(days=7)
"""What the server holds is told for so long; the exam's line says it as long as its objects are remembered."""


class Watch:
    """Keeps `alarms` true; call `run_once` every WATCH_S."""

    def __init__(  # noqa: PLR0913 - what it looks at
        self,
        journal: Journal,
        channels: Channels,
        stores: Stores,
        sender: Sender,
        client: ServerClient,
        *,
        folder: Path,
        clock: Clock,
        certificate: Certificate | None = None,
        elapsed_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal, self._channels, self._stores = journal, channels, stores
        self._sender, self._client, self._certificate = sender, client, certificate
        self._folder, self._clock, self._elapsed_s = folder, clock, elapsed_s
        self._down_since_s: float | None = None
        self.alarms, self.received, self.sent = Alarms(clock), Meter(), sender.meter
        self._received_by: dict[str, Meter] = {}  # by channel id
        with journal.look() as db:
            self._last_row = overview.last_row(db)

    @property
    def received_mbps(self) -> dict[str, float]:
        """By channel id, where anything came since the start."""
        return {channel_id: meter.mbps for channel_id, meter in self._received_by.copy().items()}

    @property
    def disk_free_bytes(self) -> int:
        return shutil.disk_usage(self._folder).free

    def run_once(self) -> None:
        self._tell_of_disk_and_journal()
        if self._journal.is_damaged:
            return
        self._channels.follow()
        self._tell_of_channels()
        self._tell_of_line()
        self._tell_of_clock()
        self._tell_of_certificates()
        self._tell_of_own_certificate()
        self._sender.let_go_of_expired()

    def _tell_of_disk_and_journal(self) -> None:
        damaged = {"": JournalDamaged.message} if self._journal.is_damaged else {}
        self.alarms.keep(JournalDamaged.code, damaged)
        full = "The spool or its disk is full: senders are refused until there is room."
        self.alarms.keep("connect.spool.full", {} if self._stores.usage.has_room() else {"": full})

    def _tell_of_channels(self) -> None:
        with self._journal.look() as db:
            told = _of_ways(db, self._clock()) | _of_exams(db, self._clock())
            shared_ms = stored.shared_since_ms(db)
            self._last_row, sizes = overview.received_after(db, self._last_row)
        self.received.add(sum(sizes.values()))
        for channel_id, size in sizes.items():
            self._received_by.setdefault(channel_id, Meter()).add(size)
        told["connect.channel.idle"] = {
            item.setup.channel_id: f"The channel is not served. {item.reason}"[:_MOST_CHARACTERS]
            for item in self._channels.idle
        }
        told[SHARED] = {} if shared_ms is None else {"": SHARED_WORDS}
        for code, words in told.items():
            self.alarms.keep(code, words)

    def _tell_of_line(self) -> None:
        problem, now_s = self._sender.line.problem, self._elapsed_s()
        if not problem:
            self._down_since_s = None
        elif self._down_since_s is None:
            self._down_since_s = now_s
        down_s = 0.0 if self._down_since_s is None else now_s - self._down_since_s
        if down_s >= _LINE_DOWN_AFTER_S:
            self.alarms.set(LINE_DOWN, f"Nothing was delivered for {down_s // 60:.0f} minutes. {problem}")
        else:
            self.alarms.clear(LINE_DOWN)

    def _tell_of_clock(self) -> None:
        ahead_s = self._client.clock_ahead_s or 0.0
        words = _clock_words(ahead_s) if abs(ahead_s) > CLOCK_S else ""
        self.alarms.keep("connect.clock.off", {"": words} if words else {})

    def _tell_of_certificates(self) -> None:
        ends = {
            "connect.server.certificate_ends": ("The server's certificate", self._client.certificate_ends),
            "connect.server.authority_ends": (
                "The certificate in server.ca_file",
                self._client.authority_ends,
            ),
        }
        for code, (what, at) in ends.items():
            words = _notice(what, at, self._clock(), _OF_SERVER)
            self.alarms.keep(code, {"": words} if words else {})

    def _tell_of_own_certificate(self) -> None:
        if self._certificate is None:
            return
        self._certificate.look()
        problem = self._certificate.problem
        self.alarms.keep("connect.receive.certificate_unfit", {"": problem} if problem else {})
        words = _notice("The DICOM port's certificate", self._certificate.ends, self._clock(), _OF_DOOR)
        self.alarms.keep("connect.receive.certificate_ends", {"": words} if words else {})


def _of_ways(db: sqlite3.Connection, now: datetime) -> dict[str, dict[str, str]]:
    """What is told of the ways in and out: for each code, words by channel."""
    return {
        "connect.delivery.given_up": {
            channel_id: f"Deliveries given up after too many failed attempts: {count}."
            " The local page says why; it offers to try again."
            for channel_id, count in overview.given_up(db).items()
        },
        answers.HELD: {
            channel_id: f"Objects sent within a week that the server has with another header or other pixels: {count}."
            " It holds them until the project decides; the list of exams says what differs."
            for channel_id, count in answers.held(db, to_ms(now - _HELD_FOR)).items()
        },
        "connect.pull.failed": {
            line.channel_id: f"Entries of a pull list that failed: {line.failed}. {line.problem}"
            for line in pulls.counts(db)
            if line.failed
        },
        "connect.channel.waits": {
            item.setup.channel_id: "A looser configuration came from the server."
            " It applies once a local administrator has confirmed it; the stricter one stays in force."
            for item in stored.channels(db)
            if item.waits and item.is_active
        },
    }


def _of_exams(db: sqlite3.Connection, now: datetime) -> dict[str, dict[str, str]]:
    """The same of exams that a trial would not take as they are."""
    return {
        UNMET: {
            channel_id: "Exams that do not meet the acquisition requirements:"
            f" {count.held} held, {count.told} sent within a day. The local page says what each lacks."
            for channel_id, count in overview.unmet(db, to_ms(now - _TOLD_FOR)).items()
        },
        "connect.selection.waits": {
            channel_id: f"Exams that no export manifest names: {count.exams}. Objects that one named within a week"
            f" and that have not come for an hour: {count.missing}. Export manifests that were not obeyed:"
            f" {count.not_obeyed}. The local page says which exams, and why."
            for channel_id, count in selected.waiting(
                db, after_ms=to_ms(now - selected.TOLD_FOR), before_ms=to_ms(now - _NAMED_FOR)
            ).items()
        },
    }


def _clock_words(ahead_s: float) -> str:
    """In whole minutes, hours or days, so that the words do not change with every look."""
    unit, name = next((item for item in _SPANS if abs(ahead_s) >= 2 * item[0]), _SPANS[-1])
    where = "ahead of" if ahead_s > 0 else "behind"
    return (
        f"This machine's clock is {abs(ahead_s) // unit:.0f} {name} {where} the server's. Nothing is lost, but times"
        " here and in manifests are wrong. Set it by NTP."
    )


def _notice(what: str, ends: datetime | None, now: datetime, advice: tuple[str, str]) -> str:
    """What to say of a certificate; empty while it is good for long enough."""
    if ends is None or ends - now > timedelta(days=CERTIFICATE_DAYS):
        return ""
    before, after = advice
    if ends <= now:
        return f"{what} expired on {ends:%Y-%m-%d}. {after}"
    days = (ends - now).days
    left = "less than a day" if days < 1 else "1 day" if days == 1 else f"{days} days"
    return f"{what} expires on {ends:%Y-%m-%d}, in {left}. {before}"
