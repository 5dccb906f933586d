"""How long tests wait for what must come."""

from typing import Final

PATIENCE_S: Final = 120.0
"""Only a test that fails ever waits this long. Machines that build are slow, shared, and stall for seconds."""
