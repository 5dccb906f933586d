"""The Upper Layer for one connection that a peer opened: reads PDUs, keeps the state, sends what PS3.8 asks for.

`states` says what is to be done, this does it. It knows nothing of DIMSE. The thread that
makes it reads; any other may ask for the release (`ask_release`).
"""

import struct
import threading
from typing import Final

from collegium_connect.receive import pdu
from collegium_connect.receive.errors import (
    AssociationEnded,
    PeerAborted,
    PeerGone,
    PeerSilent,
    ProtocolViolation,
    ServiceViolation,
)
from collegium_connect.receive.pdu import AssociateRequest, Kind
from collegium_connect.receive.states import NEXT, TRANSITIONS, Action, Event, State
from collegium_connect.receive.stream import Stream

_HEAD: Final = struct.Struct(">BxI")
_REQUEST_LIMIT: Final = 1 << 20
_ALL: Final = 1 << 62
# An enumeration's members cost a search each time they are named; these are named with every PDU.
_DATA: Final = int(Kind.DATA)
_ESTABLISHED: Final = State.ESTABLISHED
_PROVIDER, _USER = 2, 0
_UNRECOGNIZED, _UNEXPECTED, _INVALID = 1, 2, 6  # reasons of PS3.8 Table 9-26
# What each PDU is, and which lengths it may have; data are bounded by what we offered.
_PDUS: Final[dict[int, tuple[Event, int, int]]] = {
    Kind.ASSOCIATE_RQ: (Event.REQUEST_RECEIVED, 68, _REQUEST_LIMIT),
    Kind.ASSOCIATE_AC: (Event.ACCEPTANCE_RECEIVED, 68, _REQUEST_LIMIT),
    Kind.ASSOCIATE_RJ: (Event.REJECTION_RECEIVED, 4, 4),
    Kind.DATA: (Event.DATA_RECEIVED, 6, 0),
    Kind.RELEASE_RQ: (Event.RELEASE_REQUEST_RECEIVED, 4, 4),
    Kind.RELEASE_RP: (Event.RELEASE_ANSWER_RECEIVED, 4, 4),
    Kind.ABORT: (Event.ABORT_RECEIVED, 4, 4),
}


