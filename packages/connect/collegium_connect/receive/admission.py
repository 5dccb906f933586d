"""Who may come in, for which channel, with which kinds of object. Default: nobody, nothing."""

from dataclasses import dataclass
from typing import Final, Protocol

from collegium_connect.channels import Channel
from collegium_connect.receive import dimse
from collegium_connect.receive.pdu import AssociateRequest, Context, ContextResult, ProposedContext
from collegium_connect.settings import CallerSettings

_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
_STANDARD: Final = "1.2.840.10008."
_IMPLICIT_LITTLE, _EXPLICIT_LITTLE, _EXPLICIT_BIG = (
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.2",
)


@dataclass(frozen=True)
class Refusal:
    """An A-ASSOCIATE-RJ (PS3.8 Table 9-21) and the words for the log."""

    result: int
    source: int
    reason: int
    words: str


CALLER_UNKNOWN: Final = Refusal(1, 1, 3, "calling AE title or address not listed")
CALLED_UNKNOWN: Final = Refusal(1, 1, 7, "no channel has this called AE title")
NO_ROOM: Final = Refusal(2, 3, 2, "out of resources: the spool is full")
TOO_MANY: Final = Refusal(2, 3, 2, "too many associations at once")


class Registry(Protocol):
    def called(self, ae_title: str) -> Channel | None: ...


class Room(Protocol):
    @property
    def has_room(self) -> bool: ...


class Admission:
    """Judges an association request against the listed callers, the channels and the spool's room."""

    def __init__(self, callers: tuple[CallerSettings, ...], channels: Registry, room: Room) -> None:
        self._callers, self._channels, self._room = callers, channels, room

    def decide(self, request: AssociateRequest, address: str) -> Channel | Refusal:
        """The channel of a welcome caller, or why not. Caller first: a stranger learns of no title."""
        if not any(caller.covers(request.calling_ae, address) for caller in self._callers):
            return CALLER_UNKNOWN
        channel = self._channels.called(request.called_ae)
        if channel is None:
            return CALLED_UNKNOWN
        if not self._room.has_room:
            return NO_ROOM
        return channel


def negotiate(proposed: ProposedContext) -> Context:
    """Answer one presentation context: verification, and storage of whatever the standard or a maker stores.

    An object of a kind that no recipe cleans is taken too: it goes to quarantine, where a person sees
    it, rather than stay unsent at the PACS where nobody does.
    """
    name = proposed.abstract_syntax
    is_storage = name.startswith(_STORAGE) or (bool(name) and not name.startswith(_STANDARD))
    if name != dimse.VERIFICATION and not is_storage:
        return Context(proposed.context_id, ContextResult.ABSTRACT_SYNTAX_NOT_SUPPORTED, name, "")
    syntax = _choose(proposed.transfer_syntaxes)
    result = ContextResult.ACCEPTED if syntax else ContextResult.TRANSFER_SYNTAXES_NOT_SUPPORTED
    return Context(proposed.context_id, result, name, syntax)


def _choose(offered: tuple[str, ...]) -> str:
    """The sender's first choice among the standard's syntaxes, but explicit VR before implicit, big endian last."""
    known = [syntax for syntax in offered if syntax.startswith(_IMPLICIT_LITTLE)]
    if not known:
        return ""
    if known[0] in {_IMPLICIT_LITTLE, _EXPLICIT_BIG}:
        return next((syntax for syntax in (_EXPLICIT_LITTLE, _IMPLICIT_LITTLE) if syntax in known), known[0])
    return known[0]
