"""Let `collegium_deid` clean one object, under its channel's recipe and site key.

Everything that decides about identity is in that package; here is only the order: who is it, which
code stands for them, clean, look at the result with the input's identifiers in hand, let the pixels
through.
"""

import time
from dataclasses import dataclass
from typing import Final

from collegium_connect.channels import Channel
from collegium_connect.links import LinkTable
from collegium_deid import (
    Cleaned,
    NeedMoreBytes,
    PixelPassage,
    Rejected,
    clean_object,
    identifiers_of,
    parse_file,
    verify_against,
)
from collegium_deid.engine import person
from collegium_deid.engine.pixelplan import Look

# Most headers fit; where one does not, the whole object is looked at.
_HEAD_BYTES: Final = 128 << 10


@dataclass(frozen=True)
class Clean:
    """A cleaned object: its new header, and the pixel bytes that follow it, views of the input."""

    cleaned: Cleaned
    pixels: list[bytes | memoryview]
    subject_code: str
    seconds: float


def clean(channel: Channel, data: memoryview, links: LinkTable) -> Clean:
    """Clean one whole Part 10 object.

    Raises:
        Rejected: it must not leave; the reason holds no value.
    """
    began = time.perf_counter()
    try:
        cleaned, code = _clean_header(channel, bytes(data[:_HEAD_BYTES]), links, complete=False)
    except NeedMoreBytes:
        cleaned, code = _clean_header(channel, bytes(data), links, complete=True)
    if cleaned.plan.look is not Look.NONE:
        raise Rejected("deid.pixels_not_done", f"The pixels were not looked at. {cleaned.plan.why}")
    passage = PixelPassage(cleaned)
    pixels = passage.feed(data[cleaned.pixel_start :])
    passage.finish()
    return Clean(cleaned, pixels, code, time.perf_counter() - began)


def _clean_header(channel: Channel, head: bytes, links: LinkTable, *, complete: bool) -> tuple[Cleaned, str]:
    parsed = parse_file(head, complete=complete)
    local_id = person.local_id(parsed, person.codecs_of(parsed))
    code = links.code_for(channel.scope_id, channel.setup.site_code, local_id)
    cleaned = clean_object(head, recipe=channel.recipe, key=channel.key, subject=code, complete=complete)
    verify_against(identifiers_of(head), cleaned.head)
    return cleaned, code
