"""A PACS that pushes: real associations, made with pynetdicom.

The peer for every test of the gateway's door. It knows nothing of the gateway, whose cure of pynetdicom it shares.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydicom.dataset import Dataset
from pydicom.filereader import read_file_meta_info
from pydicom.uid import UID
from pynetdicom import AE, _config
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_ASSOCIATE

from collegium_connect.undisturbed import parked

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
    timeout_s: float = 30.0,
) -> list[Sent]:
    """Push every file over one association; the statuses come in the order of the files.

    Raises:
        AssociationRefused: the peer rejected the association.
    """
    paths = files_in(folder) if isinstance(folder, Path) else list(folder)
    association = _associate(_Peer(host, port, called_ae, calling_ae, timeout_s), _contexts(paths))
    sent: list[Sent] = []
    with _undisturbed(association):
        for path in paths:
            # Once no answer came the association is over; what is left was not sent.
            is_over = bool(sent) and sent[-1].status == NO_ANSWER
            sent.append(Sent(path, NO_ANSWER if is_over else _store(association, path)))
    return sent


def echo(
    host: str, port: int, called_ae: str, calling_ae: str = "TESTPACS", *, timeout_s: float = 10.0
) -> int:
    """The status of one C-ECHO.

    Raises:
        AssociationRefused: the peer rejected the association.
    """
    peer = _Peer(host, port, called_ae, calling_ae, timeout_s)
    association = _associate(peer, [(VERIFICATION, ["1.2.840.10008.1.2"])])
    with _undisturbed(association):
        return _status(association.send_c_echo())


@contextmanager
def _undisturbed(association: Association) -> Iterator[None]:
    """Send without pynetdicom's own thread in between; release the association in the end."""
    try:
        with parked(association):
            yield
    finally:
        _close(association)


@dataclass(frozen=True)
class _Peer:
    host: str
    port: int
    called_ae: str
    calling_ae: str
    timeout_s: float


def _contexts(paths: Iterable[Path]) -> list[tuple[str, list[str]]]:
    """One presentation context a pair of class and syntax, so that no peer can choose to convert."""
    pairs: dict[tuple[str, str], None] = {}
    for path in paths:
        meta = read_file_meta_info(path)  # the data set behind it may be anything
        pairs[str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)] = None
    return [(sop_class, [syntax]) for sop_class, syntax in pairs]


def _associate(peer: _Peer, contexts: Iterable[tuple[str, list[str]]]) -> Association:
    ae = AE(ae_title=peer.calling_ae)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = ae.connection_timeout = peer.timeout_s
    for sop_class, syntaxes in contexts:
        ae.add_requested_context(UID(sop_class), syntaxes)
    association = ae.associate(peer.host, peer.port, ae_title=peer.called_ae)
    if association.is_established:
        return association
    # A rejection that comes faster than pynetdicom looks is taken for a lost line, and left in its queue.
    answer = association.acceptor.primitive or association.dul.receive_pdu(wait=False)
    _close(association)
    if not isinstance(answer, A_ASSOCIATE):
        raise AssociationRefused(0, 0, 0)
    raise AssociationRefused(answer.result or 0, answer.result_source or 0, answer.diagnostic or 0)


def _store(association: Association, path: Path) -> int:
    if not association.is_established:
        return NO_ANSWER
    try:
        return _status(association.send_c_store(path))
    except (RuntimeError, ValueError):
        # pynetdicom: the association was lost, or no accepted context fits this object.
        return NO_ANSWER


def _status(answer: Dataset) -> int:
    return int(answer.Status) if "Status" in answer else NO_ANSWER


def _close(association: Association) -> None:
    if association.is_established:
        association.release()
    if association.is_alive():  # a refused one never started its thread
        association.join(timeout=10)
    if association.dul.socket is not None:
        association.dul.socket.close()  # pynetdicom leaves it open when the peer went away first
