from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import DatabaseError, connection

from collegium.kit.canonical import digest
from collegium.kit.database import acting_as
from collegium.kit.errors import NotFound, Refused
from collegium.kit.yaml import YamlError
from collegium.research.pipeline.publishing import publish_project
from collegium.research.projects import queries
from collegium.research.projects.errors import VersionMoved
from collegium.research.projects.models import ProjectVersion, Site
from collegium.trust.identity.errors import WrongPassword
from collegium.trust.signatures.queries import Validity, verify
from collegium_testkit.study import EXAMPLE, Study
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from collegium_testkit.world import World

CHANGED = EXAMPLE.replace("max: 5\n", "max: 10\n")


def publish(world: World, text: str, password: str | None = None) -> ProjectVersion:
    with acting_as(world.administrator.principal, [world.space_id]):
        return publish_project(actor=world.actor(), text=text, password=password)


@pytest.mark.requirement("R05", "R51")
def test_a_published_version_is_canonical_numbered_and_signed(world: World) -> None:
    version = publish(world, EXAMPLE, PASSWORD)

    assert (version.version, version.digest) == (1, digest(version.text))
    assert version.signature is not None
    assert verify(version.signature, digest(version.text)) is Validity.VALID


def test_the_same_set_up_again_is_the_same_version(world: World) -> None:
    first = publish(world, EXAMPLE)

    again = publish(world, EXAMPLE.replace("# A small", "# Another comment: a small"))

    assert again.id == first.id


@pytest.mark.requirement("R05")
def test_a_changed_set_up_is_the_next_version_and_open_tasks_keep_theirs(study: Study) -> None:
    study.arrive("S-001")

    second = publish(study.world, CHANGED)
    study.arrive("S-002")

    versions = {task.unit.subject.code: task.project_version.version for task in study.tasks()}
    assert second.version == 2
    assert versions == {"S-001": 1, "S-002": 2}


def test_a_file_with_faults_publishes_nothing_and_tells_each(world: World) -> None:
    with pytest.raises(YamlError) as error:
        publish(world, EXAMPLE.replace("max: 5\n", "max: 0\n"))

    with acting_as(world.administrator.principal, [world.space_id]):
        assert queries.newest_version(world.actor()) is None
    assert error.value.problems


def test_a_wrong_password_publishes_nothing(world: World) -> None:
    with pytest.raises(WrongPassword):
        publish(world, EXAMPLE, "wrong")

    with acting_as(world.administrator.principal, [world.space_id]):
        assert queries.newest_version(world.actor()) is None


def test_publishing_over_a_version_one_has_not_seen_is_a_conflict(world: World) -> None:
    publish(world, EXAMPLE)

    with acting_as(world.administrator.principal, [world.space_id]), pytest.raises(VersionMoved):
        publish_project(actor=world.actor(), text=CHANGED, expected_version=0)


@pytest.mark.requirement("R01")
@pytest.mark.parametrize("role", ["Editor", "Viewer", "Reader"])
def test_publishing_is_refused_to_roles_without_permission(world: World, role: str) -> None:
    person = world.join(role)

    with acting_as(person.principal, [world.space_id]), pytest.raises(Refused):
        publish_project(actor=world.actor(person), text=EXAMPLE)


@pytest.mark.requirement("R02", "R03")
def test_a_member_of_another_project_does_not_find_this_one(world: World, other_world: World) -> None:
    publish(world, EXAMPLE)

    with acting_as(other_world.administrator.principal):
        with pytest.raises(NotFound):
            world.actor(other_world.administrator)
        assert not ProjectVersion.objects.filter(space_id=world.space_id).exists()


def test_sites_of_the_file_are_kept_by_code(world: World) -> None:
    publish(world, EXAMPLE)
    publish(world, EXAMPLE.replace("name: Example hospital", "name: Renamed hospital"))

    with acting_as(world.administrator.principal, [world.space_id]):
        assert [(site.code, site.name) for site in Site.objects.filter(space_id=world.space_id)] == [
            ("01", "Renamed hospital")
        ]


@pytest.mark.requirement("R05")
@pytest.mark.parametrize("act", ["update {} set text = ''", "delete from {}"])
def test_a_published_version_cannot_be_changed_or_removed(world: World, act: str) -> None:
    version = publish(world, EXAMPLE)

    statement = act.format("research_projects_projectversion")
    with (
        acting_as(world.administrator.principal, [world.space_id]),
        pytest.raises(DatabaseError, match="permission denied"),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"{statement} where id = %s", [version.id])
