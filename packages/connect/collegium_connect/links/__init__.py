"""The link table: which subject code stands for which local id, known only here.

`LinkTable` answers for objects on their way; `LinkList` is the same table for people: read, import,
export. A local id is found by a keyed digest and kept sealed.
"""

from collegium_connect.links.allocation_list import LinkInUse, ListInvalid
from collegium_connect.links.link_list import Link, LinkList, Numbering
from collegium_connect.links.table import LinkTable

__all__ = ["Link", "LinkInUse", "LinkList", "LinkTable", "ListInvalid", "Numbering"]
