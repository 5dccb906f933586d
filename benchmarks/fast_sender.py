"""A C-STORE sender that is never the bottleneck: whole objects in memory, one write an object.

pynetdicom and storescu spend more time on an object than the gateway does, so they would measure
themselves. Speaks the few bytes of PS3.8 that a push needs, nothing more.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.filereader import read_file_meta_info

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_APPLICATION_CONTEXT = b"1.2.840.10008.3.1.1.1"
_IMPLEMENTATION = b"2.25.1"
_IOV = 512


@dataclass(frozen=True)
class Blob:
    """One object, ready to send: its identity and its data set without preamble and file meta."""

    sop_class: bytes
    instance: bytes
    syntax: bytes
    data: bytes


def load(paths: Sequence[Path]) -> list[Blob]:
    """Read files into memory, so that the disk they lie on is not measured."""
    return [_blob(path) for path in paths]


def _blob(path: Path) -> Blob:
    meta = read_file_meta_info(path)
    raw = path.read_bytes()
    (length,) = struct.unpack_from("<I", raw, 140)  # (0002,0000), which every such file begins with
    return Blob(
        str(meta.MediaStorageSOPClassUID).encode(),
        str(meta.MediaStorageSOPInstanceUID).encode(),
        str(meta.TransferSyntaxUID).encode(),
        raw[144 + length :],
    )


def push(blobs: Sequence[Blob], port: int, called: str, calling: str, *, associations: int = 1) -> float:
    """Send all of them and wait for every answer; the seconds it took.

    Raises:
        RuntimeError: the association or an object was refused.
    """
    faults: list[Exception] = []

    def one(share: Sequence[Blob]) -> None:
        try:
            _associate_and_send(share, port, called.encode(), calling.encode())
        except (OSError, RuntimeError) as error:
            faults.append(error)

    threads = [threading.Thread(target=one, args=(blobs[at::associations],)) for at in range(associations)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError(f"The push failed: {faults[0]}") from faults[0]
    return time.perf_counter() - began


def push_large(blob: Blob, tail: int, port: int, called: str, calling: str) -> None:
    """Send one object whose data set goes on with `tail` bytes that need not be in memory.

    Raises:
        RuntimeError: the association or the object was refused.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=600) as line:
        ids, room = _associated(line, [blob], called.encode(), calling.encode())
        context = ids[blob.sop_class, blob.syntax]
        command, *parts = _message(1, context, blob, room)
        parts[0] = struct.pack(">BxIIBB", 4, len(blob.data) + 6, len(blob.data) + 2, context, 0)
        _write(line, [command, *parts])
        content = bytes(range(256)) * (room // 256)
        left = tail
        while left:
            size = min(left, len(content))
            left -= size
            flags = 0 if left else 2
            line.sendmsg([struct.pack(">BxIIBB", 4, size + 6, size + 2, context, flags)])
            line.sendall(memoryview(content)[:size])
        status = _status(_pdu(line)[1])
        if status:
            raise RuntimeError(f"status {status:#06x}")
        line.sendall(struct.pack(">BxI4x", 5, 4))
        _pdu(line)


def _associated(
    line: socket.socket, blobs: Sequence[Blob], called: bytes, calling: bytes
) -> tuple[dict[tuple[bytes, bytes], int], int]:
    """Context ids of an association that was accepted, and how much a value of it may hold."""
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    contexts = sorted({(blob.sop_class, blob.syntax) for blob in blobs})
    ids = {pair: 2 * number + 1 for number, pair in enumerate(contexts)}
    line.sendall(_request(ids, called, calling))
    kind, body = _pdu(line)
    if kind != 2:
        raise RuntimeError(f"association refused (PDU type {kind})")
    return ids, (_max_pdu(body) or 4 << 20) - 6


def _associate_and_send(blobs: Sequence[Blob], port: int, called: bytes, calling: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        ids, room = _associated(line, blobs, called, calling)
        for number, blob in enumerate(blobs, 1):
            _write(line, list(_message(number & 0xFFFF, ids[blob.sop_class, blob.syntax], blob, room)))
            status = _status(_pdu(line)[1])
            if status:
                raise RuntimeError(f"status {status:#06x} for object {number}")
        line.sendall(struct.pack(">BxI4x", 5, 4))
        _pdu(line)


def _message(number: int, context: int, blob: Blob, room: int) -> Iterator[bytes | memoryview]:
    command = _command(number, blob)
    yield struct.pack(">BxIIBB", 4, len(command) + 6, len(command) + 2, context, 3) + command
    view = memoryview(blob.data)
    for start in range(0, len(view), room):
        part = view[start : start + room]
        flags = 2 if start + room >= len(view) else 0
        yield struct.pack(">BxIIBB", 4, len(part) + 6, len(part) + 2, context, flags)
        yield part


def _write(line: socket.socket, pieces: list[bytes | memoryview]) -> None:
    for start in range(0, len(pieces), _IOV):
        group = pieces[start : start + _IOV]
        sent = line.sendmsg(group)
        for piece in group:
            if sent < len(piece):
                line.sendall(memoryview(piece)[sent:])
            sent = max(0, sent - len(piece))


def _command(number: int, blob: Blob) -> bytes:
    fields = (
        (0x0002, _even(blob.sop_class)),
        (0x0100, struct.pack("<H", 1)),
        (0x0110, struct.pack("<H", number)),
        (0x0700, struct.pack("<H", 0)),
        (0x0800, struct.pack("<H", 1)),
        (0x1000, _even(blob.instance)),
    )
    body = b"".join(struct.pack("<HHI", 0, element, len(value)) + value for element, value in fields)
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body


def _even(uid: bytes) -> bytes:
    return uid + b"\0" * (len(uid) % 2)


def _request(ids: dict[tuple[bytes, bytes], int], called: bytes, calling: bytes) -> bytes:
    body = struct.pack(">HH16s16s32x", 1, 0, called.ljust(16), calling.ljust(16))
    body += _item(0x10, _APPLICATION_CONTEXT)
    for (sop_class, syntax), context in ids.items():
        body += _item(0x20, bytes([context, 0, 0, 0]) + _item(0x30, sop_class) + _item(0x40, syntax))
    body += _item(0x50, _item(0x51, struct.pack(">I", 16384)) + _item(0x52, _IMPLEMENTATION))
    return struct.pack(">BxI", 1, len(body)) + body


def _item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(data):
        kind, length = struct.unpack_from(">BxH", data, at)
        yield kind, data[at + 4 : at + 4 + length]
        at += 4 + length


def _max_pdu(accepted: bytes) -> int:
    for kind, value in _items(accepted[68:]):
        for inner, content in _items(value) if kind == 0x50 else ():
            if inner == 0x51:
                return int.from_bytes(content, "big")
    return 16384


def _status(body: bytes) -> int:
    at = 6
    while at < len(body):
        element, length = struct.unpack_from("<2xHI", body, at)
        if element == 0x0900:
            return int.from_bytes(body[at + 8 : at + 8 + length], "little")
        at += 8 + length
    return -1


def _pdu(line: socket.socket) -> tuple[int, bytes]:
    kind, length = struct.unpack(">BxI", _take(line, 6))
    return int(kind), _take(line, length)


def _take(line: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        # A peer that answers in two writes would wait 40 ms for a delayed acknowledgement.
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        got = line.recv(size - len(data))
        if not got:
            raise RuntimeError("the peer closed the line")
        data += got
    return bytes(data)
