"""Let `collegium_deid` clean one object, under its channel's recipe and site key.

Everything that decides about identity is in that package; here is only the order: who is it, which
code stands for them, clean, and look at the result with the input's identifiers in hand.
"""

import time
from dataclasses import dataclass
from struct import Struct
from typing import Final

from collegium_connect.channels import Channel
from collegium_connect.links import LinkTable
from collegium_deid import Cleaned, NeedMoreBytes, Rejected, clean_object, identifiers_of, verify_against
from collegium_deid.elements import skip_undefined

_IMPLICIT: Final = "1.2.840.10008.1.2"
_U32: Final = Struct("<I").unpack_from
_UNDEFINED: Final = 0xFFFFFFFF


@dataclass(frozen=True)
class Clean:
    """A cleaned object: its new head, and which input bytes follow it untouched."""

    cleaned: Cleaned
    end: int
    """Where the untouched bytes end: what follows pixel data is never sent (PS3.15 Table E.1-1: X)."""
    subject_code: str
    seconds: float


def clean(channel: Channel, data: memoryview, links: LinkTable) -> Clean:
    """Clean one whole Part 10 object.

    Raises:
        Rejected: it must not leave; the reason holds no value.
    """
    began = time.perf_counter()
    head = bytes(data)
    try:
        identifiers = identifiers_of(head)
        if not identifiers.local_id:
            raise Rejected("connect.quarantine.no_patient_id", "The object names no patient.")
        code = links.code_for(channel.scope_id, channel.setup.site_code, identifiers.local_id)
        cleaned = clean_object(head, recipe=channel.recipe, key=channel.key, subject=code)
        verify_against(identifiers, cleaned.head)
        end = _pixel_end(head, cleaned)
    except NeedMoreBytes as error:
        raise Rejected("connect.quarantine.truncated", "The object ends in the middle.") from error
    return Clean(cleaned, end, code, time.perf_counter() - began)


def _pixel_end(data: bytes, cleaned: Cleaned) -> int:
    """Where the pixel data element ends.

    Raises:
        Rejected: it ends before its stated length.
        NeedMoreBytes: the same, for encapsulated pixel data.
    """
    start = cleaned.pixel_start
    if start >= len(data):
        return len(data)
    if len(data) < start + 12:
        raise NeedMoreBytes(start + 12)
    is_implicit = cleaned.transfer_syntax_uid == _IMPLICIT
    (length,) = _U32(data, start + (4 if is_implicit else 8))
    value = start + (8 if is_implicit else 12)
    if length == _UNDEFINED:
        return skip_undefined(data, value, fragments=True, explicit=True)
    if value + length > len(data):
        raise Rejected("connect.quarantine.truncated", "The pixel data end before their stated length.")
    return int(value + length)
