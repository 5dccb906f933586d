"""`send`: hand the DICOM files of a folder to the running gateway, or to any other receiver."""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TextIO

from collegium_connect.cli.options import Commands, chosen, declare
from collegium_connect.peer import Peer
from collegium_connect.peer_tls import towards
from collegium_connect.push import CannotPush, Pushed, push
from collegium_connect.push_here import push_here
from collegium_connect.settings import PeerTlsSettings

_CALLING: Final = "COLLEGIUM"
_SCREEN_S, _LINE_S = 0.2, 30.0


def register(commands: Commands) -> None:
    command = declare(
        commands, "send", "hand the DICOM files of a folder to the running gateway, or elsewhere", run
    )
    command.add_argument("folder", type=Path)
    command.add_argument("--to", default="", metavar="AE", help="called AE title, of the channel here")
    elsewhere = command.add_argument_group("to another receiver; the configuration is not read then")
    elsewhere.add_argument("--at", type=_place, metavar="HOST:PORT", help="where it listens")
    elsewhere.add_argument("--as", dest="calling", default=_CALLING, metavar="AE", help="calling AE title")
    elsewhere.add_argument(
        "--ca-file", type=Path, metavar="PEM", help="speak TLS; authorities of its certificate"
    )
    elsewhere.add_argument("--certificate-file", type=Path, metavar="PEM", help="to show it, if it asks")
    elsewhere.add_argument("--key-file", type=Path, metavar="PEM", help="key of that certificate")
    elsewhere.add_argument(
        "--tls-name", default="", metavar="NAME", help="name in its certificate, if not HOST"
    )


def run(options: argparse.Namespace) -> int:
    progress = Progress(sys.stderr)
    if options.at is None:
        pushed = push_here(chosen(options), options.folder, options.to, progress.tell)
    else:
        pushed = push(_receiver(options), options.folder, progress.tell)
    progress.end()
    print(f"{pushed.taken} taken, {pushed.refused} refused, {pushed.skipped} are no DICOM files.")
    for reason, count in pushed.refusals.most_common():
        print(f"  {count} refused: {reason}")
    return 0 if pushed.taken and not pushed.refused else 1


class Progress:
    """How far it is: one line that changes on a screen, a line every half minute elsewhere."""

    def __init__(self, stream: TextIO, elapsed_s: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._elapsed_s = stream, elapsed_s
        self._is_screen = stream.isatty()
        self._told_s = elapsed_s() if not self._is_screen else float("-inf")
        self._is_open = False

    def tell(self, pushed: Pushed) -> None:
        at_s = self._elapsed_s()
        if at_s - self._told_s < (_SCREEN_S if self._is_screen else _LINE_S):
            return
        self._told_s, self._is_open = at_s, self._is_screen
        words = f"{pushed.taken + pushed.refused} of {pushed.total} sent, {pushed.refused} refused"
        print(
            f"\r{words}" if self._is_screen else words, end="" if self._is_screen else "\n", file=self._stream
        )
        self._stream.flush()

    def end(self) -> None:
        """Leave the line that changes."""
        if self._is_open:
            print(file=self._stream)


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise argparse.ArgumentTypeError("name host and port, such as pacs.example.org:104")
    return host, int(port)


def _receiver(options: argparse.Namespace) -> Peer:
    host, port = options.at
    if not options.to:
        raise CannotPush("Say with --to which AE title is called there.")
    return Peer(host, port, options.to, options.calling, towards(_tls(options), host))


def _tls(options: argparse.Namespace) -> PeerTlsSettings | None:
    if options.ca_file is not None:
        return PeerTlsSettings(
            ca_file=options.ca_file,
            certificate_file=options.certificate_file,
            key_file=options.key_file,
            name=options.tls_name,
        )
    if options.certificate_file or options.key_file or options.tls_name:
        raise CannotPush("TLS needs --ca-file: the authorities whose certificate the receiver must show.")
    return None
