"""Every public file on this machine: cleaned with nothing left, or rejected with a reason; never a crash."""

from __future__ import annotations

import collections
import warnings
from typing import TYPE_CHECKING

import pytest
from pydicom import dcmread
from pydicom.errors import InvalidDicomError
from pydicom.filebase import DicomBytesIO

from collegium_deid import (
    NeedMoreBytes,
    PixelPassage,
    Rejected,
    clean_object,
    identifiers_of,
    parse_file,
    verify_against,
    verify_conformance,
)
from collegium_deid.engine.convert import prepare
from collegium_deid.engine.pixelplan import Look
from collegium_testkit import real_data

if TYPE_CHECKING:
    from pathlib import Path

    from collegium_deid import Recipe, SiteKey

FOLDER = real_data.folder()
pytestmark = pytest.mark.skipif(FOLDER is None, reason="no real data on this machine")
SETS = sorted(path.name for path in FOLDER.iterdir() if path.is_dir()) if FOLDER else []


def outcome(path: Path, recipe: Recipe, key: SiteKey) -> str:
    """What became of one file; raises when anything identifying or another pixel byte came out."""
    try:
        data = prepare(path.read_bytes())
        cleaned = clean_object(data, recipe=recipe, key=key, subject="S-001", complete=True)
        verify_against(identifiers_of(data), cleaned.head)
        # Only the step that looks at the pixels may say that somebody did.
        done = cleaned.plan.look is Look.NONE and cleaned.has_pixels
        assert verify_conformance(recipe, cleaned.head, pixels_done=done) == ()
        if cleaned.plan.look is not Look.NONE:
            return "to be looked at"
        passage = PixelPassage(cleaned)
        pixels = b"".join(bytes(piece) for piece in passage.feed(data[cleaned.pixel_start :]))
        passage.finish()
    except Rejected as error:
        return error.code
    assert pixels == data[cleaned.pixel_start : cleaned.pixel_start + len(pixels)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the originals are not always valid, and pydicom says so
        new, old = dcmread(DicomBytesIO(cleaned.head + pixels)), dcmread(DicomBytesIO(data))
        assert new.get("PixelData") == old.get("PixelData")
        assert new.get("Rows") == old.get("Rows")
        assert new.get("PixelSpacing") == old.get("PixelSpacing")
        assert new.get("RescaleSlope") == old.get("RescaleSlope")
        str(new)
    return "cleaned"


@pytest.mark.requirement("C03")
@pytest.mark.parametrize("name", SETS)
def test_every_file_is_cleaned_or_rejected_with_a_reason(name: str, recipe: Recipe, key: SiteKey) -> None:
    assert FOLDER is not None
    files = sorted(path for path in (FOLDER / name).rglob("*") if path.is_file())

    counts = collections.Counter(outcome(path, recipe, key) for path in files)

    assert counts.total() == len(files)
    assert set(counts) <= {
        "cleaned",
        "to be looked at",
        "deid.object",
        "deid.dicomdir",
        "deid.pixels",
        "deid.not_part10",
        "deid.truncated",
        "deid.patient_id",
        "deid.syntax_declined",
        "deid.no_transfer_syntax",
        "deid.malformed",
    }


@pytest.mark.parametrize("name", SETS)
def test_the_walker_sees_what_pydicom_sees(name: str) -> None:
    assert FOLDER is not None
    files = sorted(path for path in (FOLDER / name).rglob("*") if path.is_file())

    differing = [path for path in files if not _agrees(path)]

    assert differing == []


def _agrees(path: Path) -> bool:
    """The same top-level tags and lengths as pydicom; True where both or only we decline."""
    data = path.read_bytes()
    try:
        head = parse_file(data, complete=True)
    except Rejected:
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ds = dcmread(DicomBytesIO(data), stop_before_pixels=True)
        except InvalidDicomError:
            return False
    tags = [int(tag) for tag in ds.keys() if not tag >= 0x7FE00008]  # noqa: SIM118 - a data set iterates elements
    return sorted(head.elements) == sorted(tag for tag in tags if tag < 0x7FE00008)


def test_a_file_read_in_pieces_gives_the_same(recipe: Recipe, key: SiteKey) -> None:
    assert FOLDER is not None
    data = next(iter(sorted((FOLDER / "ct_head_phantom").iterdir()))).read_bytes()
    size = 1024
    while True:
        try:
            cleaned = clean_object(data[:size], recipe=recipe, key=key, subject="S-001")
            break
        except NeedMoreBytes as error:
            size = error.at_least

    assert cleaned.head == clean_object(data, recipe=recipe, key=key, subject="S-001", complete=True).head
    assert size < len(data)
