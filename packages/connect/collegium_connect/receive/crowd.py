"""How many associations there are, in all and for each address; more than that are refused with a reason.

Only an association that was let in has a place. Who has not asked yet, was refused, or is hanging up holds a
thread (see `threshold`) and nobody's place.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from collegium_connect.channels import Channel
from collegium_connect.log import EventLog
from collegium_connect.receive.admission import LEAVING, TOO_MANY, TOO_MANY_OF_CALLER, Refusal
from collegium_connect.receive.association import Gate
from collegium_connect.receive.pdu import AssociateRequest

log = EventLog("receive")


class Crowd:
    """Counts who is in. Safe between threads."""

    def __init__(self, most: int, most_of_caller: int) -> None:
        self._most, self._most_of_caller = most, most_of_caller
        self._inside: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.is_leaving = False

    @property
    def total(self) -> int:
        with self._lock:
            return self._inside.total()

    @contextmanager
    def inside(self, address: str) -> Iterator[None]:
        """One association from there, while it lasts."""
        with self._lock:
            self._inside[address] += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside[address] -= 1
                if not self._inside[address]:
                    del self._inside[address]

    def refusal(self, address: str) -> Refusal | None:
        """Why nobody more is let in from there just now; the asker is inside already."""
        if self.is_leaving:
            return LEAVING
        with self._lock:
            # What is above an address's own share is refused already, and takes nobody else's place.
            if sum(min(count, self._most_of_caller) for count in self._inside.values()) > self._most:
                return TOO_MANY
            return TOO_MANY_OF_CALLER if self._inside[address] > self._most_of_caller else None


class CrowdedGate:
    """The gate for one peer: it takes a place with the request, and keeps it only if it is let in.

    Every refusal is logged before it is told.
    """

    def __init__(self, gate: Gate, crowd: Crowd) -> None:
        self._gate, self._crowd = gate, crowd
        self._place = ExitStack()
        self.is_in = False

    def decide(self, request: AssociateRequest, address: str) -> Channel | Refusal:
        with ExitStack() as place:
            place.enter_context(self._crowd.inside(address))
            decision = self._crowd.refusal(address) or self._gate.decide(request, address)
            if not isinstance(decision, Refusal):
                self._place, self.is_in = place.pop_all(), True
                return decision
        log.warning(
            "association.refused",
            address=address,
            calling=request.calling_ae,
            called=request.called_ae,
            reason=decision.words,
        )
        return decision

    def leave(self) -> None:
        """Give the place back, if there is one."""
        self.is_in = False
        self._place.close()
