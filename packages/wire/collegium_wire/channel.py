"""A channel as the server hands it to a gateway: called AE title, site, project and recipe."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from collegium_wire import forms
from collegium_wire.acquisition import AcquisitionRequirements, Unmet
from collegium_wire.errors import WireError
from collegium_wire.message import Message, added, require_unique
from collegium_wire.versions import NEWEST


class Allocation(StrEnum):
    """What becomes of a local id that has no subject code yet."""

    AUTOMATIC = "automatic"
    """It gets the next free code."""
    LISTED = "listed"
    """It is held until the site's allocation list names it."""


@dataclass(frozen=True, kw_only=True)
class ChannelSetup(Message):
    channel_id: str
    name: str
    called_ae: str
    project_name: str
    site_name: str
    site_code: str
    recipe_yaml: str
    recipe_digest: str
    """SHA-256 of `recipe_yaml` in UTF-8; checked here, so a recipe cannot change on the way."""
    quiet_time_s: int
    allocation: Allocation = Allocation.AUTOMATIC
    storage_classes: tuple[str, ...] = ()
    """SOP class UIDs that may come in; empty: every storage class."""
    send_window: str = ""
    """When to send, as `19:00-06:00` of the gateway's own clock; empty: always."""
    max_mbps: int = 0
    """Upper limit of the channel's share of the line; 0: none."""
    compress: bool = False
    """Losslessly compress (HTJ2K) what leaves."""
    storage_commitment: bool = False
    retention_days: int = 0
    """Days that sealed records stay at the site after the receipt."""
    attempts_limit: int = 100
    """Failed attempts of one delivery before it waits for a person, with an alarm; 0: none."""
    requirements: AcquisitionRequirements = added(  # noqa: RUF009 - a field, like `field`
        since=NEWEST, default=AcquisitionRequirements()
    )
    """What the project asks of an exam's acquisition."""
    when_unmet: Unmet = added(since=NEWEST, default=Unmet.TELL)  # noqa: RUF009 - as above
    selected_only: bool = added(since=NEWEST, default=False)
    """Send only the objects that an IHE TCE manifest names. Not for a gateway that does not know it: that would
    send everything."""

    def __post_init__(self) -> None:
        forms.require_text(self.channel_id, "channel_id")
        forms.require_text(self.called_ae, "called_ae")
        forms.require_count(self.quiet_time_s, "quiet_time_s")
        forms.require_count(self.max_mbps, "max_mbps")
        forms.require_count(self.retention_days, "retention_days")
        forms.require_count(self.attempts_limit, "attempts_limit")
        for uid in self.storage_classes:
            forms.require_uid(uid, "storage_classes")
        require_unique(self.storage_classes, "A storage class")
        if self.send_window:
            forms.require_window(self.send_window, "send_window")
        if len(self.called_ae) > 16:
            raise WireError("wire.field.value", "called_ae must be at most 16 characters.")
        if hashlib.sha256(self.recipe_yaml.encode()).hexdigest() != self.recipe_digest:
            raise WireError("wire.channel.recipe_digest", "The recipe and its digest do not belong together.")
