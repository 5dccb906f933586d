"""Objects at rest: records in append-only segments, headers sealed, and how full it all is."""

from collegium_connect.spool.own import OwnRecord
from collegium_connect.spool.segments import Place, Segments
from collegium_connect.spool.stores import Opened, Stored, Stores
from collegium_connect.spool.usage import Usage

__all__ = ["Opened", "OwnRecord", "Place", "Segments", "Stored", "Stores", "Usage"]
