"""Recipes that declare to clean recognisable features refuse what may show a face."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from collegium_deid import Recipe, Rejected, parse_recipe

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
PREFIX = "1.2.840.10008.5.1.4.1.1."


@pytest.fixture
def no_faces() -> Recipe:
    return parse_recipe(
        """recipe: t
version: "1"
profile: basic
options: [clean_recognizable_visual_features]
objects: [CT Image, MR Image, RT Structure Set, Segmentation]
"""
    )


@pytest.mark.parametrize("part", ["HEAD", "BRAIN", "NECK", "WHOLEBODY", "SKULL", "", "SOMETHING"])
@pytest.mark.parametrize("kind", ["2", "4"])
def test_slices_that_may_hold_a_face_are_refused(
    *, write: Tool, clean: Tool, ct: Dataset, no_faces: Recipe, part: str, kind: str
) -> None:
    ct.SOPClassUID, ct.BodyPartExamined = PREFIX + kind, part

    with pytest.raises(Rejected) as error:
        clean(write(ct), recipe=no_faces)

    assert error.value.code == "deid.face"


@pytest.mark.requirement("C09")
@pytest.mark.parametrize(("kind", "part"), [("2", "CHEST"), ("4", "KNEE "), ("481.3", "HEAD"), ("66.4", "")])
def test_the_others_say_that_no_feature_is_recognisable(
    *, write: Tool, clean: Tool, read: Tool, ct: Dataset, no_faces: Recipe, kind: str, part: str
) -> None:
    ct.SOPClassUID, ct.BodyPartExamined = PREFIX + kind, part

    ds = read(clean(write(ct), recipe=no_faces).head)

    assert ds.RecognizableVisualFeatures == "NO"
    assert "113102" in [item.CodeValue for item in ds.DeidentificationMethodCodeSequence]


def test_without_the_option_a_head_is_taken(write: Tool, clean: Tool, read: Tool, ct: Dataset) -> None:
    ct.BodyPartExamined = "HEAD"

    assert "RecognizableVisualFeatures" not in read(clean(write(ct)).head)
