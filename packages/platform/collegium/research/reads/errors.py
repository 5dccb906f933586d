"""What can go wrong with a read."""

from __future__ import annotations

from collegium.kit.errors import Conflict, Invalid


class ReadNotADraft(Conflict):
    code = "research.read.not_a_draft"
    message = "This read was submitted. Correct it with a new version and a reason."


class ReadNotSubmitted(Conflict):
    code = "research.read.not_submitted"
    message = "Submit the read before you sign it."


class ReadMoved(Conflict):
    """What is to be signed is not what the person looked at."""

    code = "research.read.moved"
    message = "The read is not what you looked at. Load the page, look at it again, then sign."


class NewImages(Conflict):
    code = "research.read.new_images"
    message = "Images came while this page was open. Load it again and look at them, then submit."


class MarkGone(Conflict):
    code = "research.read.mark_gone"
    message = "This measurement was removed from the image. Measure again, or say why you cannot."

    def __init__(self, items: list[str]) -> None:
        super().__init__()
        self.items = items
        self.details = {"items": items}


class MarkChanged(Conflict):
    """A bound mark is not what the answer says; `items` names the answers."""

    code = "research.read.mark_changed"
    message = "A measurement was changed on the image after it was taken over. Look at it and submit again."

    def __init__(self, items: list[str]) -> None:
        super().__init__()
        self.items = items
        self.details = {"items": items}


class LaterWasOpened(Conflict):
    code = "research.read.later_opened"
    message = (
        "A later timepoint was opened after this one was signed, so it cannot be corrected. "
        "Ask the project's administrator to run this step again."
    )


class ReasonMissing(Invalid):
    code = "research.read.reason_missing"
    message = "Say why it is corrected, in three to 400 letters."
