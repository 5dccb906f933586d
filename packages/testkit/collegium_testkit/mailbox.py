"""A mail server on a port of its own that takes every message and keeps it: enough SMTP (RFC 5321) for one sender."""

from __future__ import annotations

import email
import socketserver
import threading
from email import policy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from email.message import EmailMessage
    from types import TracebackType
    from typing import Self


class Mailbox:
    """`with Mailbox() as box:` then send to 127.0.0.1 and `box.port`; `box.messages` holds what came."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refuses: set[str] = set()
        """Addresses that are answered with 550."""
        self._server = _Server(("127.0.0.1", 0), _Talk)
        self._server.mailbox = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def settings(self) -> dict[str, str]:
        """Environment of an installation that sends here."""
        return {
            "COLLEGIUM_MAIL_HOST": "127.0.0.1",
            "COLLEGIUM_MAIL_PORT": str(self.port),
            "COLLEGIUM_MAIL_SECURITY": "none",
        }

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    mailbox: Mailbox


class _Talk(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Server)
        mailbox = self.server.mailbox
        self._say("220 mailbox")
        while line := self.rfile.readline().decode("ascii", "replace").strip():
            verb = line.partition(" ")[0].upper()
            if verb == "DATA":
                self._say("354 go on")
                mailbox.messages.append(email.message_from_bytes(self._data(), policy=policy.default))
                self._say("250 kept")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            elif verb == "RCPT" and any(address in line for address in mailbox.refuses):
                self._say("550 nobody here")
            else:
                self._say("250 mailbox" if verb == "EHLO" else "250 fine")

    def _data(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")
