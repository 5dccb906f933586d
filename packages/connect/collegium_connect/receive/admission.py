"""Who may come in, and for which channel. Default: nobody."""

import hmac
from dataclasses import dataclass
from typing import Final, Protocol

from collegium_connect.channels import Channel
from collegium_connect.receive.pdu import APPLICATION_CONTEXT, AssociateRequest, UserIdentity
from collegium_connect.settings import CallerSettings

_NAME, _NAME_AND_PASSCODE = 1, 2  # PS3.7 Table D.3-14


@dataclass(frozen=True)
class Refusal:
    """An A-ASSOCIATE-RJ (PS3.8 Table 9-21) and the words for the log."""

    result: int
    source: int
    reason: int
    words: str


VERSION_UNKNOWN: Final = Refusal(1, 2, 2, "another version of the protocol")
CONTEXT_UNKNOWN: Final = Refusal(1, 1, 2, "another application context than DICOM's")
CALLER_UNKNOWN: Final = Refusal(1, 1, 3, "calling AE title or address not listed")
CALLED_UNKNOWN: Final = Refusal(1, 1, 7, "no channel has this called AE title")
USER_UNKNOWN: Final = Refusal(1, 1, 1, "user identity missing, wrong or of a kind that is not taken")
NO_ROOM: Final = Refusal(2, 3, 2, "out of resources: the spool is full")
TOO_MANY: Final = Refusal(2, 3, 2, "too many associations at once")
TOO_MANY_OF_CALLER: Final = Refusal(2, 3, 2, "too many associations at once from this address")
LEAVING: Final = Refusal(2, 3, 1, "the gateway is about to stop")


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
        if refusal := _speaks_another_dicom(request) or self._is_stranger(request, address):
            return refusal
        channel = self._channels.called(request.called_ae)
        if channel is None:
            return CALLED_UNKNOWN
        if not self._room.has_room:
            return NO_ROOM
        return channel

    def _is_stranger(self, request: AssociateRequest, address: str) -> Refusal | None:
        callers = [caller for caller in self._callers if caller.covers(request.calling_ae, address)]
        if not callers:
            return CALLER_UNKNOWN
        return None if any(_is_user(caller, request.identity) for caller in callers) else USER_UNKNOWN


def _speaks_another_dicom(request: AssociateRequest) -> Refusal | None:
    if not request.has_version_1:
        return VERSION_UNKNOWN
    return None if request.application_context == APPLICATION_CONTEXT else CONTEXT_UNKNOWN


def _is_user(caller: CallerSettings, identity: UserIdentity | None) -> bool:
    """Whether a caller names itself as it must; where it need not, what it says of itself is passed over."""
    if not caller.user:
        return True
    if identity is None:
        return False
    is_named = hmac.compare_digest(identity.primary, caller.user.encode())
    if caller.passcode_file is None:
        return is_named and identity.kind in {_NAME, _NAME_AND_PASSCODE}
    try:
        passcode = caller.passcode_file.read_bytes().strip()
    except OSError:
        return False
    has_passcode = bool(passcode) and hmac.compare_digest(identity.secondary, passcode)
    return identity.kind == _NAME_AND_PASSCODE and is_named and has_passcode
