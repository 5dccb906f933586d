"""Malformed conversations by the thousand: every one ends in words, nothing escapes, nothing stays behind.

The whole of an association runs here, with a socket that is a list of bytes; `make soak` plays a
million conversations and watches the process's memory.
"""

import gc
import os
import random
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from socket import SHUT_WR
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest

from collegium_connect.channels import Channel
from collegium_connect.receive import pdu
from collegium_connect.receive.admission import Refusal
from collegium_connect.receive.association import Association
from collegium_connect.receive.pdu import AssociateRequest, Kind
from collegium_connect.receive.reception import Memory, Reception
from collegium_connect.receive.states import State
from collegium_connect.receive.stream import Stream
from collegium_connect.receive.upper_layer import UpperLayer

CT: Final = b"1.2.840.10008.5.1.4.1.1.2"
MAX_PDU: Final = 16384
BUDGET: Final = 1 << 20
# The gate hands a channel on; of it only these two facts are looked at.
CHANNEL: Final = cast(
    "Channel", SimpleNamespace(setup=SimpleNamespace(storage_classes=(), storage_commitment=True))
)
REFUSAL: Final = Refusal(1, 1, 3, "not listed")


class Bytes:
    """A socket whose peer has said all it will ever say; half of the time it then hangs up, else it is silent."""

    def __init__(self, said: bytes, *, hangs_up: bool) -> None:
        self._said, self._at, self._hangs_up = memoryview(said), 0, hangs_up
        self.sent: list[bytes] = []

    def recv_into(self, target: memoryview) -> int:
        size = min(len(target), len(self._said) - self._at, 5000)
        if not size:
            if self._hangs_up:
                return 0
            raise TimeoutError
        target[:size] = self._said[self._at : self._at + size]
        self._at += size
        return size

    def sendall(self, data: bytes) -> None:
        self.sent.append(data)

    def shutdown(self, way: int) -> None:
        assert way == SHUT_WR

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def setsockopt(self, *option: int) -> None:
        assert option


class Desk:
    """Gate, taker and committer in one; counts what is open."""

    def __init__(self) -> None:
        self.open_sinks = 0

    def decide(self, request: AssociateRequest, address: str) -> Channel | Refusal:
        assert address == "127.0.0.1"
        return REFUSAL if request.calling_ae == "STRANGER" else CHANNEL

    def store(self, channel: Channel, data: memoryview) -> int:
        assert channel is CHANNEL
        return 0xA700 if len(data) % 7 == 0 else 0

    def begin(self, *_: object) -> "Desk":
        self.open_sinks += 1
        return self

    def write(self, data: memoryview) -> None:
        assert len(data) <= 2 << 20

    def finish(self) -> int:
        self.open_sinks -= 1
        return 0

    def abandon(self) -> None:
        self.open_sinks -= 1

    def ask(self, *asked: object) -> int:
        assert len(asked) == 5
        return 0x0115


def conversation() -> list[bytes]:
    """What a well-behaved sender says, one PDU an item."""
    contexts = b"".join(
        pdu.item(
            0x20, bytes([number, 0, 0, 0]) + pdu.item(0x30, name) + pdu.item(0x40, b"1.2.840.10008.1.2.1")
        )
        for number, name in ((1, CT), (3, b"1.2.840.10008.1.1"), (5, b"1.2.840.10008.1.20.1"))
    )
    extras = pdu.item(0x53, b"\0\2\0\2") + pdu.item(0x58, b"\2\1\0\4user\0\4pass")
    user = pdu.item(0x50, pdu.item(0x51, b"\0\1\0\0") + pdu.item(0x52, b"1.2.3") + extras)
    titles = b"TRIAL1".ljust(16) + b"TESTPACS".ljust(16) + bytes(32)
    request = b"\0\1\0\0" + titles + pdu.item(0x10, pdu.APPLICATION_CONTEXT) + contexts + user
    return [
        pdu.pdu(Kind.ASSOCIATE_RQ, request),
        pdu.command(3, command(0x0030, b"1.2.840.10008.1.1", 0x0101)),
        pdu.command(1, command(0x0001, CT, 0)),
        data(1, bytes(9000), flags=0),
        data(1, bytes(500), flags=2),
        pdu.command(5, command(0x0130, b"1.2.840.10008.1.20.1", 0)),
        data(5, bytes(100), flags=2),
        pdu.release_rq(),
    ]


def command(operation: int, sop_class: bytes, data_set: int) -> bytes:
    fields = (
        (0x0002, sop_class + b"\0" * (len(sop_class) % 2)),
        (0x0100, struct.pack("<H", operation)),
        (0x0110, b"\1\0"),
        (0x0800, struct.pack("<H", data_set)),
        (0x1000, b"1.2.3\0"),
        (0x1008, b"\1\0"),
    )
    body = b"".join(struct.pack("<HHI", 0, element, len(value)) + value for element, value in fields)
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body


