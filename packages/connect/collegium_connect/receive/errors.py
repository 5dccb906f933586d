"""What a peer can do wrong on the wire; each ends its association with an A-ABORT."""


class ProtocolViolation(Exception):
    """Bytes that PS3.7 or PS3.8 do not allow here. `reason` is that of PS3.8 Table 9-26."""

    def __init__(self, message: str, reason: int = 6) -> None:
        super().__init__(message)
        self.message, self.reason = message, reason


class PeerGone(Exception):
    """The peer closed, aborted or fell silent."""


class ObjectTooLarge(Exception):
    """An object passed the configured size; the association ends, nothing of it is kept."""
