"""Hand the files of a folder to the running gateway, over the same door as a PACS."""

import ipaddress
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pynetdicom import AE, _config
from pynetdicom.association import Association

from collegium_connect.errors import ConnectError
from collegium_connect.folders import journal_path, running_path
from collegium_connect.journal import channels
from collegium_connect.journal.database import Journal
from collegium_connect.settings import Settings

_ROUNDS: Final = 3
_LOOPBACK: Final = ipaddress.ip_address("127.0.0.1")


class CannotPush(ConnectError):
    code = "connect.push.impossible"
    message = "The folder cannot be handed over."


@dataclass(frozen=True)
class PushResult:
    """How many files the gateway took, refused, and how many are no DICOM files."""

    taken: int
    refused: int
    skipped: int


def push(settings: Settings, folder: Path, called_ae: str = "") -> PushResult:
    """Send every DICOM file below `folder` to a channel of the running gateway.

    Raises:
        CannotPush: the gateway does not run, the channel is not clear, or no local caller is listed.
    """
    port, calling_ae = _port(settings), _caller(settings)
    called_ae = called_ae or _only_channel(settings)
    # The files go out byte for byte; the gateway judges them, not this command.
    _config.STORE_SEND_CHUNKED_DATASET = True
    paths, contexts, skipped = [], Counter[tuple[str, str]](), 0
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        try:
            meta = read_file_meta_info(path)
            contexts[str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)] += 1
            paths.append(path)
        except (InvalidDicomError, AttributeError, OSError):
            skipped += 1
    taken = _send(port, calling_ae, called_ae, paths, list(contexts)) if paths else 0
    return PushResult(taken, len(paths) - taken, skipped)


def _send(
    port: int, calling_ae: str, called_ae: str, paths: list[Path], contexts: list[tuple[str, str]]
) -> int:
    """Send until each file has an answer, over up to _ROUNDS associations; how many were taken.

    The gateway knows an object that comes twice, so a file whose answer was lost is simply sent again.
    """
    ae = AE(ae_title=calling_ae)
    for sop_class, syntax in contexts[:128]:  # PS3.8: at most 128 contexts an association
        ae.add_requested_context(sop_class, [syntax])
    taken, unanswered = 0, paths
    for _ in range(_ROUNDS):
        association = ae.associate("127.0.0.1", port, ae_title=called_ae)
        if not association.is_established:
            raise CannotPush(f"The gateway refused {calling_ae} calling {called_ae}; its log says why.")
        left = []
        try:
            for path in unanswered:
                status = _store(association, path)
                taken += status == 0
                if status is None:
                    left.append(path)
        finally:
            association.release()
        unanswered = left
        if not unanswered:
            break
    return taken


def _store(association: Association, path: Path) -> int | None:
    try:
        answer = association.send_c_store(path)
    except (RuntimeError, ValueError):
        return None  # the association was lost, or no context was accepted for this file
    return int(answer.Status) if "Status" in answer else None


def _port(settings: Settings) -> int:
    try:
        return int(json.loads(running_path(settings).read_text("utf-8"))["receive_port"])
    except (OSError, ValueError, KeyError) as error:
        raise CannotPush("The gateway is not running. Start it first: collegium-connect up.") from error


def _caller(settings: Settings) -> str:
    for caller in settings.receive.allowed_callers:
        if _LOOPBACK in ipaddress.ip_network(caller.address):
            return caller.ae
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