def data(context: int, content: bytes, *, flags: int) -> bytes:
    return pdu.pdu(Kind.DATA, struct.pack(">IBB", len(content) + 2, context, flags) + content)


SAID: Final = conversation()


def malformed(chance: random.Random) -> bytes:
    """A conversation with a few things wrong."""
    parts = [bytearray(part) for part in SAID[: chance.randint(1, len(SAID))]]
    for _ in range(chance.randint(1, 4)):
        chance.choice(FAULTS)(chance, parts)
    return b"".join(parts)


def _flip(chance: random.Random, parts: list[bytearray]) -> None:
    part = chance.choice(parts)
    if part:
        part[min(int(chance.expovariate(0.05)), len(part) - 1)] = chance.randrange(256)


def _cut(chance: random.Random, parts: list[bytearray]) -> None:
    part = chance.choice(parts)
    del part[chance.randint(0, len(part)) :]


def _swell(chance: random.Random, parts: list[bytearray]) -> None:
    """Another length than there are bytes."""
    part = chance.choice(parts)
    part[2:6] = struct.pack(">I", chance.choice((0, 1, 5, 7, len(part), MAX_PDU, MAX_PDU + 1, 0xFFFFFFFF)))


def _swap(chance: random.Random, parts: list[bytearray]) -> None:
    parts.append(parts.pop(chance.randrange(len(parts))))


def _repeat(chance: random.Random, parts: list[bytearray]) -> None:
    parts.insert(chance.randint(0, len(parts)), bytearray(chance.choice(SAID)))


def _another_kind(chance: random.Random, parts: list[bytearray]) -> None:
    chance.choice(parts)[0:1] = bytes([chance.randint(0, 9)])


def _noise(chance: random.Random, parts: list[bytearray]) -> None:
    parts.insert(chance.randint(0, len(parts)), bytearray(chance.randbytes(chance.randint(0, 80))))


def _stranger(chance: random.Random, parts: list[bytearray]) -> None:
    parts[0][26:42] = chance.choice((b"STRANGER", b"TESTPACS", bytes(16))).ljust(16)


FAULTS: Final = (_flip, _flip, _flip, _cut, _swell, _swap, _repeat, _another_kind, _noise, _stranger)


def play(said: bytes, desk: Desk, memory: Memory, *, hangs_up: bool) -> tuple[str, Bytes]:
    """One association from its first byte to its last; how it ended, and its socket."""
    socket = Bytes(said, hangs_up=hangs_up)
    stream = Stream(cast("Any", socket))  # Any: all of a socket that a stream uses
    association = Association(
        UpperLayer(stream, artim_s=600, idle_s=600, max_pdu=MAX_PDU),
        stream,
        desk,
        Reception(desk, memory, 8 << 20, whole=2 << 20),
        address="127.0.0.1",
        object_timeout_s=600,
        committer=desk,
    )
    ending = association.serve()
    association.upper.linger()
    assert association.upper.state is State.IDLE
    return ending, socket


def pdus(sent: list[bytes]) -> Iterator[tuple[int, int, int]]:
    """Type, stated length and real length of everything that we said."""
    for item in sent:
        kind, length = struct.unpack_from(">BxI", item)
        yield kind, length, len(item) - 6


def play_many(seed: int, count: int) -> dict[str, int]:
    """How often conversations ended how; asserts what must be true of each."""
    chance, desk, memory = random.Random(seed), Desk(), Memory(BUDGET)
    endings: dict[str, int] = {}
    for _ in range(count):
        ending, socket = play(malformed(chance), desk, memory, hangs_up=chance.random() < 0.5)
        endings[ending] = endings.get(ending, 0) + 1
        assert all(1 < kind < 8 and stated == real for kind, stated, real in pdus(socket.sent))
        assert len(socket.sent) < 30
    assert desk.open_sinks == 0
    assert memory.take(BUDGET)
    return endings


def test_a_well_behaved_sender_is_answered_each_of_its_messages() -> None:
    ending, socket = play(b"".join(SAID), Desk(), Memory(BUDGET), hangs_up=True)

    assert ending == "released"
    assert [kind for kind, _, _ in pdus(socket.sent)] == [
        Kind.ASSOCIATE_AC, Kind.DATA, Kind.DATA, Kind.DATA, Kind.RELEASE_RP,
    ]  # fmt: skip


def test_twenty_thousand_malformed_conversations_end_in_words() -> None:
    endings = play_many(20260105, 20_000)

    # Enough of each kind that the conversations were not all refused at the first byte.
    assert {"released", "refused", "lost", "silent for too long", "aborted by the sender"} < set(endings)
    assert max(endings.values()) < 12_000
    assert len(endings) > 12


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the process's memory from /proc")
def test_a_million_malformed_conversations_leave_no_memory_behind() -> None:
    play_many(1, 50_000)
    gc.collect()
    before = resident_bytes()

    for seed in range(2, 21):
        play_many(seed, 50_000)
    gc.collect()

    assert resident_bytes() - before < 8 << 20


def resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text("ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
