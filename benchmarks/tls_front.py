"""TLS in front of a server that speaks plain HTTP, as the reverse proxy of an installation does.

python tls_front.py PORT BACKEND_PORT CERTIFICATE KEY
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import threading


def main(port: int, backend: int, certificate: str, key: str) -> None:
    """Serve until killed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", port), backlog=64) as listener:
        while True:
            near, _ = listener.accept()
            threading.Thread(target=_serve, args=(context, near, backend), daemon=True).start()


def _serve(context: ssl.SSLContext, near: socket.socket, backend: int) -> None:
    with contextlib.suppress(OSError), near:
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(near, server_side=True) as line, socket.socket() as far:
            far.connect(("127.0.0.1", backend))
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=_relay, args=(far, line), daemon=True)
            back.start()
            _relay(line, far)
            back.join()


def _relay(source: socket.socket, sink: socket.socket) -> None:
    buffer = memoryview(bytearray(1 << 18))
    with contextlib.suppress(OSError):
        while size := source.recv_into(buffer):
            sink.sendall(buffer[:size])
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
