"""Why an attempt failed: what the local page shows and what decides the next try."""


class AttemptFailed(Exception):
    """This attempt is over; the delivery stays queued.

    Args:
        code: stable; the server's own when it gave one.
        message: one sentence for the local page.
        is_everywhere: the line or the server as a whole is at fault, so no other delivery is tried.
    """

    def __init__(self, code: str, message: str, *, is_everywhere: bool = False) -> None:
        super().__init__(message)
        self.code, self.message, self.is_everywhere = code, message, is_everywhere


class Stopping(Exception):
    """The gateway is being stopped; nothing failed."""
