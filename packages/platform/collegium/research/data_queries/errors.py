"""What can go wrong with a data query."""

from __future__ import annotations

from django.utils.translation import ngettext

from collegium.kit.errors import Conflict, Invalid, Refused


class QueryMoved(Conflict):
    code = "research.query.moved"
    message = "The query is in another state by now. Look at it again."


class QueriesOpen(Conflict):
    code = "research.query.still_open"
    message = "Open queries must be answered or closed first. Then sign."

    def __init__(self, number: int) -> None:
        super().__init__(
            ngettext(
                "%(n)d open query must be answered or closed first. Then sign.",
                "%(n)d open queries must be answered or closed first. Then sign.",
                number,
            )
            % {"n": number}
        )
        self.number = number


class NotAskedOfYou(Refused):
    code = "research.query.not_asked_of_you"
    message = "Whom the query was put to answers it. You may close it or ask again."


class QueryTextNeeded(Invalid):
    code = "research.query.text_needed"
    message = "Write what you want to say, in up to 1,000 characters."


class TextNamesSubject(Invalid):
    code = "research.query.names_subject"
    message = (
        "The reader may not know which subject this is. Leave its code and its site out of the text; "
        "the task's own label stands for it."
    )


class SiteCannotBeAsked(Invalid):
    code = "research.query.site_cannot_be_asked"
    message = "A site is asked about its own subjects, forms and images, never about a read."


class NobodyToAsk(Invalid):
    code = "research.query.nobody_to_ask"
    message = "Nobody has this task yet, so nobody can answer."


class QueryItemUnknown(Invalid):
    code = "research.query.item_unknown"
    message = "The form has no such item."
