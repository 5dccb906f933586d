"""What a sender may propose, and what it is answered: kinds of object, syntaxes, users, extensions."""

import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
from pynetdicom.pdu import A_ASSOCIATE_AC
from pynetdicom.sop_class import _STORAGE_CLASSES

from collegium_connect.channels import Channel
from collegium_connect.receive import pdu
from collegium_connect.receive.admission import Admission, Refusal
from collegium_connect.receive.errors import ProtocolViolation
from collegium_connect.receive.negotiation import negotiate
from collegium_connect.receive.pdu import AssociateRequest, Context, ContextResult, Item, ProposedContext
from collegium_connect.settings import CallerSettings
from collegium_testkit.doors import CHANNEL, SETUP

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
IMPLICIT: Final = "1.2.840.10008.1.2"
COMMITMENT: Final = "1.2.840.10008.1.20.1"


class OneChannel:
    has_room = True

    def called(self, ae_title: str) -> Channel | None:
        return CHANNEL if ae_title == "TRIAL1" else None


def request(*user_items: bytes, context: bytes = pdu.APPLICATION_CONTEXT, version: int = 1) -> bytes:
    """An association request as PS3.8 section 9.3.2 lays it out, without its PDU head."""
    proposed = b"\1\0\0\0" + pdu.item(0x30, CT.encode()) + pdu.item(0x40, IMPLICIT.encode())
    user = pdu.item(0x51, struct.pack(">I", 16384)) + pdu.item(0x52, b"1.2.3") + b"".join(user_items)
    titles = b"TRIAL1".ljust(16) + b"TESTPACS".ljust(16) + bytes(32)
    items = pdu.item(0x10, context) + pdu.item(0x20, proposed) + pdu.item(0x50, user)
    return struct.pack(">HH", version, 0) + titles + items


def identity(kind: int, primary: bytes, secondary: bytes = b"", *, wants_answer: int = 0) -> bytes:
    """PS3.7 Table D.3-14."""
    fields = struct.pack(">H", len(primary)) + primary + struct.pack(">H", len(secondary)) + secondary
    return pdu.item(0x58, bytes([kind, wants_answer]) + fields)


def decide(body: bytes, **caller: Any) -> Channel | Refusal:
    listed = replace(CallerSettings(ae="TESTPACS", address="127.0.0.1"), **caller)
    admission = Admission((listed,), OneChannel(), OneChannel())
    return admission.decide(pdu.parse_associate_rq(body), "127.0.0.1")


@dataclass(frozen=True)
class Answer:
    """An acceptance as pynetdicom reads it."""

    results: list[tuple[int, int]]
    user_items: dict[int, bytes]


def answer_to(body: bytes) -> Answer:
    parsed = pdu.parse_associate_rq(body)
    read = A_ASSOCIATE_AC()
    read.decode(pdu.associate_ac(parsed, [negotiate(item, SETUP) for item in parsed.contexts], 262144))
    user = read.user_information
    assert user is not None
    return Answer(
        [(item.context_id or 0, item.result_reason or 0) for item in read.presentation_context],
        {item.item_type: item.encode()[4:] for item in user.user_data},
    )


@pytest.mark.parametrize("uid", _STORAGE_CLASSES.values(), ids=_STORAGE_CLASSES)
def test_every_storage_class_of_the_standard_is_taken(uid: str) -> None:
    answer = negotiate(ProposedContext(1, uid, (IMPLICIT,)), SETUP)

    assert answer == Context(1, ContextResult.ACCEPTED, uid, IMPLICIT)


@pytest.mark.parametrize(
    ("name", "offered", "expected"),
    [
        (CT, (IMPLICIT, "1.2.840.10008.1.2.1"), "1.2.840.10008.1.2.1"),
        (CT, (IMPLICIT,), IMPLICIT),
        (CT, ("1.2.840.10008.1.2.4.70", IMPLICIT), "1.2.840.10008.1.2.4.70"),
        (CT, ("1.2.840.10008.1.2.2",), "1.2.840.10008.1.2.2"),
        ("1.3.12.2.1107.5.9.1", ("1.2.840.10008.1.2.1",), "1.2.840.10008.1.2.1"),
        ("1.2.840.10008.1.1", (IMPLICIT,), IMPLICIT),
        ("1.2.840.10008.1.1", ("1.2.840.10008.1.2.4.70", IMPLICIT), IMPLICIT),
    ],
)
def test_storage_and_verification_are_accepted(name: str, offered: tuple[str, ...], expected: str) -> None:
    answer = negotiate(ProposedContext(1, name, offered), SETUP)

    assert (answer.result, answer.transfer_syntax) == (ContextResult.ACCEPTED, expected)


@pytest.mark.parametrize("name", ["1.2.840.10008.5.1.4.1.2.2.1", COMMITMENT, ""])
def test_what_is_no_storage_is_not_accepted(name: str) -> None:
    answer = negotiate(ProposedContext(3, name, (IMPLICIT,)), SETUP)

    assert answer.result is ContextResult.ABSTRACT_SYNTAX_NOT_SUPPORTED


@pytest.mark.parametrize("syntax", ["1.2.840.113619.5.2", "1.2.840.10008.1.20.1", ""])
def test_an_unknown_transfer_syntax_is_not_accepted(syntax: str) -> None:
    answer = negotiate(ProposedContext(5, CT, (syntax,)), SETUP)

    assert answer.result is ContextResult.TRANSFER_SYNTAXES_NOT_SUPPORTED


