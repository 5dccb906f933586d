"""What the tests of research start from. Imports wait for `pytest_configure`, which makes the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collegium_testkit.study import Study
    from collegium_testkit.world import World


@pytest.fixture
def study(world: World) -> Study:
    from collegium_testkit.study import new_study

    return new_study(world)
