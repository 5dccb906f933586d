"""What can be wrong with a stored object."""

from __future__ import annotations

from typing import ClassVar

from collegium.kit.errors import CollegiumError, Unavailable


class BlobError(CollegiumError):
    """A stored object that cannot be read as it was written."""

    code: ClassVar[str] = "blobs.error"
    message: ClassVar[str] = "A stored object cannot be read. Ask the operator to run `collegium doctor`."


class BlobMissing(BlobError):
    code = "blobs.missing"
    message = "A stored object is not where it should be. Restore it from the backup."


class BlobDamaged(BlobError):
    """Flipped, cut, lengthened or exchanged bytes."""

    code = "blobs.damaged"
    message = "A stored object was changed or cut after it was written. Restore it from the backup."


class BlobWrongKey(BlobError):
    code = "blobs.wrong_key"
    message = "A stored object was sealed with another key. Restore the installation's keys."


class BlobRange(BlobError):
    """Bytes were asked for that the object does not have."""

    code = "blobs.range"
    message = "More was asked for than the stored object holds."


class StorageFull(Unavailable):
    """The store took nothing: no space, or the quota is reached."""

    code = "blobs.storage_full"
    message = "The server is out of space for images. Nothing was lost; it is tried again when there is room."
