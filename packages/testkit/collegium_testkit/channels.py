"""A channel as a server would hand it to a gateway: the recipe of a trial, a short quiet time."""

import hashlib

from collegium_deid import load_recipe
from collegium_wire import ChannelSetup


def channel(channel_id: str = "ch-1", called_ae: str = "TRIAL1", *, quiet_time_s: int = 1) -> ChannelSetup:
    """Each with a project of its own; all of the invented site LG."""
    recipe = load_recipe("trial").text
    return ChannelSetup(
        channel_id=channel_id,
        name=f"Channel {channel_id}",
        called_ae=called_ae,
        project_name=f"Project of {channel_id}",
        site_name="Larkspur General",
        site_code="LG",
        recipe_yaml=recipe,
        recipe_digest=hashlib.sha256(recipe.encode()).hexdigest(),
        quiet_time_s=quiet_time_s,
    )
