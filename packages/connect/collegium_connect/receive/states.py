"""The Upper Layer's states for an acceptor: PS3.8 section 9.2, Table 9-10, as a table.

Nothing here touches a socket: a state and an event give an action and the next state, `upper_layer`
carries the action out. States 4, 5, 9 and 11 are those of a requestor and do not occur here.
"""

from enum import IntEnum, StrEnum
from typing import Final


class State(IntEnum):
    """The number is that of the standard."""

    IDLE = 1
    AWAITING_REQUEST = 2
    AWAITING_DECISION = 3  # the request is here, our own answer is due
    ESTABLISHED = 6
    RELEASE_ASKED = 7  # by us
    RELEASE_RECEIVED = 8
    COLLISION = 10  # both asked; the peer answers first
    COLLISION_ANSWERED = 12
    AWAITING_CLOSE = 13


class Event(IntEnum):
    """The number is that of the standard; 1 and 2 are a requestor's."""

    ACCEPTANCE_RECEIVED = 3
    REJECTION_RECEIVED = 4
    CONNECTED = 5
    REQUEST_RECEIVED = 6
    ACCEPT = 7
    REJECT = 8
    SEND_DATA = 9
    DATA_RECEIVED = 10
    ASK_RELEASE = 11
    RELEASE_REQUEST_RECEIVED = 12
    RELEASE_ANSWER_RECEIVED = 13
    ANSWER_RELEASE = 14
    ABORT = 15
    ABORT_RECEIVED = 16
    CLOSED = 17
    TIMER_EXPIRED = 18  # ARTIM
    INVALID_RECEIVED = 19


class Action(StrEnum):
    """PS3.8 Tables 9-6 to 9-9. The comments say what each does here."""

    AE_5 = "AE-5"  # start ARTIM
    AE_6 = "AE-6"  # stop ARTIM, hand the request up; or reject it and start ARTIM
    AE_7 = "AE-7"  # send A-ASSOCIATE-AC
    AE_8 = "AE-8"  # send A-ASSOCIATE-RJ, start ARTIM
    DT_1 = "DT-1"  # send P-DATA-TF
    DT_2 = "DT-2"  # hand data up
    AR_1 = "AR-1"  # send A-RELEASE-RQ
    AR_2 = "AR-2"  # hand the release up
    AR_3 = "AR-3"  # released: close
    AR_4 = "AR-4"  # send A-RELEASE-RP, start ARTIM
    AR_5 = "AR-5"  # stop ARTIM
    AR_6 = "AR-6"  # hand data up although a release was asked for
    AR_7 = "AR-7"  # send P-DATA-TF although a release was asked for
    AR_8 = "AR-8"  # hand the collision up
    AR_10 = "AR-10"  # hand the release's confirmation up
    AA_1 = "AA-1"  # send A-ABORT (service user), start ARTIM
    AA_2 = "AA-2"  # stop ARTIM, close
    AA_3 = "AA-3"  # hand the abort up, close
    AA_4 = "AA-4"  # hand up that the provider aborted
    AA_5 = "AA-5"  # stop ARTIM
    AA_6 = "AA-6"  # ignore the PDU
    AA_7 = "AA-7"  # send A-ABORT
    AA_8 = "AA-8"  # send A-ABORT (service provider), hand it up, start ARTIM


# Rows are events, columns states, as in the standard; a dash is what cannot happen.
_TABLE: Final = """
       Sta1  Sta2  Sta3  Sta6  Sta7  Sta8  Sta10 Sta12 Sta13
Evt3   -     AA-1  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-6
Evt4   -     AA-1  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-6
Evt5   AE-5  -     -     -     -     -     -     -     -
Evt6   -     AE-6  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-7
Evt7   -     -     AE-7  -     -     -     -     -     -
Evt8   -     -     AE-8  -     -     -     -     -     -
Evt9   -     -     -     DT-1  -     AR-7  -     -     -
Evt10  -     AA-1  AA-8  DT-2  AR-6  AA-8  AA-8  AA-8  AA-6
Evt11  -     -     -     AR-1  -     -     -     -     -
Evt12  -     AA-1  AA-8  AR-2  AR-8  AA-8  AA-8  AA-8  AA-6
Evt13  -     AA-1  AA-8  AA-8  AR-3  AA-8  AR-10 AA-8  AA-6
Evt14  -     -     -     -     -     AR-4  -     AR-4  -
Evt15  -     -     AA-1  AA-1  AA-1  AA-1  AA-1  AA-1  -
Evt16  -     AA-2  AA-3  AA-3  AA-3  AA-3  AA-3  AA-3  AA-2
Evt17  -     AA-5  AA-4  AA-4  AA-4  AA-4  AA-4  AA-4  AR-5
Evt18  -     AA-2  -     -     -     -     -     -     AA-2
Evt19  -     AA-1  AA-8  AA-8  AA-8  AA-8  AA-8  AA-8  AA-7
"""

# AE-6 and AR-8 lead to another state for a request of another protocol version, and for a requestor.
NEXT: Final = {
    Action.AE_5: State.AWAITING_REQUEST,
    Action.AE_6: State.AWAITING_DECISION,
    Action.AE_7: State.ESTABLISHED,
    Action.AE_8: State.AWAITING_CLOSE,
    Action.DT_1: State.ESTABLISHED,
    Action.DT_2: State.ESTABLISHED,
    Action.AR_1: State.RELEASE_ASKED,
    Action.AR_2: State.RELEASE_RECEIVED,
    Action.AR_3: State.IDLE,
    Action.AR_4: State.AWAITING_CLOSE,
    Action.AR_5: State.IDLE,
    Action.AR_6: State.RELEASE_ASKED,
    Action.AR_7: State.RELEASE_RECEIVED,
    Action.AR_8: State.COLLISION,
    Action.AR_10: State.COLLISION_ANSWERED,
    Action.AA_1: State.AWAITING_CLOSE,
    Action.AA_2: State.IDLE,
    Action.AA_3: State.IDLE,
    Action.AA_4: State.IDLE,
    Action.AA_5: State.IDLE,
    Action.AA_6: State.AWAITING_CLOSE,
    Action.AA_7: State.AWAITING_CLOSE,
    Action.AA_8: State.AWAITING_CLOSE,
}


def _read(table: str) -> dict[tuple[State, Event], Action]:
    heading, *rows = (line.split() for line in table.strip().splitlines())
    states = [State(int(name.removeprefix("Sta"))) for name in heading]
    return {
        (state, Event(int(name.removeprefix("Evt")))): Action(cell)
        for name, *cells in rows
        for state, cell in zip(states, cells, strict=True)
        if cell != "-"
    }


TRANSITIONS: Final = _read(_TABLE)
