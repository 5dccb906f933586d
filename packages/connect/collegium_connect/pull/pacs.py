"""The two questions to a PACS: which exams are these (C-FIND), and send them here (C-MOVE)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pydicom import Dataset
from pydicom.uid import UID

from collegium_connect.errors import ConnectError
from collegium_connect.peer import LOST, NoAssociation, Peer, associated
from collegium_connect.peer_tls import towards
from collegium_connect.settings import SourceSettings

if TYPE_CHECKING:
    from pynetdicom.association import Association

# PS3.4 annex C: Study Root Query/Retrieve Information Model.
FIND: Final = UID("1.2.840.10008.5.1.4.1.2.2.1")
MOVE: Final = UID("1.2.840.10008.5.1.4.1.2.2.2")
_PENDING: Final = frozenset({0xFF00, 0xFF01})
_UNKNOWN_DESTINATION: Final = 0xA801
_MOST_EXAMS: Final = 200


class Kind(StrEnum):
    """By what exams are listed."""

    ACCESSION = "accession"
    PATIENT = "patient"

    @property
    def keyword(self) -> str:
        return "AccessionNumber" if self is Kind.ACCESSION else "PatientID"


class PullFailed(ConnectError):
    code = "connect.pull.failed"
    message = "The PACS did not send what was asked for."


@dataclass(frozen=True)
class Pulled:
    """How many exams the PACS had, and how many objects it says it sent."""

    exams: int
    objects: int


def pull(source: SourceSettings, destination: str, kind: Kind, key: str) -> Pulled:
    """Have a PACS send all exams of one accession number or patient to `destination`, a title of the gateway.

    Raises:
        PullFailed: it could not be asked, or did not send everything; the message names nobody.
        SettingsInvalid: a file for TLS cannot be used.
    """
    tls = towards(source.tls, source.host)
    pacs = Peer(source.host, source.port, source.ae, source.calling_ae, tls, source.timeout_s)
    try:
        with associated(pacs, [(FIND, None), (MOVE, None)]) as association:
            studies = _find(association, kind, key)
            objects = sum(_move(association, study_uid, destination) for study_uid in studies)
    except NoAssociation as error:
        raise PullFailed("The PACS cannot be reached, or refused to be asked.") from error
    except LOST as error:
        raise PullFailed("The PACS does not offer what is needed: C-FIND and C-MOVE for studies.") from error
    return Pulled(len(studies), objects)


def _find(association: "Association", kind: Kind, key: str) -> list[str]:
    """Study UIDs of exactly this key.

    Some PACS ignore a key they do not know and name every study: only what comes back with the very
    same value is asked for.
    """
    question = Dataset()
    question.QueryRetrieveLevel, question.StudyInstanceUID = "STUDY", ""
    setattr(question, kind.keyword, key)
    found: dict[str, None] = {}
    for status, answer in association.send_c_find(question, FIND):
        code = _status(status)
        if code in _PENDING and answer is not None:
            if str(answer.get(kind.keyword, "")).strip() == key and answer.get("StudyInstanceUID"):
                found[str(answer.StudyInstanceUID)] = None
        elif code:
            raise PullFailed("The PACS could not search.")
    if len(found) > _MOST_EXAMS:
        raise PullFailed(f"The PACS names more than {_MOST_EXAMS} exams for one entry of the list.")
    return list(found)


def _move(association: "Association", study_uid: str, destination: str) -> int:
    """Have one study sent; how many objects the PACS says it sent."""
    question = Dataset()
    question.QueryRetrieveLevel, question.StudyInstanceUID = "STUDY", study_uid
    sent, failed, code = 0, 0, -1
    for status, _ in association.send_c_move(question, destination, MOVE):
        code = _status(status)
        sent = int(status.get("NumberOfCompletedSuboperations", sent) or 0)
        failed = int(status.get("NumberOfFailedSuboperations", failed) or 0)
    if code == _UNKNOWN_DESTINATION:
        raise PullFailed("The PACS does not know the channel's title as a place to send to.")
    if code:
        raise PullFailed("The PACS could not send an exam, or not all of it.")
    if failed:
        raise PullFailed(f"The PACS could not send {failed} objects.")
    return sent


def _status(answer: Dataset) -> int:
    if "Status" not in answer:
        raise PullFailed("The line to the PACS broke.")
    return int(answer.Status)
