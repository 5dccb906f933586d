"""Work off the site's lists, one entry at a time, while the PACS's window is open."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from collegium_connect.channels import Channels
from collegium_connect.clock import Clock, to_ms
from collegium_connect.errors import ConnectError
from collegium_connect.journal import pulls
from collegium_connect.journal.database import Journal
from collegium_connect.journal.pulls import Pull
from collegium_connect.log import EventLog
from collegium_connect.pull import pacs
from collegium_connect.pull.requests import Requests
from collegium_connect.send.backoff import delay_s
from collegium_connect.send.window import is_open
from collegium_connect.settings import SourceSettings

log = EventLog("pull")

PULL_S: Final = 2.0
_ATTEMPTS: Final = 12
_SLOWER: Final = 30
"""A PACS is asked again after half a minute, then ever less often, up to an hour."""


class Puller:
    """Call `run_once` again and again from one thread."""

    def __init__(
        self,
        sources: Sequence[SourceSettings],
        journal: Journal,
        channels: Channels,
        requests: Requests,
        clock: Clock,
    ) -> None:
        self._sources = {source.name: source for source in sources}
        self._journal, self._channels, self._requests, self._clock = journal, channels, requests, clock
        self._chance = random.Random()  # noqa: S311 - jitter, nothing secret

    def run_once(self) -> bool:
        """Ask for the next entry that is due; False if there is none."""
        at = self._clock()
        open_now = [name for name, one in self._sources.items() if is_open(one.window, at.astimezone())]
        with self._journal.look() as db:
            due = pulls.next_due(db, open_now, to_ms(at))
        if due is None:
            return False
        channel = self._channels.by_id(due.channel_id)
        if channel is None or not channel.is_active:
            self._postpone(due, "The channel takes no exams now.")
            return True
        try:
            key = self._requests.key_of(due)
            done = pacs.pull(self._sources[due.source], channel.setup.called_ae, key.kind, key.value)
        except ConnectError as error:
            self._postpone(due, str(error))
            return True
        with self._journal.change() as db:
            pulls.finish(db, due.pull_id, done.exams, done.objects, to_ms(self._clock()))
        log.info(
            "pull.done", pull=due.pull_id, channel=due.channel_id, exams=done.exams, objects=done.objects
        )
        return True

    def _postpone(self, due: Pull, problem: str) -> None:
        failures = due.attempts + 1
        until = self._clock() + timedelta(seconds=_SLOWER * delay_s(failures, self._chance))
        with self._journal.change() as db:
            pulls.postpone(db, due.pull_id, problem, to_ms(until), is_over=failures >= _ATTEMPTS)
        log.warning("pull.failed", pull=due.pull_id, channel=due.channel_id, attempt=failures)
