"""Pixels that are hidden, and pixels that are not, in every way a picture may be stored."""

from __future__ import annotations

import io
import struct
import tracemalloc
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import generate_frames
from pydicom.pixels.utils import pixel_array

from collegium_deid import Rejected
from collegium_deid.engine.elements import parse_file
from collegium_deid.pixels.codec import Codec
from collegium_deid.pixels.layout import layout_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from collegium_deid.pixels import CleanedPixels

    from .conftest import Draw, Hide, Make

pytestmark = pytest.mark.requirement("C10")

LINE = ("BRAMBLEWORTH LEOPOLDINE", 10, 30)
HTJ2K = "1.2.840.10008.1.2.4.201"
LOSSLESS = [f"1.2.840.10008.1.2.4.{n}" for n in (57, 70, 80, 90, 201)]


def changed_only_inside(before: NDArray[Any], after: NDArray[Any], done: CleanedPixels) -> None:
    """Something differs inside the areas, and nothing outside them."""
    inside = np.zeros(before.shape[-2:] if before.shape[-1] != 3 else before.shape[-3:-1], bool)
    for area in done.areas:
        inside[area.y : area.y + area.height, area.x : area.x + area.width] = True
    differs = before != after
    where = differs.any(axis=-1) if before.shape[-1] == 3 else differs
    assert not (where & ~inside).any()
    assert where.any()


def decoded(ds: Dataset) -> NDArray[Any]:
    """By pydicom's own decoders; HTJ2K, which they lack, by the codec library."""
    if ds.file_meta.TransferSyntaxUID == HTJ2K:
        return np.asarray(imagecodecs.htj2k_decode(next(generate_frames(ds.PixelData, number_of_frames=1))))
    return pixel_array(ds, raw=True)


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_a_lossless_syntax_stays_and_every_pixel_outside_is_the_same(
    draw: Draw, make: Make, hide: Hide, compress: Callable[..., bytes], syntax: str
) -> None:
    picture = draw(LINE).astype(np.uint16) * 13
    data = make(picture, syntax=syntax, frames=[compress(syntax, picture)])

    ds, done = hide(data)

    assert ds.file_meta.TransferSyntaxUID == syntax
    assert done.code == "redacted"
    changed_only_inside(picture, decoded(ds), done)


def test_run_length_packed_frames_stay_packed(draw: Draw, make: Make, hide: Hide) -> None:
    picture = np.stack([draw(LINE).astype(np.uint16) * 13] * 2)
    ds = _packed(make(picture))

    out, done = hide(ds)

    assert out.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.5"
    changed_only_inside(picture, decoded(out), done)


def _packed(data: bytes) -> bytes:
    ds = dcmread(io.BytesIO(data))
    ds.compress("1.2.840.10008.1.2.5", encoding_plugin="pydicom", generate_instance_uid=False)
    out = io.BytesIO()
    ds.save_as(out)
    return out.getvalue()


def test_a_lossy_frame_is_written_uncompressed_and_stays_declared_lossy(
    draw: Draw, make: Make, hide: Hide, compress: Callable[..., bytes]
) -> None:
    syntax = "1.2.840.10008.1.2.4.50"
    frame = compress(syntax, draw(LINE))
    before = np.asarray(imagecodecs.jpeg8_decode(frame))
    data = make(draw(LINE), syntax=syntax, frames=[frame])

    ds, done = hide(data)

    assert ds.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert (ds.LossyImageCompression, ds.LossyImageCompressionMethod) == ("01", "ISO_10918_1")
    assert float(ds.LossyImageCompressionRatio) > 1
    assert done.transfer_syntax_uid == "1.2.840.10008.1.2.1"
    changed_only_inside(before, ds.pixel_array, done)


def test_colours_of_a_lossy_frame_are_named_as_they_are_written(
    draw: Draw, make: Make, hide: Hide, compress: Callable[..., bytes]
) -> None:
    syntax = "1.2.840.10008.1.2.4.50"
    picture = np.stack([draw(LINE)] * 3, axis=-1)
    data = make(
        picture, syntax=syntax, frames=[compress(syntax, picture)], PhotometricInterpretation="YBR_FULL_422"
    )

    ds, _ = hide(data)

    assert (ds.PhotometricInterpretation, ds.PlanarConfiguration) == ("RGB", 0)
    assert np.abs(ds.pixel_array[60:].astype(int) - picture[60:]).mean() < 4


