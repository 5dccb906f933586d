"""Why an attempt failed: what the local page shows and what decides the next try."""


class AttemptFailed(Exception):
    """This attempt is over; the delivery stays queued.

    Args:
        code: stable; the server's own when it gave one.
        message: one sentence for the local page.
        is_everywhere: the line or the server as a whole is at fault, so no other delivery is tried.
        is_unheard: the server surely took nothing of the call that failed.
    """

    def __init__(
        self, code: str, message: str, *, is_everywhere: bool = False, is_unheard: bool = False
    ) -> None:
        super().__init__(message)
        self.code, self.message = code, message
        self.is_everywhere, self.is_unheard = is_everywhere, is_unheard


class Stopping(Exception):
    """The gateway is being stopped; nothing failed."""
