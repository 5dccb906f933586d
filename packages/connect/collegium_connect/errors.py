"""What can go wrong in the gateway, in words for the person who runs it.

No message holds a value from an image's header.
"""


class ConnectError(Exception):
    """Base of the gateway's errors: a stable code and one message to act on."""

    code = "connect.error"
    message = "The gateway met a fault."

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.message)


class SettingsInvalid(ConnectError):
    code = "connect.settings.invalid"
    message = "The configuration cannot be used."


class NotEnrolled(ConnectError):
    code = "connect.gateway.not_enrolled"
    message = "This gateway is not enrolled. Ask the project for a code and run: collegium-connect enrol."


class AlreadyEnrolled(ConnectError):
    code = "connect.gateway.already_enrolled"
    message = "This gateway is enrolled already. Add --replace to enrol it anew; keys and queue stay."


class AlreadyRunning(ConnectError):
    code = "connect.gateway.already_running"
    message = "Another gateway process uses this data folder. Stop it first."


class PortTaken(ConnectError):
    code = "connect.port.taken"
    message = "The port cannot be used."


class AnotherAccount(ConnectError):
    code = "connect.gateway.another_account"
    message = "The data folder belongs to another account. Run this as that one."


class KeyUnusable(ConnectError):
    code = "connect.key.unusable"
    message = "A key of this gateway is missing, changed or readable by others. Restore it from its backup."


class JournalTooNew(ConnectError):
    code = "connect.journal.too_new"
    message = "The journal was written by a newer version. Install that version again."


class JournalDamaged(ConnectError):
    code = "connect.journal.damaged"
    message = (
        "The journal is damaged; nothing is received until it is mended. Stop the gateway and run:"
        " collegium-connect journal rebuild."
    )


class SpoolFull(ConnectError):
    code = "connect.spool.full"
    message = "The spool has reached its limit; objects are refused until some are delivered."


class SpoolDamaged(ConnectError):
    code = "connect.spool.damaged"
    message = "An object that the journal names is not on the disk as it was written."


class SealBroken(ConnectError):
    code = "connect.seal.broken"
    message = "A sealed file cannot be opened: another key, another object, or changed bytes."
