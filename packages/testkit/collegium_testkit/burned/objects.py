"""The header round a picture, as full of identity as a machine's, and the picture as stored values."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

from collegium_testkit.burned.encode import SYNTAXES, set_pixels
from collegium_testkit.phantoms import uid

if TYPE_CHECKING:
    from collegium_testkit.burned.encode import Stored
    from collegium_testkit.burned.textures import Picture
    from collegium_testkit.burned.words import Identity

GREYS: Final = 200
"""Entries of the palette that are greys; the rest are the colours of writing."""
_TINTS: Final = ((1.0, 1.0, 1.0), (1.0, 0.95, 0.2), (0.2, 1.0, 0.9), (0.3, 1.0, 0.3), (1.0, 1.0, 1.0))


@dataclass(frozen=True)
class Camera:
    """How one kind of object stores a picture."""

    sop_class: str
    modality: str
    photometric: str
    bits: int
    signed: bool = False
    image_type: tuple[str, ...] = ("ORIGINAL", "PRIMARY")


def stored_values(
    random: np.random.Generator, camera: Camera, frames: list[Picture], plain: list[Picture]
) -> Stored:
    """Frames of 0 to 1, with writing and without, to (frame, row, column[, 3]) stored values."""
    picture, below = np.stack(frames), np.stack(plain)
    written = np.abs(picture - below) > 1e-6
    if camera.photometric == "RGB":
        tint = np.array(_TINTS[int(random.integers(len(_TINTS)))], np.float32)
        colour = np.where(written & (picture > below), 1, 0)[..., None] * (tint - 1) + 1
        return np.asarray(np.rint(picture[..., None] * colour * 255), np.uint8)
    if camera.photometric == "PALETTE COLOR":
        greys = np.rint(picture * (GREYS - 1))
        inks = GREYS + np.rint(picture * (255 - GREYS))
        return np.asarray(np.where(written, inks, greys), np.uint8)
    if camera.modality == "CT" and camera.signed:
        hounsfield = 40 + 400 * (picture - 0.5)
        hounsfield = np.where(picture < 0.02, -1000, hounsfield)
        hounsfield = np.where(written & (picture > 0.95), 3071, hounsfield)
        return np.asarray(np.rint(hounsfield), np.int16)
    if camera.photometric == "MONOCHROME1":
        picture = 1 - picture
    kind = np.uint8 if camera.bits == 8 else np.uint16
    return np.asarray(np.rint(picture * (2**camera.bits - 1)), kind)


def file_of(  # noqa: PLR0913, PLR0917 - private to this room; each is one property of the file
    random: np.random.Generator, camera: Camera, values: Stored, who: Identity, syntax: str, key: str
) -> bytes:
    """A whole Part 10 file."""
    ds = _header(random, camera, who, key)
    frames, ds.Rows, ds.Columns = values.shape[:3]
    if frames > 1:
        ds.NumberOfFrames, ds.FrameTime = frames, "40"
        ds.FrameIncrementPointer = 0x00181063
    ds.SamplesPerPixel, ds.PhotometricInterpretation = (
        (3 if camera.photometric == "RGB" else 1),
        camera.photometric,
    )
    if ds.SamplesPerPixel == 3:
        ds.PlanarConfiguration = 0
    ds.BitsAllocated = 8 if camera.bits == 8 else 16
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation = camera.bits, camera.bits - 1, int(camera.signed)
    if camera.photometric == "PALETTE COLOR":
        _add_palette(ds)
    set_pixels(ds, values, syntax)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    meta.TransferSyntaxUID = UID(SYNTAXES[syntax])
    meta.ImplementationClassUID = UID(uid("collegium-testkit"))
    ds.file_meta = meta
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


def syntaxes_for(camera: Camera) -> tuple[str, ...]:
    """What real machines of this kind send; half of the time it is not compressed."""
    names = ["explicit", "implicit", "explicit", "rle", "jpegls", "j2k", "htj2k", "explicit"]
    if camera.photometric == "RGB":
        return ("explicit", "jpeg", "rle", "j2k", "implicit", "jpeg", "jpegls", "htj2k")
    if camera.photometric == "PALETTE COLOR":
        return ("explicit", "rle", "implicit")
    if not camera.signed:
        names += ["ljpeg", "jpeg"] if camera.bits == 8 else ["ljpeg"]
    return tuple(names)


def _header(random: np.random.Generator, camera: Camera, who: Identity, key: str) -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.ImageType = list(camera.image_type)
    ds.SOPClassUID, ds.SOPInstanceUID = camera.sop_class, uid("burned", key)
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = who.study_date
    ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = who.study_time
    ds.AccessionNumber, ds.StudyID = who.accession, "1"
    ds.Modality, ds.Manufacturer, ds.ManufacturerModelName = (
        camera.modality,
        "Invented Imaging",
        f"Model {camera.modality}",
    )
    ds.InstitutionName, ds.ReferringPhysicianName = who.hospital, "^".join(who.physician)
    ds.StationName, ds.DeviceSerialNumber = "ROOM2", f"SN{random.integers(1000, 9999)}"
    ds.PatientName, ds.PatientID = f"{who.family}^{who.given}", who.patient_id
    ds.PatientBirthDate, ds.PatientSex, ds.PatientAge = who.birth_date, who.sex, who.age
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uid("burned-study", key), uid("burned-series", key)
    ds.SeriesNumber, ds.InstanceNumber = 1, 1
    said = (None, "NO", "YES", None)[int(random.integers(4))]
    if said:
        ds.BurnedInAnnotation = said
    if camera.modality == "CT":
        ds.RescaleIntercept, ds.RescaleSlope = "0", "1"
        ds.WindowCenter, ds.WindowWidth = ("40", "400") if camera.signed else ("128", "256")
    if camera.modality in {"MR", "DX", "CR", "MG"}:
        ds.WindowCenter, ds.WindowWidth = str(2 ** (camera.bits - 1)), str(2**camera.bits)
    if camera.sop_class.endswith(".7"):
        ds.ConversionType = "WSD"
    ds.LossyImageCompression = "00"
    return ds


def _add_palette(ds: Dataset) -> None:
    """Greys, then the yellows that writing is in."""
    index = np.arange(256)
    greys = np.clip(index / (GREYS - 1), 0, 1)
    inks = (index - GREYS) / (255 - GREYS)
    for name, tint in (("Red", 1.0), ("Green", 0.95), ("Blue", 0.3)):
        table = np.where(index < GREYS, greys, inks * tint)
        setattr(ds, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(ds, f"{name}PaletteColorLookupTableData", np.rint(table * 65535).astype("<u2").tobytes())
