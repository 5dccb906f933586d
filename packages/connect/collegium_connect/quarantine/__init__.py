"""Quarantine: what must not leave by itself, shown to the site's people, released or deleted by them.

`Quarantine` is for single objects, `AsideGroups` for what is given up together, `TwoPatients` for exams
with two patient ids, `UnmetExams` for those that lack something of what the trial asks for. A release only
sends an object through inspection again, with the word of whoever looked at it; nothing here makes a
record that may leave.
"""

from collegium_connect.quarantine.eraser import Eraser
from collegium_connect.quarantine.errors import (
    CannotDecide,
    DecidedAlready,
    GroupChanged,
    LookNeeded,
    NotReleasable,
    NotSetAside,
    NotShown,
    QuarantineError,
    TooLate,
)
from collegium_connect.quarantine.groups import AsideGroups, Group, ShownGroup
from collegium_connect.quarantine.quarantine import Aside, Quarantine, Seen
from collegium_connect.quarantine.two_patients import DecidedExam, HeldExam, Side, TwoPatients
from collegium_connect.quarantine.unmet import UnmetExams
from collegium_connect.quarantine.view import View
from collegium_connect.quarantine.viewer import Viewer
from collegium_connect.reason import ReasonMissing

__all__ = [
    "Aside",
    "AsideGroups",
    "CannotDecide",
    "DecidedAlready",
    "DecidedExam",
    "Eraser",
    "Group",
    "GroupChanged",
    "HeldExam",
    "LookNeeded",
    "NotReleasable",
    "NotSetAside",
    "NotShown",
    "Quarantine",
    "QuarantineError",
    "ReasonMissing",
    "Seen",
    "ShownGroup",
    "Side",
    "TooLate",
    "TwoPatients",
    "UnmetExams",
    "View",
    "Viewer",
]
