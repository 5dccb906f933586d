"""PS3.8 Table 9-10: each state and event of an acceptor, in the table and on a socket.

Expected values are those of pynetdicom, whose table was typed from the standard by others.
"""

import socket
import struct
from collections.abc import Iterator
from typing import Final, Self

import pytest
from pynetdicom.fsm import TRANSITION_TABLE

from collegium_connect.receive import pdu
from collegium_connect.receive.errors import AssociationEnded, PeerGone, PeerSilent, ServiceViolation
from collegium_connect.receive.pdu import Kind
from collegium_connect.receive.states import NEXT, TRANSITIONS, Action, Event, State
from collegium_connect.receive.stream import Stream
from collegium_connect.receive.upper_layer import UpperLayer
from collegium_testkit.patience import PATIENCE_S

MAX_PDU: Final = 16384
PAIRS: Final = [(state, event) for state in State for event in Event]
REQUEST: Final = pdu.pdu(
    Kind.ASSOCIATE_RQ, b"\0\1\0\0" + b"TRIAL1".ljust(16) + b"TESTPACS".ljust(16) + bytes(32)
)
WIRE: Final = {
    Event.ACCEPTANCE_RECEIVED: pdu.pdu(Kind.ASSOCIATE_AC, bytes(68)),
    Event.REJECTION_RECEIVED: pdu.associate_rj(1, 1, 1),
    Event.REQUEST_RECEIVED: REQUEST,
    Event.DATA_RECEIVED: pdu.pdu(Kind.DATA, struct.pack(">IBB", 2, 1, 3)),
    Event.RELEASE_REQUEST_RECEIVED: pdu.release_rq(),
    Event.RELEASE_ANSWER_RECEIVED: pdu.release_rp(),
    Event.ABORT_RECEIVED: pdu.abort(0, 0),
    Event.INVALID_RECEIVED: struct.pack(">BxI4x", 0x42, 4),
}
# What our side has sent by the time it is in a state, and what the peer did to bring it there.
STATES_ON_A_SOCKET: Final = [state for state in State if state is not State.IDLE]


class Line:
    """An Upper Layer on one end of a socket pair, the peer's end in hand. Use as a context manager."""

    def __init__(self, artim_s: float = PATIENCE_S, idle_s: float = PATIENCE_S) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.peer = socket.create_connection(listener.getsockname())
            self.ours, _ = listener.accept()
        self.peer.settimeout(PATIENCE_S)
        self.stream = Stream(self.ours)
        self.upper = UpperLayer(self.stream, artim_s=artim_s, idle_s=idle_s, max_pdu=MAX_PDU)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.ours.close()
        self.peer.close()

    def bring_to(self, state: State) -> None:
        """By what a peer and this service really do."""
        steps = {
            State.AWAITING_REQUEST: (),
            State.AWAITING_DECISION: (self.ask,),
            State.ESTABLISHED: (self.ask, self.accept),
            State.RELEASE_ASKED: (self.ask, self.accept, self.upper.ask_release),
            State.RELEASE_RECEIVED: (self.ask, self.accept, self.peer_asks_release),
            State.COLLISION: (self.ask, self.accept, self.upper.ask_release, self.peer_asks_release),
            State.COLLISION_ANSWERED: (
                self.ask, self.accept, self.upper.ask_release, self.peer_asks_release, self.peer_answers,
            ),
            State.AWAITING_CLOSE: (self.ask, self.reject),
        }  # fmt: skip
        for step in steps[state]:
            step()
        assert self.upper.state is state
        self.sent()

    def ask(self) -> None:
        self.peer.sendall(REQUEST)
        self.upper.request()

    def accept(self) -> None:
        self.upper.accept(pdu.pdu(Kind.ASSOCIATE_AC, bytes(68)))

    def reject(self) -> None:
        self.upper.reject(1, 1, 3)

    def peer_asks_release(self) -> None:
        self.peer.sendall(pdu.release_rq())
        self.upper.step()

    def peer_answers(self) -> None:
        self.peer.sendall(pdu.release_rp())
        self.upper.step()

    def sent(self) -> bytes:
        """What our side has sent since it was last asked; bytes over loopback are there when `send` returns."""
        self.peer.setblocking(False)
        try:
            return self.peer.recv(1 << 16)
        except BlockingIOError:
            return b""
        finally:
            self.peer.settimeout(PATIENCE_S)


@pytest.fixture
def line() -> Iterator[Line]:
    with Line() as made:
        yield made


def expected(state: State, event: Event) -> str:
    return str(TRANSITION_TABLE.get((f"Evt{event}", f"Sta{state}"), "-"))


@pytest.mark.parametrize(("state", "event"), PAIRS)
def test_the_table_is_that_of_the_standard(state: State, event: Event) -> None:
    assert str(TRANSITIONS.get((state, event), "-")) == expected(state, event)


def test_every_action_of_the_table_leads_somewhere() -> None:
    assert set(TRANSITIONS.values()) == set(NEXT) == set(Action)


@pytest.mark.parametrize("event", WIRE)
@pytest.mark.parametrize("state", STATES_ON_A_SOCKET)
def test_a_pdu_in_any_state_does_on_the_wire_what_the_table_says(
    line: Line, state: State, event: Event
) -> None:
    line.bring_to(state)
    action = Action(expected(state, event))

    line.peer.sendall(WIRE[event])
    try:
        line.upper.step()
        ended = False
    except AssociationEnded:
        ended = True

    aborts = {Action.AA_1: b"\x07\0\0\0\0\x04\0\0\0\0", Action.AA_7: b"\x07\0\0\0\0\x04\0\0\2"}
    aborts[Action.AA_8] = aborts[Action.AA_7]
    assert line.upper.state is NEXT[action]
    assert line.sent()[: len(aborts.get(action, b""))] == aborts.get(action, b"")
    assert ended is (action in {Action.AA_1, Action.AA_2, Action.AA_3, Action.AA_8})


