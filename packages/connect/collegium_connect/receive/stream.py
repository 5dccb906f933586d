"""Read exact amounts from a socket: small pieces through a buffer, large ones straight to their place."""

import socket
from typing import Final

from collegium_connect.receive.errors import PeerGone

_BUFFER: Final = 64 << 10
# Linux acknowledges a sender's bytes at once while this is on, and switches it off again by itself:
# senders that write an answer in two pieces otherwise wait 40 ms an object.
_QUICKACK: Final = getattr(socket, "TCP_QUICKACK", None)


class Stream:
    """One association's bytes. Every read ends within the socket's timeout or raises PeerGone."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._buffer = memoryview(bytearray(_BUFFER))
        self._start = self._end = 0

    def take(self, size: int) -> bytes:
        data = bytearray(size)
        self.read_into(memoryview(data))
        return bytes(data)

    def read_into(self, target: memoryview) -> None:
        """Fill `target`."""
        size = len(target)
        done = min(self._end - self._start, size)
        if done:
            target[:done] = self._buffer[self._start : self._start + done]
            self._start += done
        while done < size:
            if size - done >= _BUFFER:
                done += self._receive(target[done:])
                continue
            self._end, self._start = self._receive(self._buffer), 0
            part = min(self._end, size - done)
            target[done : done + part] = self._buffer[:part]
            self._start, done = part, done + part

    def send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise PeerGone from error

    def _receive(self, target: memoryview) -> int:
        try:
            if _QUICKACK is not None:
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
            got = self._socket.recv_into(target)
        except OSError as error:
            raise PeerGone from error
        if not got:
            raise PeerGone
        return got
