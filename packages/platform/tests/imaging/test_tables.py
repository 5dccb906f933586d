from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.imaging.archive.models import Exam
from collegium.kit.database import acting_as

if TYPE_CHECKING:
    from collegium_testkit.world import World


def test_a_new_space_has_no_exams(world: World) -> None:
    with acting_as(world.administrator.principal):
        assert not Exam.objects.exists()
