"""What a library leaves open in tests that make it do so on purpose."""

from typing import Final

import pytest

drops_its_socket: Final = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
"""pynetdicom's sender drops its socket unclosed when no connection comes about."""