@pytest.mark.requirement("C04")
def test_a_channel_may_name_the_kinds_it_takes() -> None:
    only_mr = replace(SETUP, storage_classes=("1.2.840.10008.5.1.4.1.1.4",))

    kinds = ("1.2.840.10008.5.1.4.1.1.4", CT, "1.3.12.2.1107.5.9.1", "1.2.840.10008.1.1")
    results = [negotiate(ProposedContext(1, kind, (IMPLICIT,)), only_mr).result for kind in kinds]

    assert results == [0, 3, 3, 0]


def test_storage_commitment_is_offered_by_the_channels_that_have_it() -> None:
    with_it = replace(SETUP, storage_commitment=True)

    assert negotiate(ProposedContext(1, COMMITMENT, (IMPLICIT,)), with_it).result is ContextResult.ACCEPTED


def test_the_answer_says_who_we_are_and_what_we_take() -> None:
    answer = answer_to(request())

    assert answer.results == [(1, 0)]
    assert answer.user_items == {
        Item.MAXIMUM_LENGTH: b"\0\x04\0\0",
        Item.IMPLEMENTATION_UID: pdu.IMPLEMENTATION_UID,
        Item.IMPLEMENTATION_NAME: b"COLLEGIUM_CONN_1",
    }


def test_asynchronous_operations_are_answered_one_at_a_time() -> None:
    answer = answer_to(request(pdu.item(Item.OPERATIONS_WINDOW, struct.pack(">HH", 0, 0))))

    assert answer.user_items[0x53] == b"\0\1\0\1"


def test_a_user_who_wants_an_answer_gets_one() -> None:
    answer = answer_to(request(identity(2, b"scanner", b"secret", wants_answer=1)))

    assert answer.user_items[0x59] == b"\0\0"


@pytest.mark.parametrize(
    "item",
    [
        pdu.item(0x54, b"\0\x19" + CT.encode() + b"\1\0"),  # SCP/SCU role selection
        pdu.item(0x56, b"\0\x19" + CT.encode() + b"\2\0\2\0\2\0"),  # SOP class extended
        pdu.item(
            0x57, b"\0\x19" + CT.encode() + b"\0\x11" + b"1.2.840.10008.4.2" + b"\0\0"
        ),  # common extended
        pdu.item(0x55, b"SOMEBODY"),
        pdu.item(0x7F, b"of tomorrow"),
    ],
)
def test_other_negotiation_items_are_passed_over(item: bytes) -> None:
    assert answer_to(request(item)).results == [(1, 0)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (request(), None),
        (request(version=3), None),
        (request(version=2), (1, 2, 2)),
        (request(context=b"1.2.840.10008.3.1.1.2"), (1, 1, 2)),
        (request(identity(1, b"anybody")), None),
    ],
)
def test_a_request_is_judged_by_version_and_application_context(
    body: bytes, expected: tuple[int, int, int] | None
) -> None:
    decision = decide(body)

    assert (
        (decision.result, decision.source, decision.reason) if isinstance(decision, Refusal) else None
    ) == expected


@pytest.mark.requirement("C01")
@pytest.mark.parametrize(
    ("items", "is_welcome"),
    [
        ((), False),
        ((identity(1, b"scanner"),), True),
        ((identity(2, b"scanner", b"whatever"),), True),
        ((identity(1, b"another"),), False),
        ((identity(3, b"scanner"),), False),
        ((identity(5, b"scanner"),), False),
    ],
)
def test_a_caller_must_name_the_user_that_is_listed_for_it(
    items: tuple[bytes, ...], *, is_welcome: bool
) -> None:
    decision = decide(request(*items), user="scanner")

    assert isinstance(decision, Channel) is is_welcome
    assert decision is CHANNEL or decision == Refusal(
        1, 1, 1, "user identity missing, wrong or of a kind that is not taken"
    )


@pytest.mark.requirement("C01")
@pytest.mark.parametrize(
    ("item", "is_welcome"),
    [
        (identity(2, b"scanner", b"open sesame"), True),
        (identity(2, b"scanner", b"open"), False),
        (identity(2, b"scanner", b""), False),
        (identity(1, b"scanner", b"open sesame"), False),
        (identity(2, b"other", b"open sesame"), False),
    ],
)
def test_a_passcode_is_asked_for_where_one_is_kept(tmp_path: Path, item: bytes, *, is_welcome: bool) -> None:
    (tmp_path / "passcode").write_bytes(b"open sesame\n")

    decision = decide(request(item), user="scanner", passcode_file=tmp_path / "passcode")

    assert isinstance(decision, Channel) is is_welcome


@pytest.mark.parametrize("content", [None, b"", b"\n"])
def test_a_passcode_that_is_missing_lets_nobody_in(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "passcode"
    if content is not None:
        path.write_bytes(content)

    assert isinstance(
        decide(request(identity(2, b"scanner", b"")), user="scanner", passcode_file=path), Refusal
    )


def test_what_a_user_says_is_in_no_text_of_the_request() -> None:
    parsed = pdu.parse_associate_rq(request(identity(2, b"scanner", b"open sesame")))

    assert isinstance(parsed, AssociateRequest)
    assert "scanner" not in repr(parsed.identity)
    assert "sesame" not in repr(parsed)


@pytest.mark.parametrize(
    "bad",
    [
        request() + b"\x20",
        request() + pdu.item(0x20, b"\1\0\0\0" + pdu.item(0x30, CT.encode())),  # id 1 a second time
        request() + pdu.item(0x20, b"\2\0\0\0" + pdu.item(0x30, CT.encode())),  # ids are odd
        request() + pdu.item(0x20, b"\3\0"),
        request(pdu.item(0x58, b"\1")),
        request(pdu.item(0x58, b"\1\0\0\xff" + b"short")),
        request(pdu.item(0x58, b"\2\0\0\2ab\0\x09short")),
        request()[:60],
    ],
)
def test_a_request_that_is_none_is_a_violation(bad: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        pdu.parse_associate_rq(bad)
