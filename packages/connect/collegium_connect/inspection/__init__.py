"""Between spool and exam: every object is looked at before it may be sent."""

from collegium_connect.inspection.inspector import Inspector, Progress

__all__ = ["Inspector", "Progress"]
