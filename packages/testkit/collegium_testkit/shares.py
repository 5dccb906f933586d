"""Which tests one worker runs together, and which begin first: a plugin of pytest-xdist for `--dist loadgroup`.

What shares an expensive fixture (a running installation) must stay in one worker, or each worker makes its own. xdist's
own mark for that, `xdist_group`, is silently without effect since pytest 9.2 (pytest-xdist issue 1386). So a file is
never torn apart, and the table below joins files and names what takes long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.workermanage import WorkerController

LONGEST_FIRST = (
    "tests/security/test_mutants.py",
    "tests/security/",
    "tests/journeys/test_faults_server.py",
    "tests/journeys/test_faults_gateway.py",
    "tests/journeys/test_live.py",
    "tests/journeys/test_house.py",
    "tests/journeys/test_gateway_pages.py",
    "packages/platform/tests/research/test_committee.py",
    "packages/platform/tests/research/test_late_visits.py",
    "packages/connect/tests/test_power_cut.py",
    "tests/installs/",
    "packages/platform/tests/research/test_storm.py",
    "tests/browser/test_look.py",
    "tests/journeys/test_committee.py",
    "tests/journeys/test_exam_to_result.py",
    "tests/browser/connect/",
    "tests/browser/reading/",
    "tests/browser/deid/",
    "tests/browser/test_live.py",
    "tests/browser/viewer/test_images.py",
)
"""Beginnings of paths: what begins with one of them is one share, and the shares are handed out in this order.

What is not named here goes file by file, the file with the most tests first.
"""


def share_of(nodeid: str) -> str:
    """The share that a test belongs to."""
    path = nodeid.partition("::")[0]
    return next((share for share in LONGEST_FIRST if path.startswith(share)), path)


class Shares(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Hands whole shares to the workers, in the order of the table."""

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        self.workqueue.move_to_end(min(self.workqueue, key=_place_of), last=False)
        super()._assign_work_unit(node)


def _place_of(share: str) -> int:
    return LONGEST_FIRST.index(share) if share in LONGEST_FIRST else len(LONGEST_FIRST)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Shares | None:
    """Ours for `--dist loadgroup`, xdist's own for everything else."""
    return Shares(config, log) if config.getvalue("dist") == "loadgroup" else None
