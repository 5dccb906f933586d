"""A PACS that is asked: C-FIND and C-MOVE over a folder of files, made with pynetdicom."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pydicom import Dataset, dcmread
from pynetdicom import AE, StoragePresentationContexts, evt

_PENDING: Final = 0xFF00
# PS3.4 annex C: Study Root Query/Retrieve Information Model, FIND and MOVE.
_MODELS: Final = ("1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.1.2.2.2")


class ArchivePacs:
    """Use as a context manager. `destinations`: AE title to port on this machine."""

    def __init__(
        self,
        files: list[Path],
        destinations: dict[str, int],
        *,
        names_everything: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`names_everything`: it ignores keys of a search, as some do. `tls`: what it shows who asks."""
        self._objects = [dcmread(path) for path in files]
        self.destinations, self._names_everything = destinations, names_everything
        self.asked: list[Dataset] = []
        ae = AE(ae_title="TESTPACS")
        for model in _MODELS:
            ae.add_supported_context(model)
        ae.requested_contexts = StoragePresentationContexts[:120]
        server = ae.start_server(
            ("127.0.0.1", 0),
            block=False,
            ssl_context=tls,
            evt_handlers=[(evt.EVT_C_FIND, self._find), (evt.EVT_C_MOVE, self._move)],
        )
        assert server is not None  # it does not block
        self._server = server

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def _find(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        question = event.identifier
        self.asked.append(question)
        seen: set[str] = set()
        for item in self._objects:
            matches = all(
                not question.get(keyword) or item.get(keyword) == question.get(keyword)
                for keyword in ("AccessionNumber", "PatientID")
            )
            if item.StudyInstanceUID in seen or not (matches or self._names_everything):
                continue
            seen.add(item.StudyInstanceUID)
            answer = Dataset()
            answer.QueryRetrieveLevel, answer.StudyInstanceUID = "STUDY", item.StudyInstanceUID
            answer.AccessionNumber, answer.PatientID = item.get("AccessionNumber", ""), item.PatientID
            yield _PENDING, answer

    def _move(self, event: evt.Event) -> Iterator[object]:
        port = self.destinations.get(event.move_destination or "")
        if port is None:
            yield None, None
            return
        yield "127.0.0.1", port, {"ae_title": event.move_destination}
        wanted = [one for one in self._objects if one.StudyInstanceUID == event.identifier.StudyInstanceUID]
        yield len(wanted)
        for item in wanted:
            yield _PENDING, item
