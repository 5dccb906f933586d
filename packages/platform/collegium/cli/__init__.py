"""The command line of the server."""

from __future__ import annotations

from collegium.cli.commands import main

__all__ = ["main"]
