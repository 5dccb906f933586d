"""Read exact amounts from a socket: small pieces through a buffer, large ones straight to their place."""

import socket
import ssl
import struct
import time
from typing import Any, Final

from collegium_connect.receive.errors import PeerGone, PeerSilent

_BUFFER: Final = 64 << 10
# Linux acknowledges a sender's bytes at once while this is on, and switches it off again by itself:
# senders that write an answer in two pieces otherwise wait 40 ms an object.
_QUICKACK: Final = getattr(socket, "TCP_QUICKACK", None)


class Stream:
    """One association's bytes. Every read ends in time, or raises PeerGone or PeerSilent."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._buffer = memoryview(bytearray(_BUFFER))
        self._start = self._end = 0
        self._ends: float | None = None
        self.takes_two_threads = not isinstance(connection, ssl.SSLSocket)

    def idle_at_most(self, seconds: float) -> None:
        """Give up when no byte moves for so long, either way."""
        self._socket.settimeout(seconds)

    def end_within(self, seconds: float | None) -> None:
        """Give up so many seconds from now even if bytes keep dripping; None: never."""
        self._ends = None if seconds is None else time.monotonic() + seconds

    def unpack(self, form: struct.Struct) -> tuple[Any, ...]:  # Any: as the form says
        """A few fixed fields."""
        size = form.size
        if self._end - self._start < size:
            self._gather(size)
        self._start += size
        return form.unpack_from(self._buffer, self._start - size)

    def take(self, size: int) -> bytes:
        if size <= _BUFFER:
            if self._end - self._start < size:
                self._gather(size)
            self._start += size
            return bytes(self._buffer[self._start - size : self._start])
        data = bytearray(size)
        self.read_into(memoryview(data))
        return bytes(data)

    def skip(self, size: int) -> None:
        """Throw away `size` bytes."""
        while size:
            if self._start == self._end:
                self._end, self._start = self._receive(self._buffer), 0
            part = min(self._end - self._start, size)
            self._start, size = self._start + part, size - part

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
        except TimeoutError as error:
            raise PeerSilent from error
        except OSError as error:
            raise PeerGone from error

    def say_no_more(self) -> None:
        """End our direction of the connection; the peer's stays open."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            return  # it is gone already

    def _gather(self, size: int) -> None:
        """Have at least `size` bytes in the buffer."""
        left = self._end - self._start
        self._buffer[:left] = self._buffer[self._start : self._end]
        self._start, self._end = 0, left
        while self._end < size:
            self._end += self._receive(self._buffer[self._end :])

    def _receive(self, target: memoryview) -> int:
        if self._ends is not None and time.monotonic() >= self._ends:
            raise PeerSilent
        try:
            if _QUICKACK is not None:
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
            got = self._socket.recv_into(target)
        except TimeoutError as error:
            raise PeerSilent from error
        except OSError as error:
            raise PeerGone from error
        if not got:
            raise PeerGone
        return got