@pytest.mark.parametrize("planar", [0, 1])
def test_colour_by_pixel_and_by_plane(draw: Draw, make: Make, hide: Hide, planar: int) -> None:
    picture = np.stack([draw(LINE), draw(), draw(LINE)], axis=-1)
    stored = picture.transpose(2, 0, 1) if planar else picture
    data = make(picture, PlanarConfiguration=planar, PixelData=stored.tobytes())

    ds, done = hide(data)

    assert ds.PlanarConfiguration == planar
    changed_only_inside(picture, ds.pixel_array, done)


def test_two_pixels_that_share_a_colour_are_hidden_together(draw: Draw, make: Make, hide: Hide) -> None:
    grey = draw(LINE)
    pairs = np.full((120, 160, 4), 128, np.uint8)
    pairs[..., 0], pairs[..., 1] = grey[:, ::2], grey[:, 1::2]
    colour = np.stack([grey] * 3, axis=-1)
    data = make(colour, PhotometricInterpretation="YBR_FULL_422", PixelData=pairs.tobytes())

    ds, done = hide(data)

    after = np.frombuffer(ds.PixelData, np.uint8).reshape(pairs.shape)
    luminance = after[..., :2].reshape(grey.shape)
    assert (after[..., 2:] == 128).all()
    changed_only_inside(grey, luminance, done)


@pytest.mark.parametrize(
    ("photometric", "first", "step"),
    [("MONOCHROME1", 4000, -15), ("MONOCHROME2", -1024, 10), ("MONOCHROME2", 0, 12)],
)
def test_background_is_a_stored_value_of_the_place(  # noqa: PLR0917 - fixtures and what is varied
    draw: Draw, make: Make, hide: Hide, photometric: str, first: int, step: int
) -> None:
    picture = (draw(LINE).astype(np.int16) * step + first).astype(np.int16)
    data = make(picture, PhotometricInterpretation=photometric)

    ds, done = hide(data)

    after = ds.pixel_array
    area = done.areas[0]
    filled = after[area.y : area.y + area.height, area.x : area.x + area.width]
    assert len(np.unique(filled)) == 1
    assert abs(int(filled[0, 0]) - (40 * step + first)) < abs(12 * step)
    changed_only_inside(picture, after, done)


def test_palette_entries_are_hidden_as_entries(draw: Draw, make: Make, hide: Hide) -> None:
    picture = draw(LINE)
    table = (np.arange(256, dtype="<u2") << 8).tobytes()
    names = ("Red", "Green", "Blue")
    more: dict[str, Any] = {f"{c}PaletteColorLookupTableData": table for c in names}
    more |= {f"{c}PaletteColorLookupTableDescriptor": [256, 0, 16] for c in names}
    data = make(picture, PhotometricInterpretation="PALETTE COLOR", **more)

    ds, done = hide(data)

    changed_only_inside(picture, ds.pixel_array, done)


def test_every_frame_is_hidden_and_text_of_one_frame_alone_is_seen(
    draw: Draw, make: Make, hide: Hide
) -> None:
    frames = [draw(LINE) for _ in range(7)]
    frames[4] = draw(LINE, ("MRN-4471123", 150, 100))
    picture = np.stack(frames)

    ds, done = hide(make(picture))

    changed_only_inside(picture, ds.pixel_array, done)
    assert len(done.areas) == 2
    assert {(area.first, area.last) for area in done.areas} == {(0, 6)}


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_every_frame_of_a_compressed_picture_is_hidden_and_the_rest_is_the_same(
    draw: Draw, make: Make, hide: Hide, compress: Callable[..., bytes], syntax: str
) -> None:
    picture = np.stack([draw(LINE), draw(LINE, ("MRN-4471123", 150, 100)), draw(LINE)]).astype(np.uint16) * 13
    frames = [compress(syntax, frame) for frame in picture]

    ds, done = hide(
        make(picture, syntax=syntax, frames=[frame + b"\0" * (len(frame) & 1) for frame in frames])
    )

    after = np.stack([_frame(ds, number) for number in range(3)])
    assert (ds.file_meta.TransferSyntaxUID, ds.NumberOfFrames) == (syntax, 3)
    assert {(area.first, area.last) for area in done.areas} == {(0, 2)}
    assert len(done.areas) == 2
    for number in range(3):
        changed_only_inside(picture[number], after[number], done)
    for area in done.areas:
        hidden = after[:, area.y : area.y + area.height, area.x : area.x + area.width]
        assert len(np.unique(hidden[1])) == 1


