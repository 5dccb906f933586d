"""Public images: text-free ones keep every byte, ultrasound with a patient's name loses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collegium_deid import SiteKey, clean_object
from collegium_deid.engine.convert import prepare
from collegium_deid.pixels import clean_pixels
from collegium_testkit import real_data

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from collegium_deid import Recipe
    from collegium_deid.pixels import CleanedPixels

FOLDER = real_data.folder()
pytestmark = [
    pytest.mark.skipif(FOLDER is None, reason="no real data on this machine"),
    pytest.mark.requirement("C10"),
]
TEXT_FREE = (
    "ct_head_phantom/I5*",
    "mr_series_16/*",
    "petct_mr_sts043/[CMP]*/00000*",
    "seg/liver_ct/*",
)


def _files(*patterns: str) -> list[Path]:
    return [] if FOLDER is None else [path for pattern in patterns for path in sorted(FOLDER.glob(pattern))]


def _looked(path: Path, recipe: Recipe) -> tuple[bytes, CleanedPixels]:
    data = prepare(path.read_bytes())
    cleaned = clean_object(data, recipe=recipe, key=SiteKey(bytes(32)), subject="S-1", complete=True)
    return data[cleaned.pixel_start :], clean_pixels(data, cleaned, recipe=recipe)


@pytest.mark.parametrize("policy", ["whitelist", "all_text"])
def test_text_free_images_are_looked_at_and_not_changed(looking: Callable[..., Recipe], policy: str) -> None:
    results = [_looked(path, looking(policy=policy)) for path in _files(*TEXT_FREE)]

    assert len(results) > 40
    assert {done.code for _, done in results} == {"no_text"}
    assert all(before.startswith(b"".join(done.pixels)) for before, done in results)


@pytest.mark.requirement("C11")
@pytest.mark.parametrize("name", ["us_burned_in_grey.dcm", "us_burned_in_rgb.dcm"])
def test_the_patient_on_a_real_ultrasound_is_hidden(looking: Callable[..., Recipe], name: str) -> None:
    _, done = _looked(_files(f"us/{name}")[0], looking())

    assert {"known", "pattern"} <= {area.reason for area in done.areas}
    assert all(area.y < 60 for area in done.areas if area.reason in {"known", "pattern"})