class UpperLayer:
    """One association's Upper Layer."""

    def __init__(self, stream: Stream, *, artim_s: float, idle_s: float, max_pdu: int) -> None:
        self._stream, self._artim_s, self._idle_s, self.max_pdu = stream, artim_s, idle_s, max_pdu
        self._lock, self._reader = threading.RLock(), threading.current_thread()
        self._state, self._is_busy, self._wants_release = State.IDLE, False, False
        self._body, self._content = 0, b""  # bytes of the PDU under way that are not read yet; those that are
        self._move(Event.CONNECTED)

    @property
    def state(self) -> State:
        return self._state

    def request(self) -> AssociateRequest:
        """Wait for the association request.

        Raises:
            AssociationEnded: something else came, or nothing.
        """
        self.step()
        return pdu.parse_associate_rq(self._content)

    def accept(self, answer: bytes) -> None:
        """Send an A-ASSOCIATE-AC."""
        self._move(Event.ACCEPT, answer)

    def reject(self, result: int, source: int, reason: int) -> None:
        self._move(Event.REJECT, pdu.associate_rj(result, source, reason))

    def next_data(self) -> int:
        """Length of the next P-DATA-TF, whose bytes are the caller's to read from the stream; 0: released.

        Raises:
            AssociationEnded: aborted, closed, silent, or a PDU that has no place here.
        """
        while True:
            kind, length = self._stream.unpack(_HEAD)
            if kind == _DATA and 6 <= length <= self.max_pdu:
                with self._lock:
                    if self._state is _ESTABLISHED:  # Sta6, Evt10: DT-2, and nothing else changes
                        self._is_busy = True
                        return int(length)
            action = self._judge(kind, length)
            if action in (Action.DT_2, Action.AR_6):
                self._body = 0
                return int(length)
            if action in (Action.AR_2, Action.AR_10):
                self._move(Event.ANSWER_RELEASE, pdu.release_rp())
                return 0
            if action is Action.AR_3:
                return 0

    def send(self, data: bytes) -> None:
        """Send a P-DATA-TF; where a release was asked for meanwhile, it may not be sent any more."""
        with self._lock:
            if self._state is State.ESTABLISHED:
                self._move(Event.SEND_DATA, data)

    def rest(self) -> None:
        """A message is complete and answered."""
        with self._lock:
            self._is_busy = False
            if self._wants_release:
                self.ask_release()

    def ask_release(self) -> None:
        """Ask the peer to release, now or once the message under way is answered."""
        with self._lock:
            self._wants_release = True
            # OpenSSL cannot write from one thread while another reads: there it waits for the next message.
            is_ours = self._stream.takes_two_threads or threading.current_thread() is self._reader
            if self._state is State.ESTABLISHED and not self._is_busy and is_ours:
                self._move(Event.ASK_RELEASE, pdu.release_rq())

    def end(self, ended: AssociationEnded) -> None:
        """Tell the peer what `ended` is, where it must be told. Raises nothing."""
        if self._state in (State.IDLE, State.AWAITING_CLOSE):
            return
        if isinstance(ended, ProtocolViolation | ServiceViolation):
            self._body = _ALL  # where a PDU broke off, nobody knows where the next begins
        try:
            if isinstance(ended, PeerGone):
                self._move(Event.CLOSED)
            elif isinstance(ended, ProtocolViolation):
                self._move(Event.INVALID_RECEIVED, reason=ended.reason)
            elif isinstance(ended, PeerSilent | ServiceViolation) and self._may(Event.ABORT):
                self._move(Event.ABORT)
            else:
                self._move(Event.TIMER_EXPIRED)
        except AssociationEnded:
            self._state = State.IDLE

    def linger(self) -> None:
        """Give the peer ARTIM's time to read our last words and hang up: closing at once may lose them.

        It hears at once that nothing more comes: what is no DICOM peer would wait for that.
        """
        self._stream.say_no_more()
        try:
            while self._state is State.AWAITING_CLOSE:
                self.step()
        except PeerGone:
            self._move(Event.CLOSED)
        except AssociationEnded:
            if self._state is State.AWAITING_CLOSE:
                self._move(Event.TIMER_EXPIRED)

    def step(self) -> Action:
        """Read one PDU's head and do what the table says of it; the body stays to be read where it matters.

        Raises:
            AssociationEnded: as `next_data`.
        """
        if self._state is State.AWAITING_CLOSE:
            self._stream.skip(self._body)
        return self._judge(*self._stream.unpack(_HEAD))

    def _judge(self, kind: int, length: int) -> Action:
        """Do what the table says of a PDU with this head."""
        self._body = length
        event, reason = self._classify(kind, self._body)
        if event in (Event.ABORT_RECEIVED, Event.REQUEST_RECEIVED) and self._may(event):
            self._content = self._take_body()  # received means: all of it, while ARTIM still runs
        elif event is Event.INVALID_RECEIVED:
            self._body = _ALL  # its length is as doubtful as the rest: one abort answers all that follows
        action = self._move(event, reason=reason)
        if action is Action.DT_2:
            return action
        if action in (Action.AR_2, Action.AR_3, Action.AR_8, Action.AR_10):
            self._take_body()
        elif action in (Action.AA_2, Action.AA_3):
            raise PeerAborted
        elif action in (Action.AA_1, Action.AA_8):
            raise ProtocolViolation("a PDU that has no place here, or is none", reason)
        return action

    def _classify(self, kind: int, length: int) -> tuple[Event, int]:
        """The event that a PDU is, and what an A-ABORT would give as reason."""
        if kind not in _PDUS:
            return Event.INVALID_RECEIVED, _UNRECOGNIZED
        event, least, most = _PDUS[kind]
        if least <= length <= (most or self.max_pdu):
            return event, _UNEXPECTED
        return Event.INVALID_RECEIVED, _INVALID

    def _may(self, event: Event) -> bool:
        return (self._state, event) in TRANSITIONS

    def _move(self, event: Event, data: bytes = b"", *, reason: int = 0) -> Action:
        """The transition for an event: its state, its timer, its bytes."""
        with self._lock:
            before = self._state
            action = TRANSITIONS[before, event]
            self._state = after = NEXT[action]
            if after is not before:
                self._set_timers(after)
            if action is Action.DT_2:
                self._is_busy = True
            elif action in (Action.AA_1, Action.AA_7, Action.AA_8):
                source = _USER if action is Action.AA_1 else _PROVIDER
                self._stream.send(pdu.abort(source, reason))
            elif data:
                self._stream.send(data)
            return action

    def _set_timers(self, state: State) -> None:
        """ARTIM runs while the request, or the end of the connection, is awaited."""
        if state in (State.AWAITING_REQUEST, State.AWAITING_CLOSE):
            self._stream.idle_at_most(self._artim_s)
            self._stream.end_within(self._artim_s)
        elif state is not State.IDLE:
            self._stream.idle_at_most(self._idle_s)
            self._stream.end_within(None)

    def _take_body(self) -> bytes:
        length, self._body = self._body, 0
        return self._stream.take(length)
