"""Other processes that accept associations for one gateway, and the desk where they ask (`receive.processes`)."""

from collegium_connect.hands.desk import Desk, Owned

__all__ = ["Desk", "Owned"]
