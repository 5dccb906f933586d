"""Deliver: manifest, missing objects by digest, receipt. Only a receipt makes an exam delivered."""

from collegium_connect.send.client import ServerClient
from collegium_connect.send.sender import Sender

__all__ = ["Sender", "ServerClient"]