def _frame(ds: Dataset, number: int) -> NDArray[Any]:
    """One frame, as `decoded` gives a whole picture."""
    if ds.file_meta.TransferSyntaxUID == HTJ2K:
        coded = list(generate_frames(ds.PixelData, number_of_frames=3))[number]
        return np.asarray(imagecodecs.htj2k_decode(coded))
    return pixel_array(ds, raw=True, index=number)


def test_frames_are_written_anew_one_at_a_time(make: Make) -> None:
    frames = np.zeros((64, 128, 128), np.uint16)
    data = make(frames)
    head = parse_file(data, complete=True)
    codec = Codec(layout_of(head), head, memoryview(data))

    tracemalloc.start()
    written = codec.write(lambda frame: frame + 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert b"".join(written.element)[12:] == (frames + 1).tobytes()
    assert peak < frames.nbytes + 4 * frames[0].nbytes


def test_a_frame_too_large_to_be_looked_at_is_refused_with_a_reason(make: Make, hide: Hide) -> None:
    with pytest.raises(Rejected) as error:
        hide(make(np.zeros((8193, 8192), np.uint8)))

    assert error.value.code == "deid.pixels.too_large"


def test_frames_too_large_to_be_written_anew_are_refused_with_a_reason(
    draw: Draw, make: Make, hide: Hide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collegium_deid.pixels.codec._MAX_BYTES", draw().nbytes - 1)

    with pytest.raises(Rejected) as error:
        hide(make(draw(LINE)))

    assert error.value.code == "deid.pixels.too_large"


def test_an_overlay_kept_in_spare_bits_is_cleared_and_nothing_else(
    draw: Draw, make: Make, hide: Hide
) -> None:
    picture = draw().astype(np.uint16)
    overlaid = picture | ((draw(LINE) > 128).astype(np.uint16) << 12)
    data = make(overlaid, BitsStored=12, HighBit=11)
    data = _with_overlay(data)

    ds, _ = hide(data)

    assert np.array_equal(np.frombuffer(ds.PixelData, np.uint16).reshape(picture.shape), picture)


def _with_overlay(data: bytes) -> bytes:
    ds = dcmread(io.BytesIO(data))
    ds.add_new(0x60000010, "US", 120)
    ds.add_new(0x60000011, "US", 320)
    ds.add_new(0x60000040, "CS", "G")
    ds.add_new(0x60000050, "SS", [1, 1])
    ds.add_new(0x60000100, "US", 16)
    ds.add_new(0x60000102, "US", 12)
    out = io.BytesIO()
    ds.save_as(out)
    return out.getvalue()


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.50", *LOSSLESS])
@pytest.mark.parametrize("joined", [True, False])
def test_a_picture_that_the_header_does_not_tell_of_is_refused(
    *, draw: Draw, make: Make, hide: Hide, compress: Callable[..., bytes], syntax: str, joined: bool
) -> None:
    seen, unseen = compress(syntax, draw()), compress(syntax, draw(LINE))
    seen += b"\0" * (len(seen) & 1)
    data = make(draw(), syntax=syntax, frames=[seen + unseen] if joined else [seen, unseen])

    with pytest.raises(Rejected) as error:
        hide(data)

    assert error.value.code == "deid.pixels_say_more"


def test_a_fragment_before_the_first_frame_is_refused(
    draw: Draw, make: Make, hide: Hide, compress: Callable[..., bytes]
) -> None:
    syntax, pictures = "1.2.840.10008.1.2.4.80", [draw(LINE), draw(), draw()]
    frames = [frame + b"\0" * (len(frame) & 1) for frame in (compress(syntax, each) for each in pictures)]
    data = make(np.stack(pictures[1:]), syntax=syntax, frames=frames)
    whole = struct.pack("<2I", len(frames[0]) + 8, len(frames[0]) + len(frames[1]) + 16)
    table = data.index(b"\xfe\xff\x00\xe0")
    length = int.from_bytes(data[table + 4 : table + 8], "little")
    data = data[: table + 4] + struct.pack("<I", 8) + whole + data[table + 8 + length :]

    with pytest.raises(Rejected) as error:
        hide(data)

    assert error.value.code == "deid.pixels.fragments"


@pytest.mark.requirement("C09")
def test_a_picture_without_writing_keeps_every_byte(draw: Draw, make: Make, hide: Hide) -> None:
    data = make(draw())

    ds, done = hide(data)

    assert done.code == "no_text"
    assert ds.PixelData == draw().tobytes()
    assert b"".join(done.pixels) == data[-len(b"".join(done.pixels)) :]
    assert ds.BurnedInAnnotation == "NO"
    assert "113101" in {item.CodeValue for item in ds.DeidentificationMethodCodeSequence}
