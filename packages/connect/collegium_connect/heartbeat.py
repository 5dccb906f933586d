"""Tell the server how it goes and hear which channels there are now."""

from collegium_connect import SOFTWARE
from collegium_connect.channels import Channels
from collegium_connect.journal import overview
from collegium_connect.journal.database import Journal
from collegium_connect.log import EventLog
from collegium_connect.send.client import ServerClient
from collegium_connect.send.errors import AttemptFailed
from collegium_wire import PROTOCOL, ChannelBeat, Heartbeat

log = EventLog("heartbeat")


class Pulse:
    """Sends heartbeats; call `run_once` at the configured pace."""

    def __init__(self, journal: Journal, channels: Channels, client: ServerClient) -> None:
        self._journal, self._channels, self._client = journal, channels, client
        self.problem = ""
        """Why the last heartbeat failed, in words; empty while all is well."""

    def run_once(self) -> None:
        try:
            answer = self._client.heartbeat(self._beat())
        except AttemptFailed as failure:
            if failure.message != self.problem:
                log.warning("heartbeat.failed", code=failure.code)
            self.problem = failure.message
            return
        if self.problem:
            log.info("heartbeat.restored")
        self.problem = ""
        self._channels.update(answer.channels)

    def _beat(self) -> Heartbeat:
        with self._journal.look() as db:
            totals = overview.totals(db)
            beats = tuple(
                _channel_beat(channel.channel_id, overview.channel_counts(db, channel.channel_id))
                for channel in self._channels.active
            )
        return Heartbeat(
            protocol=PROTOCOL,
            software=SOFTWARE,
            queue_objects=totals.queue_objects,
            queue_bytes=totals.queue_bytes,
            failures=totals.failures,
            last_success_at=totals.last_success_at,
            channels=beats,
        )


def _channel_beat(channel_id: str, counts: overview.ChannelCounts) -> ChannelBeat:
    return ChannelBeat(
        channel_id=channel_id,
        queue_objects=counts.queue_objects,
        quarantined_objects=counts.set_aside_objects,
        last_received_at=counts.last_received_at,
        last_success_at=counts.last_success_at,
    )
