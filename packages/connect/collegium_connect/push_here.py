"""Push the files of a folder to the running gateway of this machine, over the same door as a PACS."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from collegium_connect.folders import journal_path, receive_port
from collegium_connect.journal import channels
from collegium_connect.journal.database import Journal
from collegium_connect.peer import Peer
from collegium_connect.peer_tls import TlsArguments, pinned
from collegium_connect.push import CannotPush, Pushed, push
from collegium_connect.settings import Settings

_HERE: Final = "127.0.0.1"


def push_here(
    settings: Settings, folder: Path, called_ae: str = "", tell: Callable[[Pushed], None] = lambda _: None
) -> Pushed:
    """Send every DICOM file below `folder` to a channel of the running gateway.

    Raises:
        CannotPush: the gateway does not run, the channel is not clear, or no local caller is listed.
    """
    port, calling_ae = _port(settings), _caller(settings)
    receiver = Peer(_HERE, port, called_ae or _only_channel(settings), calling_ae, _own_tls(settings))
    return push(receiver, folder, tell)


def _own_tls(settings: Settings) -> TlsArguments | None:
    """Where only the port with TLS is open: trust the certificate that this very gateway shows."""
    receive = settings.receive
    if receive.is_plain_open or receive.tls_certificate_file is None:
        return None
    return pinned(receive.tls_certificate_file, _HERE)


def _port(settings: Settings) -> int:
    port = receive_port(settings)
    if port is None:
        raise CannotPush("The gateway is not running. Start it first: collegium-connect up.")
    return port


def _caller(settings: Settings) -> str:
    title = settings.receive.title_at(_HERE)
    if title is not None:
        return title
    raise CannotPush('No caller on this machine is listed. Add {ae="LOCAL", address="127.0.0.1"} to receive.')


def _only_channel(settings: Settings) -> str:
    journal = Journal(journal_path(settings))
    try:
        with journal.look() as db:
            titles = [item.setup.called_ae for item in channels.channels(db) if item.is_active]
    finally:
        journal.close()
    if len(titles) != 1:
        raise CannotPush(f"Say which channel with --to; there are: {', '.join(titles) or 'none'}.")
    return titles[0]
