"""The server that tests own ends with everybody who waits on it."""

import socket
import threading
from urllib.parse import urlsplit

from collegium_testkit.fake_server import FakeServer
from collegium_testkit.patience import until


def test_who_says_nothing_more_does_not_outlive_the_server() -> None:
    before = threading.active_count()
    with socket.socket() as line:
        with FakeServer([]) as server:
            line.connect(("127.0.0.1", urlsplit(server.url).port))
            line.sendall(b"PUT /gateway/v1/heartbeat HTTP/1.1\r\nContent-Length: 1000\r\n\r\n{")
            until(lambda: threading.active_count() == before + 2, "the server to read")

        until(lambda: threading.active_count() == before, "its thread to end", patience_s=30)
