"""The browser and the library make the same bytes of the same files, or refuse them with the same code."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from pydicom import dcmread
from pydicom.uid import RLELossless

from collegium_deid import (
    DeidError,
    PixelPassage,
    SiteKey,
    clean_object,
    identifiers_of,
    load_recipe,
    verify_against,
)
from collegium_deid.engine.convert import prepare
from collegium_deid.engine.pixelmark import declare_pixels_cleaned
from collegium_deid.engine.pixelplan import Look, PixelPlan
from collegium_testkit import phantoms, real_data
from collegium_testkit.planted import Syntax, plant
from tests.browser.deid.bench import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from collegium_deid import Recipe
    from tests.browser.deid.bench import Bench

pytestmark = [pytest.mark.browser, pytest.mark.journey, pytest.mark.timeout(1200)]

MOST_BYTES = 3_000_000
"""Of one public file: larger ones would show nothing more."""
ONLY_THERE = ("deid.browser.compressed", "deid.browser.picture", "deid.browser.overlay")
"""Refusals of the page itself: pictures that a person cannot look at there."""


def by_library(data: bytes, recipe: Recipe) -> tuple[str, str, str]:
    """State, code of refusal and SHA-256 of the output, as the page tells them."""
    try:
        data = prepare(data)
        cleaned = clean_object(
            data, recipe=recipe, key=SiteKey(bytes.fromhex(KEY)), subject="S-001", complete=True
        )
        looks = cleaned.plan.look is not Look.NONE
        head = declare_pixels_cleaned(cleaned.head) if looks else cleaned.head
        verify_against(identifiers_of(data), head)
        passage = PixelPassage(replace(cleaned, plan=PixelPlan(Look.NONE, "A person looks.")))
        pixels = b"".join(bytes(piece) for piece in passage.feed(data[cleaned.pixel_start :]))
        passage.finish()
    except DeidError as error:
        return "refused", error.code, ""
    if looks:
        return "look", "", ""
    return "clean", "", hashlib.sha256(head + pixels).hexdigest()


def told(by_page: list[str], by_library: tuple[str, str, str]) -> tuple[str, str, str]:
    """What the page said, in the words of the library: there a look is no refusal."""
    state, code, sha256 = by_page
    if state == "look" or (by_library[0] == "look" and code in ONLY_THERE):
        return "look", "", ""
    return state, code, sha256


def damaged(path: Path, folder: Path) -> Iterator[Path]:
    """The same file compressed, cut and lengthened."""
    dataset = dcmread(path)
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(folder / "rle.dcm")
    yield folder / "rle.dcm"
    whole = path.read_bytes()
    for name, data in (
        ("cut", whole[:-100]),
        ("cut-head", whole[:900]),
        ("trailing", whole + bytes(64)),
        ("empty", b""),
        ("text", b"Nothing of DICOM in here. " * 20),
    ):
        (folder / name).write_bytes(data)
        yield folder / name


def public_files() -> list[Path]:
    folder = real_data.folder()
    files = sorted(folder.rglob("*")) if folder else []
    return [path for path in files if path.is_file() and path.stat().st_size < MOST_BYTES]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Phantoms in all syntaxes, planted identities, and the public files where there are any; each name once."""
    folder = tmp_path_factory.mktemp("corpus")
    ct = phantoms.ct_exam(folder / "ct", slices=2, size=128)
    pet = phantoms.pet_exam(folder / "pet", ct=ct, slices=2, size=64)
    files = [*ct.files, *pet.files, *damaged(ct.files[0], folder)]
    for number, planted in enumerate(plant(4, 36, syntaxes=tuple(Syntax))):
        files.append(folder / f"planted{number:02}.dcm")
        files[-1].write_bytes(planted.data)
    for number, path in enumerate(public_files()):
        files.append(folder / f"public{number:03}.dcm")
        files[-1].symlink_to(path)
    return files


@pytest.mark.requirement("I03")
@pytest.mark.parametrize("name", ["trial", "strict"])
def test_browser_and_library_agree_on_every_file(bench: Bench, corpus: list[Path], name: str) -> None:
    recipe = load_recipe(name)
    expected = {path.name: by_library(path.read_bytes(), recipe) for path in corpus}

    found = bench.outputs(corpus, name)

    states = {state for state, _code, _sha256 in found.values()}
    assert {path: told(one, expected[path]) for path, one in found.items()} == expected
    assert {"clean", "refused"} <= states
