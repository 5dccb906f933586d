"""Push the files of a folder to a storage provider, byte for byte, and count what became of them in words.

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
from pynetdicom import _config
from pynetdicom.association import Association

from collegium_connect.errors import ConnectError
from collegium_connect.peer import CONNECT_S, NoAssociation, Peer, associated

_ROUNDS: Final = 3
_MOST_CONTEXTS: Final = 128  # an association, PS3.8 section 9.3.2.2
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


@dataclass
class Pushed:
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


def push(receiver: Peer, folder: Path, tell: Callable[[Pushed], None] = lambda _: None) -> Pushed:
    """Send every DICOM file below `folder`; `tell` hears after each.

    Raises:
        CannotPush: no association came about.
    """
    # The files go out as they are.
    _config.STORE_SEND_CHUNKED_DATASET = True
    pushed = Pushed()
    files = list(_files(folder, pushed))
    pushed.total = len(files)
    for part in _by_contexts(files):
        _send(receiver, part, pushed, tell)
    return pushed


def in_words(status: int) -> str:
    """What a C-STORE status of refusal means, with its number."""
    known = _WORDS.get(status) or next(
        (words for mask, value, words in _RANGES if status & mask == value), "refused"
    )
    return f"{known} ({status:04X})"


def _files(folder: Path, pushed: Pushed) -> Iterator[_File]:
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        try:
            meta = read_file_meta_info(path)
            yield _File(path, (str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)))
        except (InvalidDicomError, AttributeError, OSError):
            pushed.skipped += 1


def _by_contexts(files: Sequence[_File]) -> Iterator[list[_File]]:
    """Parts that one association each can propose contexts for."""
    contexts = list(dict.fromkeys(file.context for file in files))
    for start in range(0, len(contexts), _MOST_CONTEXTS):
        mine = set(contexts[start : start + _MOST_CONTEXTS])
        yield [file for file in files if file.context in mine]


def _send(receiver: Peer, files: list[_File], pushed: Pushed, tell: Callable[[Pushed], None]) -> None:
    """Send until each file has an answer, over up to _ROUNDS associations.

    A gateway knows an object that comes twice, so a file whose answer was lost is simply sent again.
    """
    unanswered = files
    for _ in range(_ROUNDS):
        try:
            unanswered = _send_once(receiver, unanswered, pushed, tell)
        except NoAssociation as error:
            if pushed.taken or pushed.refused:
                break
            raise CannotPush(_why_not(receiver, error)) from error
        if not unanswered:
            return
    pushed.refusals[_NO_ANSWER] += len(unanswered)
    tell(pushed)


def _send_once(
    receiver: Peer, files: list[_File], pushed: Pushed, tell: Callable[[Pushed], None]
) -> list[_File]:
    """Send over one association; the files that got no answer."""
    left = []
    with associated(receiver, dict.fromkeys(file.context for file in files)) as association:
        for file in files:
            if _store(association, file, pushed):
                tell(pushed)
            else:
                left.append(file)
    return left


def _store(association: Association, file: _File, pushed: Pushed) -> bool:
    """Whether there is an answer; it is counted."""
    if not association.is_established:
        return False
    try:
        answer = association.send_c_store(file.path)
    except ValueError:
        pushed.refusals[_NO_CONTEXT] += 1
        return True
    except (AttributeError, InvalidDicomError, OSError):
        pushed.refusals[_UNREADABLE] += 1
        return True
    except RuntimeError:
        return False  # the association was lost meanwhile
    if "Status" not in answer:
        return False
    status = int(answer.Status)
    mask, value = _WARNINGS
    if status == 0 or status & mask == value:
        pushed.taken += 1
    else:
        pushed.refusals[in_words(status)] += 1
    return True


def _why_not(receiver: Peer, failure: NoAssociation) -> str:
    if failure.refusal is not None:
        return f"The receiver refused {receiver.calling_ae} calling {receiver.called_ae}; its log says why."
    try:
        with socket.create_connection((receiver.host, receiver.port), CONNECT_S) as plain:
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
