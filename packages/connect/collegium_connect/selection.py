"""Read a selection: a key object document by which a workstation says which objects of an exam shall be sent.

It is the manifest of IHE's Teaching File and Clinical Trial Export (RAD TF-3, 4.51 Store Export Selection): a Key
Object Selection Document (PS3.16 TID 2010) with a title of the scheme IHERADTF. What its content names is selected;
in which exam that lies, its evidence says (PS3.3 section C.17.2). It may name objects of several exams. Frames
are not cut: a named frame selects its object.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydicom import Dataset, dcmread

from collegium_connect.channels import Channel
from collegium_connect.journal.selected import DELAYED, UNREADABLE
from collegium_deid import Rejected, local_id_of, parse_file, prepare

KEY_OBJECTS: Final = "1.2.840.10008.5.1.4.1.1.88.59"
"""The kind of object that a selection is."""
_SCHEME: Final = "IHERADTF"
_TITLES: Final = frozenset({"TCE001", "TCE002", "TCE007"})
"""For Teaching File Export, For Clinical Trial Export, For Research Collection Export. Whoever made the document
chose the channel that it was sent to."""
_DELAYS: Final = frozenset(f"TCE0{number}" for number in range(11, 19))
"""Reasons to delay the export, such as until the final report: this gateway cannot know when they are over."""
_META_BYTES: Final = 1024


@dataclass(frozen=True)
class Named:
    """One object that a selection names. Both UIDs are the new ones."""

    study_uid: str
    sop_instance_uid: str


@dataclass(frozen=True)
class Selection:
    """What one document selects."""

    local_id: str
    """The patient id as it came, for the link table only."""
    named: tuple[Named, ...]


def may_be_selection(data: memoryview) -> bool:
    """Whether an object could be one, told from its first bytes; `selection_in` says whether it is."""
    return KEY_OBJECTS.encode() in bytes(data[:_META_BYTES])


def selection_in(channel: Channel, data: memoryview) -> Selection | None:
    """What an object selects; None where it is no selection, or its channel asks for none.

    Raises:
        Rejected: it is one, and cannot be obeyed; the reason holds no value.
    """
    if not channel.setup.selected_only or not may_be_selection(data):
        return None
    readable = bytes(prepare(data))
    try:
        document = dcmread(io.BytesIO(readable), stop_before_pixels=True)
        if document.SOPClassUID != KEY_OBJECTS or not _codes(document) & _TITLES:
            return None
        selected, exams = set(_references(document)), dict(_evidence(document))
        delays = any(_delays(document))
    except Exception as error:
        # pydicom raises what the bytes make it raise, and its words may quote them.
        raise Rejected(UNREADABLE, "The export manifest cannot be read.") from error
    if delays:
        raise Rejected(
            DELAYED,
            "The export manifest asks to wait for something that this gateway cannot know.",
        )
    if not selected or not selected <= exams.keys():
        raise Rejected(UNREADABLE, "The export manifest names nothing, or objects of which it says no exam.")
    who = local_id_of(parse_file(readable, complete=True))
    named = {Named(_new_uid(channel, exams[uid]), _new_uid(channel, uid)) for uid in selected}
    return Selection(who, tuple(sorted(named, key=lambda one: one.sop_instance_uid)))


def _new_uid(channel: Channel, old: str) -> str:
    return old if channel.recipe.uids_kept else channel.key.uid(old)


def _codes(item: Dataset, keyword: str = "ConceptNameCodeSequence") -> set[str]:
    return {
        str(code.CodeValue)
        for code in item.get(keyword) or ()
        if str(code.get("CodingSchemeDesignator", "")) == _SCHEME
    }


def _content(item: Dataset) -> Iterator[Dataset]:
    """All items of a content tree, in no order."""
    left = [item]
    while left:
        one = left.pop()
        left += one.get("ContentSequence") or ()
        yield one


def _references(document: Dataset) -> Iterator[str]:
    """The objects that the content names, presentation states that belong to a picture with it."""
    for item in _content(document):
        left = list(item.get("ReferencedSOPSequence") or ())
        while left:
            reference = left.pop()
            left += reference.get("ReferencedSOPSequence") or ()
            yield str(reference.ReferencedSOPInstanceUID)


def _evidence(document: Dataset) -> Iterator[tuple[str, str]]:
    """Every object of the evidence, with its exam."""
    for study in document.CurrentRequestedProcedureEvidenceSequence:
        for series in study.ReferencedSeriesSequence:
            for reference in series.ReferencedSOPSequence:
                yield str(reference.ReferencedSOPInstanceUID), str(study.StudyInstanceUID)


def _delays(document: Dataset) -> Iterator[bool]:
    for item in _content(document):
        yield bool(_codes(item, "ConceptCodeSequence") & _DELAYS)
