"""The door to the PACS: a Storage SCP with its own Upper Layer (PS3.7, PS3.8).

One thread an association, blocking sockets, bytes read straight into the object's buffer, each answer
in one write with TCP_NODELAY. What may enter is `admission`'s to say, what becomes of an object the
intake's; nothing here knows of recipes or disks.
"""

from collegium_connect.receive.admission import Admission
from collegium_connect.receive.commitment import Commitments
from collegium_connect.receive.door import Door

__all__ = ["Admission", "Commitments", "Door"]
