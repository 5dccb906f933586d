"""What can go wrong while exams come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.imaging.archive.errors import ObjectInvalid
from collegium.kit.errors import Conflict, Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES = 160
"""Characters of names in a reason, so that it fits where reasons are kept."""


class DeliveryNotFound(NotFound):
    code = "ingest.delivery.not_found"
    message = "There is no such delivery."


class DeliveryChanged(Conflict):
    code = "ingest.delivery.changed"
    message = "A delivery with this id was opened with another manifest. Use a new id."


class DeliveryIncomplete(Conflict):
    code = "ingest.delivery.incomplete"
    message = "Objects of the manifest are still missing. Send them, then complete the delivery."

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__()
        self.missing = tuple(missing)


class HeldNotFound(NotFound):
    code = "ingest.held.not_found"


class ManifestInvalid(Invalid):
    code = "ingest.manifest.invalid"
    message = "The manifest does not fit this channel."


class NotInManifest(ObjectInvalid):
    code = "ingest.object.not_in_manifest"
    message = "The manifest of this delivery names no such object."


class DigestWrong(ObjectInvalid):
    code = "ingest.object.digest"
    message = "The object does not have the digest under which it was sent. Send it again."


class ManifestDisagrees(ObjectInvalid):
    code = "ingest.object.manifest"
    message = "The object is not the one its manifest describes."


class SubjectDisagrees(ObjectInvalid):
    code = "ingest.object.subject"
    message = "The subject code inside the object is not that of the delivery."


class NoTest(ObjectInvalid):
    code = "ingest.object.no_test"
    message = "Only the invented picture of a gateway can be a test. This one is none, so it was refused."


class ExamOfAnotherSubject(ObjectInvalid):
    code = "ingest.object.other_subject"
    message = "The archive holds this exam under another subject code."


class SeriesOfAnotherExam(ObjectInvalid):
    code = "ingest.object.other_exam"
    message = "The archive holds this series as part of another exam."


class NotDeidentified(ObjectInvalid):
    code = "ingest.object.not_deidentified"
    message = "The object does not say that its patient identity was removed (0012,0062), so it was refused."


class NotConforming(ObjectInvalid):
    code = "ingest.object.not_conforming"
    message = "The object does not conform to the channel's de-identification recipe, so it was refused."


class OtherPixels(ObjectInvalid):
    code = "ingest.object.other_content"
    message = "The archive holds this instance with other pixels. It is held until a person decides."


class OtherHeader(ObjectInvalid):
    code = "ingest.object.other_header"
    message = "The archive holds this picture with another header. It is held until a person decides."

    def __init__(self, names: Sequence[str]) -> None:
        """Args: `names` of the attributes that differ; as many are told as there is room for."""
        told = ""
        for count, name in enumerate(names):
            longer = f"{told}, {name}" if told else name
            if len(longer) > _NAMES:
                told = f"{told} and {len(names) - count} more"
                break
            told = longer
        super().__init__(
            f"The archive holds this picture with another header ({told}). Both are kept; the first counts until a"
            " person decides."
        )


class CleanedOtherwise(ObjectInvalid):
    code = "ingest.object.cleaned_otherwise"
    message = (
        "The archive holds this picture with a header cleaned by another recipe or version. It keeps that one. Where"
        " the site corrected something in it, tell the project."
    )


class CleanerUnknown(ObjectInvalid):
    code = "ingest.object.cleaner_unknown"
    message = (
        "The archive holds this picture with another header, and it is not known whether the same recipe and version"
        " cleaned both. It keeps that one. Where the site corrected something in it, tell the project."
    )