@pytest.mark.parametrize("state", STATES_ON_A_SOCKET)
def test_a_peer_that_hangs_up_ends_any_state(line: Line, state: State) -> None:
    line.bring_to(state)

    line.peer.close()
    with pytest.raises(PeerGone) as gone:
        line.upper.step()
    line.upper.end(gone.value)
    line.upper.linger()

    assert line.upper.state is NEXT[Action(expected(state, Event.CLOSED))] is State.IDLE


@pytest.mark.parametrize("state", [item for item in STATES_ON_A_SOCKET if item is not State.AWAITING_CLOSE])
def test_a_silent_peer_is_aborted_or_where_artim_ran_left(line: Line, state: State) -> None:
    line.bring_to(state)

    line.upper.end(PeerSilent())

    is_waiting_for_a_request = state is State.AWAITING_REQUEST
    assert line.upper.state is (State.IDLE if is_waiting_for_a_request else State.AWAITING_CLOSE)
    assert line.sent() == (b"" if is_waiting_for_a_request else pdu.abort(0, 0))


def test_a_message_that_the_service_cannot_take_is_aborted_by_the_user(line: Line) -> None:
    line.bring_to(State.ESTABLISHED)

    line.upper.end(ServiceViolation("too much"))

    assert line.upper.state is State.AWAITING_CLOSE
    assert line.sent() == pdu.abort(0, 0)


def test_data_of_an_established_association_change_no_state() -> None:
    """What `next_data` takes a short way for: PS3.8 Table 9-10, Sta6 and Evt10."""
    action = TRANSITIONS[State.ESTABLISHED, Event.DATA_RECEIVED]

    assert (action, NEXT[action]) == (Action.DT_2, State.ESTABLISHED)


def test_a_release_is_answered_and_the_end_awaited(line: Line) -> None:
    line.bring_to(State.ESTABLISHED)

    line.peer.sendall(pdu.release_rq())
    length = line.upper.next_data()

    assert length == 0
    assert line.sent() == pdu.release_rp()
    assert line.upper.state is State.AWAITING_CLOSE


def test_when_both_ask_for_the_release_the_peer_answers_first(line: Line) -> None:
    line.bring_to(State.RELEASE_ASKED)

    line.peer.sendall(pdu.release_rq() + pdu.release_rp())
    length = line.upper.next_data()

    assert length == 0
    assert line.sent() == pdu.release_rp()
    assert line.upper.state is State.AWAITING_CLOSE


def test_data_that_crossed_our_wish_to_release_are_read_and_not_answered(line: Line) -> None:
    line.bring_to(State.RELEASE_ASKED)

    line.peer.sendall(WIRE[Event.DATA_RECEIVED] + pdu.release_rp())
    length = line.upper.next_data()
    line.stream.skip(length)
    line.upper.send(b"an answer")
    after = line.upper.next_data()

    assert (length, after) == (6, 0)
    assert line.sent() == b""
    assert line.upper.state is State.IDLE


def test_a_release_is_not_asked_for_amid_a_message(line: Line) -> None:
    line.bring_to(State.ESTABLISHED)
    line.peer.sendall(WIRE[Event.DATA_RECEIVED])
    line.stream.skip(line.upper.next_data())

    line.upper.ask_release()
    amid = line.sent()
    line.upper.rest()

    assert amid == b""
    assert line.sent() == pdu.release_rq()


def test_artim_ends_a_peer_that_drips_its_request() -> None:
    with Line(artim_s=0.2) as line:
        line.peer.sendall(REQUEST[:20])

        with pytest.raises(PeerSilent):
            line.upper.request()


def test_artim_ends_a_peer_that_never_hangs_up() -> None:
    with Line() as line:
        line.ask()
        line.upper._artim_s = 0.2  # from here on: a busy machine may take longer to ask
        line.reject()

        line.upper.linger()

    assert line.upper.state is State.IDLE


def test_a_refused_peer_reads_the_refusal_even_if_it_keeps_sending(line: Line) -> None:
    line.bring_to(State.AWAITING_CLOSE)

    line.peer.sendall(WIRE[Event.DATA_RECEIVED] * 1000)
    line.peer.shutdown(socket.SHUT_WR)
    line.upper.linger()

    assert line.upper.state is State.IDLE
    assert line.sent() == b""


@pytest.mark.parametrize(
    "bad",
    [
        struct.pack(">BxI", Kind.DATA, MAX_PDU + 1),
        struct.pack(">BxI", Kind.DATA, 0),
        struct.pack(">BxI", Kind.RELEASE_RQ, 5),
        struct.pack(">BxI", Kind.ABORT, 0),
        struct.pack(">BxI", 0, 4),
        struct.pack(">BxI", 0xFF, 0xFFFFFFFF),
    ],
)
def test_a_pdu_of_an_impossible_length_or_type_is_aborted_with_its_reason(line: Line, bad: bytes) -> None:
    line.bring_to(State.ESTABLISHED)

    line.peer.sendall(bad)
    with pytest.raises(AssociationEnded):
        line.upper.step()

    answer = line.sent()
    assert answer[:9] == b"\x07\0\0\0\0\x04\0\0\2"
    assert answer[9] in {1, 6}
