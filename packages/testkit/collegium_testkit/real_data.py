"""Public test images, where this machine has them.

Tests that use them skip when there are none; nothing in the product depends on them.
"""

import os
from pathlib import Path


def folder() -> Path | None:
    """The folder named by COLLEGIUM_REAL_DATA, else `../shared/data` beside the checkout, else None."""
    named = os.environ.get("COLLEGIUM_REAL_DATA")
    if named:
        path = Path(named)
        return path if path.is_dir() else None
    checkout = Path(__file__).resolve().parents[3]
    beside = checkout.parent / "shared" / "data"
    return beside if beside.is_dir() else None
