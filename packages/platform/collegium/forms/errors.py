"""What can go wrong with an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.kit.errors import Conflict, Invalid

if TYPE_CHECKING:
    from collegium.forms.judge import FormState


class EntryStale(Conflict):
    """Somebody saved since; `revision` is the newest, `state` the form as it is now."""

    code = "forms.entry.stale"
    message = "This form was changed in another window. Load it again; what is saved there stays."

    def __init__(self, revision: int, state: FormState) -> None:
        super().__init__()
        self.revision, self.state = revision, state
        self.details = {"revision": revision}


class EntryFrozen(Conflict):
    code = "forms.entry.frozen"
    message = "These answers were submitted and cannot be changed. Correct them with a new version."


class ItemUnknown(Invalid):
    code = "forms.item.unknown"
    message = "The form has no such item. Load the page again."


class AnswerRefused(Invalid):
    """An image-bound item without a mark, or a mark on an item that has none."""

    code = "forms.answer.refused"
    message = "This answer is measured on the image; it cannot be typed."


class AnswerLocked(Invalid):
    """A computed or given item, or what identifies a finding that was carried over."""

    code = "forms.answer.locked"
    message = "This answer cannot be given here: it is computed, or comes from an earlier timepoint."


class ChangeUnreadable(Invalid):
    code = "forms.change.unreadable"
    message = "The change could not be understood. Load the page again; what was saved is safe."


class RowCarried(Invalid):
    code = "forms.row.carried"
    message = "This finding comes from an earlier timepoint. It stays; say why if it cannot be measured."


class RowsClosed(Invalid):
    code = "forms.row.closed"
    message = "These are chosen at the first timepoint; none can be added here."


class TooManyRows(Invalid):
    code = "forms.row.too_many"
    message = "There is no room for another row here."


class EntryIncomplete(Invalid):
    """`problems` are the messages by path; those of the whole form stand at the empty path."""

    code = "forms.entry.incomplete"
    message = "Some answers are missing or cannot stand. They are marked in the form."

    def __init__(self, problems: dict[str, list[str]]) -> None:
        super().__init__()
        self.problems = problems
        self.details = {"problems": problems}
