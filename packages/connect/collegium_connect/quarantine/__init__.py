"""Quarantine: what must not leave by itself, shown to the site's people, released or deleted by them.

`Quarantine` is all of it for pages and commands. A release only sends an object through inspection
again, with the word of whoever looked at it; nothing here makes a record that may leave.
"""

from collegium_connect.quarantine.eraser import Eraser
from collegium_connect.quarantine.errors import (
    LookNeeded,
    NotReleasable,
    NotSetAside,
    QuarantineError,
    ReasonMissing,
    TooLate,
)
from collegium_connect.quarantine.quarantine import Aside, Quarantine, Seen
from collegium_connect.quarantine.view import View
from collegium_connect.quarantine.viewer import Viewer

__all__ = [
    "Aside",
    "Eraser",
    "LookNeeded",
    "NotReleasable",
    "NotSetAside",
    "Quarantine",
    "QuarantineError",
    "ReasonMissing",
    "Seen",
    "TooLate",
    "View",
    "Viewer",
]
