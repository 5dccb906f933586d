"""A small outbound proxy as hospitals have one: CONNECT only, with a password if asked."""

import base64
import contextlib
import socket
import threading
from types import TracebackType
from typing import Final, Self

from collegium_testkit.patience import PATIENCE_S

_PIECE: Final = 1 << 16


class Proxy:
    """Use as a context manager; `tunnels` names what it was asked to connect to."""

    def __init__(self, password: str = "") -> None:
        self._wanted = base64.b64encode(f"gateway:{password}".encode()).decode() if password else ""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.tunnels: list[str] = []
        self.refused = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A listener that is only closed leaves its thread in accept.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(timeout=PATIENCE_S)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def url(self, password: str = "") -> str:
        user = f"gateway:{password}@" if password else ""
        return f"http://{user}127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        with caller, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += caller.recv(_PIECE) or b"\r\n\r\n"
            method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
            if method != "CONNECT" or self._wanted not in head.decode():
                self.refused += 1
                caller.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
            self.tunnels.append(target)
            host, _, port = target.rpartition(":")
            with socket.create_connection((host, int(port))) as server:
                caller.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_pump, args=(server, caller), daemon=True)
                back.start()
                _pump(caller, server)
                back.join(timeout=PATIENCE_S)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
