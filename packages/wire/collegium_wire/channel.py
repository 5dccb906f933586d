"""A channel as the server hands it to a gateway: called AE title, site, project and recipe."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from collegium_wire import forms
from collegium_wire.errors import WireError
from collegium_wire.message import Message


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

    def __post_init__(self) -> None:
        forms.require_text(self.channel_id, "channel_id")
        forms.require_text(self.called_ae, "called_ae")
        forms.require_count(self.quiet_time_s, "quiet_time_s")
        if len(self.called_ae) > 16:
            raise WireError("wire.field.value", "called_ae must be at most 16 characters.")
        if hashlib.sha256(self.recipe_yaml.encode()).hexdigest() != self.recipe_digest:
            raise WireError("wire.channel.recipe_digest", "The recipe and its digest do not belong together.")
