"""Whatever bytes come in, the parsers answer with their own error or a result; nothing else escapes."""

import contextlib
import struct

from hypothesis import given
from hypothesis import strategies as st

from collegium_connect import part10
from collegium_connect.receive import dimse, pdu
from collegium_connect.receive.errors import ProtocolViolation, ServiceViolation

BODY = b"\0\1\0\0" + b"TRIAL1".ljust(16) + b"TESTPACS".ljust(16) + bytes(32)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_association_request_or_a_violation(tail: bytes) -> None:
    with contextlib.suppress(ProtocolViolation):
        request = pdu.parse_associate_rq(BODY + tail)
        assert (request.called_ae, request.calling_ae) == ("TRIAL1", "TESTPACS")


@given(st.binary(max_size=300))
def test_any_bytes_are_a_command_or_a_violation(data: bytes) -> None:
    with contextlib.suppress(ServiceViolation):
        dimse.parse(data)


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.binary(max_size=64))
def test_an_answer_reads_back_as_what_it_answers(message_id: int, status: int, uid: bytes) -> None:
    uid += b"\0" * (len(uid) % 2)
    request = dimse.Command(
        dimse.Operation.C_STORE_RQ, message_id, has_data=True, sop_class=b"", sop_instance=uid
    )

    answer = dimse.response(request, status)

    (length,) = struct.unpack_from("<I", answer, 8)
    read = dimse.parse(answer)
    assert length == len(answer) - 12
    assert (read.operation, read.has_data, read.sop_instance) == (0x8001, False, uid)


@given(st.text("0123456789.", max_size=64))
def test_file_meta_states_its_own_length(uid: str) -> None:
    head = part10.head("1.2.840.10008.5.1.4.1.1.2", uid, "1.2.840.10008.1.2.1")

    (length,) = struct.unpack_from("<I", head, 140)
    assert head[128:132] == b"DICM"
    assert len(head) == 144 + length
