"""How an association can end other than by a release; what ended it is in words, for the log."""


class AssociationEnded(Exception):
    """Base: an association is over, or about to be."""

    words = "ended"

    def __init__(self, words: str = "") -> None:
        super().__init__(words or self.words)
        self.words = words or self.words


class PeerGone(AssociationEnded):
    """The peer closed the connection."""

    words = "lost"


class PeerAborted(AssociationEnded):
    """The peer sent an A-ABORT."""

    words = "aborted by the sender"


class PeerSilent(AssociationEnded):
    """Nothing came, or went, for too long."""

    words = "silent for too long"


class ProtocolViolation(AssociationEnded):
    """Bytes that PS3.8 does not allow here: A-ABORT by the provider, `reason` of PS3.8 Table 9-26."""

    def __init__(self, words: str, reason: int = 6) -> None:
        super().__init__(words)
        self.reason = reason


class ServiceViolation(AssociationEnded):
    """A message that PS3.7 does not allow here, or more than this service takes: A-ABORT by the user."""
