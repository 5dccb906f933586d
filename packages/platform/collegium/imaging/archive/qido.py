"""The answers of QIDO-RS, made once when rows change (PS3.18 10.6.3.3)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydicom.datadict import dictionary_VR, tag_for_keyword

if TYPE_CHECKING:
    from collegium.imaging.archive.document import Attributes, Json


def attribute(keyword: str, *values: Json) -> tuple[str, dict[str, Json]]:
    """One attribute of DICOM JSON by keyword; no values makes an empty one."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    vr = dictionary_VR(tag)
    found: list[Json] = [value for value in values if value not in ("", None)]
    if vr == "PN":
        found = [{"Alphabetic": value} for value in found]
    return f"{tag:08X}", {"vr": vr, "Value": found} if found else {"vr": vr}


def text_of(attributes: Attributes) -> str:
    return json.dumps(dict(sorted(attributes.items())), separators=(",", ":"), ensure_ascii=False)


def study(  # noqa: PLR0913 - the standard's required attributes
    *,
    study_uid: str,
    subject_code: str,
    description: str,
    modalities: list[str],
    date: str,
    time: str,
    series: int,
    instances: int,
    patient: Attributes,
) -> str:
    """A study's line. `patient` may add sex and age as the archive's document has them."""
    return text_of(
        {
            **patient,
            **dict(
                (
                    attribute("StudyInstanceUID", study_uid),
                    attribute("PatientID", subject_code),
                    attribute("PatientName", subject_code),
                    attribute("StudyDescription", description),
                    attribute("ModalitiesInStudy", *modalities),
                    attribute("StudyDate", date),
                    attribute("StudyTime", time),
                    attribute("AccessionNumber"),
                    attribute("StudyID"),
                    attribute("InstanceAvailability", "ONLINE"),
                    attribute("NumberOfStudyRelatedSeries", series),
                    attribute("NumberOfStudyRelatedInstances", instances),
                )
            ),
        }
    )


def series(  # noqa: PLR0913 - the standard's required attributes
    *, study_uid: str, series_uid: str, modality: str, number: int | None, description: str, instances: int
) -> str:
    return text_of(
        dict(
            (
                attribute("StudyInstanceUID", study_uid),
                attribute("SeriesInstanceUID", series_uid),
                attribute("Modality", modality),
                attribute("SeriesNumber", number),
                attribute("SeriesDescription", description),
                attribute("NumberOfSeriesRelatedInstances", instances),
            )
        )
    )


def instance(
    *, study_uid: str, series_uid: str, sop_instance_uid: str, sop_class_uid: str, frames: int
) -> str:
    return text_of(
        dict(
            (
                attribute("StudyInstanceUID", study_uid),
                attribute("SeriesInstanceUID", series_uid),
                attribute("SOPInstanceUID", sop_instance_uid),
                attribute("SOPClassUID", sop_class_uid),
                attribute("NumberOfFrames", frames),
            )
        )
    )
