"""Pages of gateways: the list, one gateway, one channel."""

from collegium.imaging.connections.pages.channel import channel, new_channel
from collegium.imaging.connections.pages.gateway import gateway
from collegium.imaging.connections.pages.listing import gateways

__all__ = ["channel", "gateway", "gateways", "new_channel"]
