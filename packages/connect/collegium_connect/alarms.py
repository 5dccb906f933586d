"""What at this gateway a person should look at now, in words; told here and to the server until it is over."""

import threading

from collegium_connect.clock import Clock
from collegium_connect.log import EventLog
from collegium_wire import Alarm

log = EventLog("alarms")


class Alarms:
    """The alarms that stand. Safe between threads; after a start they are found anew."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._standing: dict[tuple[str, str], Alarm] = {}

    def set(self, code: str, message: str, channel_id: str = "") -> None:
        """Something is wrong; saying it again changes its words, not since when."""
        with self._lock:
            known = self._standing.get((code, channel_id))
            since = known.since if known is not None else self._clock()
            self._standing[code, channel_id] = Alarm(
                code=code, message=message, since=since, channel_id=channel_id
            )
        if known is None:
            log.error("alarm.set", code=code, channel=channel_id)

    def clear(self, code: str, channel_id: str = "") -> None:
        """It is over, if it ever was."""
        with self._lock:
            known = self._standing.pop((code, channel_id), None)
        if known is not None:
            log.info("alarm.cleared", code=code, channel=channel_id)

    def keep(self, code: str, messages: dict[str, str]) -> None:
        """Of this code exactly these stand: channel id (empty: the gateway) to message."""
        with self._lock:
            over = [where for what, where in self._standing if what == code and where not in messages]
        for channel_id in over:
            self.clear(code, channel_id)
        for channel_id, message in messages.items():
            self.set(code, message, channel_id)

    @property
    def standing(self) -> tuple[Alarm, ...]:
        """Oldest first."""
        with self._lock:
            return tuple(sorted(self._standing.values(), key=lambda alarm: alarm.since))
