"""What one web process ends, the others refuse at once: they are told, though they keep decisions for a while."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from collegium_testkit.patience import PATIENCE_S, until
from tests.journeys.second import second_web_process

if TYPE_CHECKING:
    from tests.security.house import House

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]


@pytest.mark.requirement("R02")
def test_a_revoked_grant_opens_nothing_at_another_web_process_within_a_second(house: House) -> None:
    reader, grant = house.people["reader"], house.ids["grant_id"]
    images = f"/dicom-web/grants/{grant}/studies"
    with (
        second_web_process(house.server) as url,
        httpx.Client(base_url=url, cookies=dict(reader.cookies), timeout=PATIENCE_S) as elsewhere,
    ):
        assert elsewhere.get(images).status_code == 200

        revoke(house, grant)

        # The other process would keep what it decided for ever: it was told, at the commit.
        until(lambda: elsewhere.get(images).status_code == 404, "the refusal")
        assert reader.get(images).status_code == 404


def revoke(house: House, grant: str) -> None:
    """An administrator ends it, in a process that serves no pages."""
    command = [sys.executable, "-m", "tests.journeys.live_acts", "revoke", str(house.space)]
    done = subprocess.run(
        [*command, house.seeded.administrator, grant],
        env=house.server.environment, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
