"""Why something in quarantine cannot be done; no message holds a value of a header."""

from collegium_connect.errors import ConnectError


class QuarantineError(ConnectError):
    code = "connect.quarantine.error"
    message = "That cannot be done."


class NotSetAside(QuarantineError):
    code = "connect.quarantine.not_here"
    message = "There is no such object in quarantine. It may have been released or deleted meanwhile."


class LookNeeded(QuarantineError):
    code = "connect.quarantine.look_needed"
    message = "Look at what would leave first: a release holds for what you saw, for half an hour."


class NotReleasable(QuarantineError):
    code = "connect.quarantine.not_releasable"
    message = "This object cannot be released."


class TooLate(QuarantineError):
    code = "connect.quarantine.too_late"
    message = "It is named in a delivery already, so it cannot be taken back."


class NotShown(QuarantineError):
    code = "connect.quarantine.not_shown"
    message = "The object cannot be shown."


class DecidedAlready(QuarantineError):
    code = "connect.quarantine.decided_already"
    message = "The exam was said to be of another patient already. Take that back first."


class CannotDecide(QuarantineError):
    code = "connect.quarantine.cannot_decide"
    message = (
        "The exam cannot be given to this patient: part of it left for the other, or nothing of it is theirs."
    )


class GroupChanged(QuarantineError):
    code = "connect.quarantine.group_changed"
    message = "These are not the objects that were shown: some came or went meanwhile. Nothing was deleted; look again."
