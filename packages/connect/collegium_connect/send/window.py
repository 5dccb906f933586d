"""When a channel may send: a daily window such as `19:00-06:00` of this machine's own clock."""

from datetime import datetime, time


def is_open(window: str, at: datetime) -> bool:
    """Whether `at` lies within the window; the empty one is always open.

    Args:
        window: as `ChannelSetup.send_window`; the end is excluded, and may lie on the next day.
        at: aware; its zone is the one that the window speaks of.
    """
    if not window:
        return True
    start, end = (time.fromisoformat(part) for part in window.split("-"))
    now = at.time()
    return start <= now < end if start <= end else now >= start or now < end
