"""The web process, but what it keeps of sessions and grants never ages.

The product keeps such a decision for five seconds. Whoever wants to see that a process forgets because it was told to
need not be faster than that: what this one refuses, it was told to.
"""

from collegium.asgi import application
from collegium.imaging.grants import queries
from collegium.trust.access import api

__all__ = ["application"]

queries._kept._seconds = api._kept._seconds = float("inf")
