"""What a project's file asks of the acquisition of a visit's exams, and how it reaches the channels."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import pytest

from collegium.imaging.connections import queries as connections
from collegium.kit.database import acting_as
from collegium.kit.yaml import YamlError
from collegium.research.projects.project_file import parse_project, write_project
from collegium.research.projects.resting import InUse
from collegium.research.projects.services import publish_version
from collegium_wire import AcquisitionRequirement, AcquisitionRequirements

if TYPE_CHECKING:
    from collegium_testkit.world import World

EXAMPLE = resources.files("collegium.research.examples").joinpath("ct-lesion.yaml").read_text("utf-8")
FIRST = "{code: baseline, label"
ASKING = EXAMPLE.replace(
    FIRST,
    "{code: baseline, acquisition: [{modality: CT, body_part: CHEST, images: 200, series: 1,"
    " slice_thickness_mm: 2.5, slice_spacing_mm: 5, contrast: true}], label",
)
CHEST = AcquisitionRequirement(
    visit="baseline", modality="CT", body_part="CHEST", images=200, series=1, slice_thickness_mm=2.5,
    slice_spacing_mm=5.0, contrast=True,
)  # fmt: skip


def asking(entry: str) -> str:
    return EXAMPLE.replace(FIRST, f"{{code: baseline, acquisition: {entry}, label")


@pytest.mark.requirement("I05")
def test_a_visit_says_what_its_exams_must_be() -> None:
    assert parse_project(ASKING).visits[0].acquisition == (CHEST,)


def test_it_is_written_as_it_is_read() -> None:
    project = parse_project(ASKING)

    written = write_project(project)

    assert parse_project(written) == project
    assert write_project(parse_project(written)) == written


def test_a_file_that_asks_for_nothing_is_written_as_before() -> None:
    assert "acquisition" not in write_project(parse_project(EXAMPLE))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("[]", "one entry a modality"),
        ("[{modality: SR}]", "Possible are: CR, CT"),
        ("[{modality: CT, body_part: Belly}]", "Possible are: ABDOMEN"),
        ("[{modality: CT}, {modality: CT, images: 2}]", "an entry for CT already"),
        ("[{modality: CT, images: 0}]", "between 1 and"),
        ("[{modality: CT, slice_thickness_mm: 0}]", "a length in mm"),
        ("[{modality: CT, slice_spacing_mm: 1.23456}]", "a length in mm"),
        ("[{modality: CT, thickness: 5}]", "is not known here"),
        ("[{images: 5}]", "modality"),
    ],
)
def test_what_no_gateway_could_check_is_told_with_its_line(entry: str, words: str) -> None:
    with pytest.raises(YamlError) as error:
        parse_project(asking(entry))

    (problem,) = error.value.problems
    assert words in problem.message


def test_a_visit_that_asks_for_nothing_takes_other_modalities_too() -> None:
    project = parse_project(ASKING)

    assert project.acquisition().items == (CHEST,)
    assert project.acquisition().takes_others is (len(project.visits) > 1)


def test_publishing_tells_the_channels_and_leaving_it_out_again_takes_it_back(world: World) -> None:
    told = []
    with acting_as(world.administrator.principal, [world.space_id]):
        for text in (EXAMPLE, ASKING, EXAMPLE):
            publish_version(actor=world.actor(), text=text, in_use=InUse())
            told.append(connections.requirements(world.space_id))

    assert [one.items for one in told] == [(), (CHEST,), ()]
    assert told[2] == AcquisitionRequirements()
