"""Tell the server how it goes, and hear which channels there are now."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from collegium_connect import SOFTWARE
from collegium_connect.channels import Channels
from collegium_connect.clock import now
from collegium_connect.configuration import Configuration
from collegium_connect.journal import channels as stored
from collegium_connect.journal import overview
from collegium_connect.journal.channels import StoredChannel
from collegium_connect.journal.database import Journal
from collegium_connect.log import EventLog
from collegium_connect.send.client import ServerClient
from collegium_connect.send.errors import AttemptFailed
from collegium_connect.trail import for_the_server
from collegium_connect.twins import SHARED, draw_run, note
from collegium_connect.watch import LINE_DOWN, Watch
from collegium_wire import (
    NEWEST,
    PROTOCOL,
    TRAIL_ENTRIES,
    ChannelBeat,
    ChannelConfiguration,
    Heartbeat,
    HeartbeatAnswer,
)
from collegium_wire.heartbeat import ALARMS

if TYPE_CHECKING:
    from datetime import datetime

log = EventLog("heartbeat")

_NOT_ASKED: Final = -1


class Pulse:
    """Sends heartbeats; call `run_once` at the configured pace."""

    def __init__(  # noqa: PLR0913 - what it tells of, and whom
        self,
        journal: Journal,
        channels: Channels,
        configuration: Configuration,
        client: ServerClient,
        watch: Watch,
        *,
        pin: Callable[[str], None],
    ) -> None:
        """`pin` hears which version the server pins, each time it says so."""
        self._journal, self._channels, self._configuration = journal, channels, configuration
        self._client, self._watch, self._pin = client, watch, pin
        # The server says which entries of the trail it keeps; the first heartbeat only asks.
        self._kept_seq = _NOT_ASKED
        self._run = draw_run()
        self.problem = ""
        """Why the last heartbeat failed, in words; empty while all is well."""
        self.problem_since: datetime | None = None
        """When the first of the heartbeats failed that have failed ever since."""

    def run_once(self) -> None:
        try:
            answer = self._told(self._beat())
        except AttemptFailed as failure:
            if failure.message != self.problem:
                log.warning("heartbeat.failed", code=failure.code)
            self.problem, self.problem_since = failure.message, self.problem_since or now()
            return
        if self.problem:
            log.info("heartbeat.restored")
        self.problem, self.problem_since = "", None
        self._kept_seq = answer.trail_seq
        self._note_protocol(answer.protocol)
        note(self._journal, is_shared=answer.is_shared)
        self._configuration.take_over(answer.channels)
        if answer.protocol >= NEWEST:
            self._pin(answer.pinned_software)

    def _told(self, beat: Heartbeat) -> HeartbeatAnswer:
        """The answer; a server of before is asked once more, in the protocol that it speaks."""
        try:
            return self._client.heartbeat(beat)
        except AttemptFailed as failure:
            if failure.code != "wire.protocol.unsupported":
                raise
        return self._client.heartbeat(replace(beat.as_of(PROTOCOL), protocol=PROTOCOL))

    def _note_protocol(self, protocol: int) -> None:
        with self._journal.look() as db:
            is_known = stored.server_protocol(db) == protocol
        if not is_known:
            with self._journal.change() as db:
                stored.note_server_protocol(db, protocol)

    def _beat(self) -> Heartbeat:
        with self._journal.look() as db:
            totals = overview.totals(db)
            beats = tuple(
                _channel_beat(channel.channel_id, overview.channel_counts(db, channel.channel_id))
                for channel in self._channels.active
            )
            configuration = tuple(_configuration(item) for item in stored.channels(db) if item.is_active)
            trail = () if self._kept_seq < 0 else for_the_server(db, self._kept_seq, TRAIL_ENTRIES)
        # That the line is down is for the people here: once this arrives, it is not. That the enrolment is shared
        # the server says itself.
        told = (alarm for alarm in self._watch.alarms.standing if alarm.code not in {LINE_DOWN, SHARED})
        alarms = tuple(told)
        return Heartbeat(
            protocol=NEWEST,
            software=SOFTWARE,
            queue_objects=totals.queue_objects,
            queue_bytes=totals.queue_bytes,
            failures=totals.failures,
            last_success_at=totals.last_success_at,
            channels=beats,
            rate_in_mbps=round(self._watch.received.mbps, 3),
            rate_out_mbps=round(self._watch.sent.mbps, 3),
            disk_free_bytes=self._watch.disk_free_bytes,
            alarms=alarms[:ALARMS],
            configuration=configuration,
            trail=trail,
            run=self._run,
        )


def _channel_beat(channel_id: str, counts: overview.ChannelCounts) -> ChannelBeat:
    return ChannelBeat(
        channel_id=channel_id,
        queue_objects=counts.queue_objects,
        quarantined_objects=counts.set_aside_objects,
        last_received_at=counts.last_received_at,
        last_success_at=counts.last_success_at,
        failures=counts.failures,
    )


def _configuration(item: StoredChannel) -> ChannelConfiguration:
    return ChannelConfiguration(
        channel_id=item.setup.channel_id,
        setup_digest=item.offered.digest(),
        recipe_in_force=item.setup.recipe_digest,
        recipe_waiting=item.offered.recipe_digest if item.waits else "",
    )
