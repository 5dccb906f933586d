"""A PACS that pushes: real associations, made with pynetdicom.

The peer for every test of the gateway's door. It knows nothing of the gateway, and opens associations as it does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydicom.dataset import Dataset
from pydicom.filereader import read_file_meta_info
from pynetdicom import _config
from pynetdicom.association import Association

from collegium_connect.peer import LOST, Context, NoAssociation, Peer, associated
from collegium_connect.peer_tls import TlsArguments
from collegium_testkit.patience import PATIENCE_S

SUCCESS: Final = 0x0000
VERIFICATION: Final = "1.2.840.10008.1.1"
# Files go out as they are, byte for byte: a test must be able to send what no toolkit would write.
_config.STORE_SEND_CHUNKED_DATASET = True

NO_ANSWER: Final = -1
"""Stands for "no status came back": the association was aborted, or the peer went away."""


class AssociationRefused(Exception):
    """The peer rejected or aborted the association; nothing was sent."""

    def __init__(self, result: int, source: int, reason: int) -> None:
        super().__init__(f"Association refused: result {result}, source {source}, reason {reason}.")
        self.result, self.source, self.reason = result, source, reason


@dataclass(frozen=True)
class Sent:
    """One object and the C-STORE status that the peer answered."""

    path: Path
    status: int

    @property
    def stored(self) -> bool:
        return self.status == SUCCESS


def files_in(folder: Path) -> list[Path]:
    """The DICOM files below `folder`, in name order."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in {".dcm", ""})


def send(  # noqa: PLR0913 - one argument a fact about the two peers
    folder: Path | Sequence[Path],
    host: str,
    port: int,
    called_ae: str,
    calling_ae: str = "TESTPACS",
    *,
    timeout_s: float = PATIENCE_S,
) -> list[Sent]:
    """Push every file over one association; the statuses come in the order of the files.

    Raises:
        AssociationRefused: the peer rejected the association.
    """
    paths = files_in(folder) if isinstance(folder, Path) else list(folder)
    peer = Peer(host, port, called_ae, calling_ae, timeout_s=timeout_s)
    sent: list[Sent] = []
    try:
        with associated(peer, _contexts(paths)) as association:
            for path in paths:
                # Once no answer came the association is over; what is left was not sent.
                is_over = bool(sent) and sent[-1].status == NO_ANSWER
                sent.append(Sent(path, NO_ANSWER if is_over else _store(association, path)))
    except NoAssociation as error:
        raise _refused(error) from error
    return sent


def echo(  # noqa: PLR0913 - one argument a fact about the two peers
    host: str,
    port: int,
    called_ae: str,
    calling_ae: str = "TESTPACS",
    *,
    timeout_s: float = PATIENCE_S,
    tls: TlsArguments | None = None,
) -> int:
    """The status of one C-ECHO.

    Raises:
        AssociationRefused: the peer rejected the association.
    """
    peer = Peer(host, port, called_ae, calling_ae, tls, timeout_s)
    try:
        with associated(peer, [(VERIFICATION, "1.2.840.10008.1.2")]) as association:
            return _status(association.send_c_echo())
    except NoAssociation as error:
        raise _refused(error) from error


def _contexts(paths: Iterable[Path]) -> Iterable[Context]:
    """One presentation context a pair of class and syntax, so that no peer can choose to convert."""
    pairs: dict[Context, None] = {}
    for path in paths:
        meta = read_file_meta_info(path)  # the data set behind it may be anything
        pairs[str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)] = None
    return pairs


def _refused(error: NoAssociation) -> AssociationRefused:
    return AssociationRefused(*(error.refusal or (0, 0, 0)))


def _store(association: Association, path: Path) -> int:
    if not association.is_established:
        return NO_ANSWER
    try:
        return _status(association.send_c_store(path))
    except LOST:
        return NO_ANSWER


def _status(answer: Dataset) -> int:
    return int(answer.Status) if "Status" in answer else NO_ANSWER
