"""Let `collegium_deid` clean one object, under its channel's recipe and site key.

Everything that decides about identity is in that package; here is only the order: who is it, which
code stands for them, clean, look at the pixels where the plan says so, look at the result with the
input's identifiers in hand, let it through.
"""

import time
from dataclasses import dataclass, replace
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
    prepare,
    verify_against,
)
from collegium_deid.engine.pixelplan import Look
from collegium_deid.pixels import clean_pixels

# Most headers fit; where one does not, the whole object is looked at.
_HEAD_BYTES: Final = 128 << 10


@dataclass(frozen=True)
class Clean:
    """A cleaned object: its new header, and the pixel bytes that follow it, views of the input."""

    cleaned: Cleaned
    pixels: list[bytes | memoryview]
    original: memoryview
    """The part of the input that cannot be made again from the output: the header, or all of it."""
    seconds: float


def clean(channel: Channel, data: memoryview, links: LinkTable) -> Clean:
    """Clean one whole Part 10 object.

    Raises:
        Rejected: it must not leave; the reason holds no value.
    """
    readable = prepare(data)
    if readable is data:
        return _clean(channel, data, links)
    # Deflated or big endian: what was received cannot be made again from the output.
    return replace(_clean(channel, memoryview(readable), links), original=data)


def _clean(channel: Channel, data: memoryview, links: LinkTable) -> Clean:
    began = time.perf_counter()
    head = bytes(data[:_HEAD_BYTES])
    try:
        cleaned = _clean_header(channel, head, links, complete=False)
    except NeedMoreBytes:
        head = bytes(data)
        cleaned = _clean_header(channel, head, links, complete=True)
    policy = channel.recipe.pixels
    if policy is not None and policy.waits_for_a_person(cleaned.sop_class_uid):
        raise Rejected("deid.release", "A person must look at this kind of picture before it may leave.")
    if cleaned.has_pixels and cleaned.plan.look is not Look.NONE:
        looked = clean_pixels(data, cleaned, recipe=channel.recipe)
        syntax = looked.transfer_syntax_uid or cleaned.transfer_syntax_uid
        cleaned = replace(cleaned, head=looked.head, transfer_syntax_uid=syntax)
        pixels, original = looked.pixels, data if looked.code == "redacted" else data[: cleaned.pixel_start]
    else:
        passage = PixelPassage(cleaned)
        pixels, original = passage.feed(data[cleaned.pixel_start :]), data[: cleaned.pixel_start]
        passage.finish()
    verify_against(identifiers_of(head), cleaned.head)
    return Clean(cleaned, pixels, original, time.perf_counter() - began)


def _clean_header(channel: Channel, head: bytes, links: LinkTable, *, complete: bool) -> Cleaned:
    def code_for(local_id: str) -> str:
        return links.code_for(channel.scope_id, channel.setup.site_code, local_id)

    return clean_object(head, recipe=channel.recipe, key=channel.key, subject=code_for, complete=complete)
