"""The gateway in the hospital: receives DICOM, removes identity, delivers with a receipt.

What runs where: `receive` talks to the PACS, `intake` cleans and stores one object, `assemble` closes
exams, `send` delivers them, `journal` is the only memory, `service` starts and stops all of it.
"""

from importlib.metadata import version
from typing import Final

SOFTWARE: Final = f"collegium-connect {version('collegium-connect')}"
"""What this program calls itself in manifests, heartbeats and its own pages."""
