"""Objects at rest: cleaned ones with their sealed original header, and what is sealed whole."""

from collegium_connect.spool.files import Spool
from collegium_connect.spool.stores import Stores
from collegium_connect.spool.usage import Usage

__all__ = ["Spool", "Stores", "Usage"]
