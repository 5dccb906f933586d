"""What can be wrong with an object or with asking for one."""

from __future__ import annotations

from typing import ClassVar

from collegium.kit.errors import Invalid, NotFound


class ObjectInvalid(Invalid):
    """An object that cannot be taken in. The message never holds a value of its header."""

    code: ClassVar[str] = "archive.object.invalid"
    message: ClassVar[str] = "The file is not a DICOM object that can be stored."


class NotDicom(ObjectInvalid):
    code = "archive.object.not_dicom"
    message = "The file is not DICOM: it has no Part 10 header."


class SyntaxUnsupported(ObjectInvalid):
    code = "archive.object.transfer_syntax"
    message = "The file uses a transfer syntax that is not accepted here (big endian or deflated)."


class ObjectTruncated(ObjectInvalid):
    code = "archive.object.truncated"
    message = "The file is cut off: it ends before its own lengths say."


class ObjectTrailing(ObjectInvalid):
    code = "archive.object.trailing"
    message = (
        "The file goes on after its end. What follows the pixel data cannot be checked, so it was refused."
    )


class LengthsDisagree(ObjectInvalid):
    code = "archive.object.lengths"
    message = "The lengths inside the file contradict each other."


class HeaderTooLarge(ObjectInvalid):
    code = "archive.object.header_too_large"
    message = "The header of the file is larger than this server accepts."


class PixelLengthWrong(ObjectInvalid):
    code = "archive.object.pixel_length"
    message = "The pixel data do not have the length that rows, columns and frames ask for."


class MetaDisagrees(ObjectInvalid):
    code = "archive.object.meta_disagrees"
    message = "The file meta information and the data set name different objects."


class IdentityMissing(ObjectInvalid):
    code = "archive.object.uids"
    message = "The file lacks a valid study, series, instance or class UID."


class FramesUnreadable(ObjectInvalid):
    code = "archive.object.frames"
    message = "The compressed pixel data cannot be divided into the frames the header counts."


class CodestreamSpeaks(ObjectInvalid):
    code = "archive.object.codestream"
    message = "The compressed pixel data carry comments that could name a person, so the file was refused."


class ImageNotFound(NotFound):
    """No such exam, series, instance or frame; not granted, ended and never existed are the same."""

    code = "imaging.not_found"
    message = "There is nothing here. It may have been moved, or you may not have access to it."
