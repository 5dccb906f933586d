"""Send the files of a folder to a storage provider, byte for byte, and count what became of them in words.

The receiver judges the files, not this module. Nothing here names a file: its name may name a patient.
"""

import socket
import ssl
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pynetdicom import AE, _config
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_ASSOCIATE

from collegium_connect.errors import ConnectError
from collegium_connect.peer_tls import TlsArguments
from collegium_connect.undisturbed import undisturbed

_ROUNDS: Final = 3
_MOST_CONTEXTS: Final = 128  # an association, PS3.8 section 9.3.2.2
_CONNECT_S: Final = 15.0
_NO_CONTEXT: Final = "kind of object, or its transfer syntax, not taken there"
_UNREADABLE: Final = "the file cannot be read as DICOM"
_NO_ANSWER: Final = "no answer: the line broke"
# PS3.7 annex C and PS3.4 Table B.2-1; the last three are ranges, by their first digits.
_WORDS: Final = {
    0x0110: "unexpected fault at the receiver, see its log",
    0x0117: "object's UID not valid",
    0x0122: "kind of object not taken there",
    0x0124: "not allowed",
    0x0211: "operation not known there",
    0x0212: "operation not understood there",
}
_RANGES: Final = (
    (0xF000, 0xC000, "object not understood"),
    (0xFF00, 0xA700, "receiver out of resources, try later"),
    (0xFF00, 0xA900, "object does not match its kind"),
)
_WARNINGS: Final = (0xF000, 0xB000)  # stored, with a remark


class CannotPush(ConnectError):
    code = "connect.push.impossible"
    message = "The folder cannot be handed over."


@dataclass(frozen=True)
class Receiver:
    """Where to send, and as whom."""

    host: str
    port: int
    called_ae: str
    calling_ae: str
    tls: TlsArguments | None = None


@dataclass
class Handed:
    """What became of the files so far."""

    total: int = 0
    taken: int = 0
    skipped: int = 0
    """Files that are no DICOM files."""
    refusals: Counter[str] = field(default_factory=Counter)
    """Reason in words to count."""

    @property
    def refused(self) -> int:
        return self.refusals.total()


@dataclass(frozen=True)
class _File:
    path: Path
    context: tuple[str, str]
    """SOP class and transfer syntax."""


def hand_over(receiver: Receiver, folder: Path, tell: Callable[[Handed], None] = lambda _: None) -> Handed:
    """Send every DICOM file below `folder`; `tell` hears after each.

    Raises:
        CannotPush: no association came about.
    """
    # The files go out as they are.
    _config.STORE_SEND_CHUNKED_DATASET = True
    handed = Handed()
    files = list(_files(folder, handed))
    handed.total = len(files)
    for part in _by_contexts(files):
        _send(receiver, part, handed, tell)
    return handed


def in_words(status: int) -> str:
    """What a C-STORE status of refusal means, with its number."""
    known = _WORDS.get(status) or next(
        (words for mask, value, words in _RANGES if status & mask == value), "refused"
    )
    return f"{known} ({status:04X})"


def _files(folder: Path, handed: Handed) -> Iterator[_File]:
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        try:
            meta = read_file_meta_info(path)
            yield _File(path, (str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)))
        except (InvalidDicomError, AttributeError, OSError):
            handed.skipped += 1


def _by_contexts(files: Sequence[_File]) -> Iterator[list[_File]]:
    """Parts that one association each can propose contexts for."""
    contexts = list(dict.fromkeys(file.context for file in files))
    for start in range(0, len(contexts), _MOST_CONTEXTS):
        mine = set(contexts[start : start + _MOST_CONTEXTS])
        yield [file for file in files if file.context in mine]


def _send(receiver: Receiver, files: list[_File], handed: Handed, tell: Callable[[Handed], None]) -> None:
    """Send until each file has an answer, over up to _ROUNDS associations.

    A gateway knows an object that comes twice, so a file whose answer was lost is simply sent again.
    """
    unanswered = files
    for _ in range(_ROUNDS):
        association = _associate(receiver, unanswered)
        if not association.is_established:
            if handed.taken or handed.refused:
                break
            raise CannotPush(_why_not(receiver, association))
        left = []
        with undisturbed(association):
            for file in unanswered:
                if _store(association, file, handed):
                    tell(handed)
                else:
                    left.append(file)
        unanswered = left
        if not unanswered:
            return
    handed.refusals[_NO_ANSWER] += len(unanswered)
    tell(handed)


def _associate(receiver: Receiver, files: list[_File]) -> Association:
    ae = AE(ae_title=receiver.calling_ae)
    ae.connection_timeout = _CONNECT_S
    for sop_class, syntax in dict.fromkeys(file.context for file in files):
        ae.add_requested_context(sop_class, [syntax])
    return ae.associate(receiver.host, receiver.port, ae_title=receiver.called_ae, tls_args=receiver.tls)


def _store(association: Association, file: _File, handed: Handed) -> bool:
    """Whether there is an answer; it is counted."""
    if not association.is_established:
        return False
    try:
        answer = association.send_c_store(file.path)
    except ValueError:
        handed.refusals[_NO_CONTEXT] += 1
        return True
    except (AttributeError, InvalidDicomError, OSError):
        handed.refusals[_UNREADABLE] += 1
        return True
    except RuntimeError:
        return False  # the association was lost meanwhile
    if "Status" not in answer:
        return False
    status = int(answer.Status)
    mask, value = _WARNINGS
    if status == 0 or status & mask == value:
        handed.taken += 1
    else:
        handed.refusals[in_words(status)] += 1
    return True


def _why_not(receiver: Receiver, association: Association) -> str:
    # A rejection that comes faster than pynetdicom looks is taken for a lost line, and left in its queue.
    if association.is_rejected or isinstance(association.dul.receive_pdu(wait=False), A_ASSOCIATE):
        return f"The receiver refused {receiver.calling_ae} calling {receiver.called_ae}; its log says why."
    try:
        with socket.create_connection((receiver.host, receiver.port), _CONNECT_S) as plain:
            if receiver.tls is not None:
                context, name = receiver.tls
                context.wrap_socket(plain, server_hostname=name).close()
    except ssl.SSLCertVerificationError as error:
        return f"The receiver's certificate is not trusted: {error.verify_message}."
    except ssl.SSLError:
        return "The receiver speaks no TLS there, or not with this certificate."
    except OSError:
        return f"Nobody answers at {receiver.host}, port {receiver.port}."
    return "The receiver hung up. It may not list this machine, want TLS, or want a certificate."
