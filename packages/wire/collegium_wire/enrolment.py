"""How a gateway becomes known: a one-time code for a lasting token and the channels to serve."""

from __future__ import annotations

from dataclasses import dataclass, field

from collegium_wire import forms
from collegium_wire.channel import ChannelSetup  # noqa: TC001 - `Message` reads the hints at run time
from collegium_wire.message import Message, added
from collegium_wire.versions import PROTOCOL


@dataclass(frozen=True, kw_only=True)
class EnrolmentRequest(Message):
    protocol: int
    code: str = field(repr=False)
    gateway_name: str
    software: str
    token: str = added(since=PROTOCOL, default="", repr=False)
    """256 random bits in hex that the gateway made itself: with the same code and the same token it may ask
    again, should the answer be lost. Empty: the server makes one, and the code answers once."""

    def __post_init__(self) -> None:
        forms.require_text(self.code, "code")
        forms.require_text(self.gateway_name, "gateway_name")
        if self.token:
            forms.require_token(self.token, "token")


@dataclass(frozen=True, kw_only=True)
class EnrolmentAnswer(Message):
    protocol: int
    gateway_id: str
    token: str = field(repr=False)
    """That of the request, where it brought one."""
    channels: tuple[ChannelSetup, ...]

    def __post_init__(self) -> None:
        forms.require_text(self.gateway_id, "gateway_id")
        forms.require_text(self.token, "token")
