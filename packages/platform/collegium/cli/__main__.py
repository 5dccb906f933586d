"""`python -m collegium.cli`."""

from __future__ import annotations

from collegium.cli.commands import main

main()
