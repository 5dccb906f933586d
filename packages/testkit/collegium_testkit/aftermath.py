"""What a failed test leaves behind is swept away before the next begins: a plugin of pytest.

Warnings are errors here, and a socket that is dropped unclosed is one. Of a failed test pytest keeps the traceback,
and with it every open thing in its frames, until the next test runs: that one would be blamed.
"""

from __future__ import annotations

import gc
import sys
import traceback
import warnings
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest

_KEPT: Final = ("last_type", "last_value", "last_traceback", "last_exc")
"""Where pytest, as the interpreter does, leaves the last error for a debugger."""


class Aftermath:
    """Remembers what failed, and sweeps up after it."""

    def __init__(self) -> None:
        self._failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.add(report.nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        if nodeid in self._failed:
            self._failed.discard(nodeid)
            _sweep()


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Aftermath())


def _sweep() -> None:
    traceback.clear_frames(getattr(sys, "last_traceback", None))
    for name in _KEPT:
        if hasattr(sys, name):
            delattr(sys, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()
