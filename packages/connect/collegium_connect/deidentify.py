"""Let `collegium_deid` clean one object, under its channel's recipe and site key.

Everything that decides about identity is in that package; here is only the order. `rewrite` works
between socket and disk: who is it, which code stands for them, a new header, and the pixel bytes as
they are if no one needs to look at them. `finish` does all of it from a sealed original, the look at
the pixels included. `check` looks at a new header with the identifiers of the old one in hand.
"""

import time
from dataclasses import dataclass, replace
from typing import Final, Protocol

from collegium_connect.channels import Channel
from collegium_connect.journal.inspection import Looked
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
from collegium_deid.engine.elements import EXPLICIT_LITTLE_ENDIAN
from collegium_deid.engine.pixelplan import Look
from collegium_deid.pixels import clean_pixels, compress

# Most headers fit; where one does not, the whole object is looked at.
_HEAD_BYTES: Final = 128 << 10
HTJ2K_LOSSLESS: Final = "1.2.840.10008.1.2.4.201"
# Of the pixels of one object: compressing takes as much memory twice.
_MOST_COMPRESSED_BYTES: Final = 256 << 20


@dataclass(frozen=True)
class Rewritten:
    """An object with its new header."""

    cleaned: Cleaned
    pixels: list[bytes | memoryview] | None
    """What follows the header, views of the input; None where someone must look at it first."""
    original: memoryview
    """What of the input cannot be made again from the output: its header, or all of it."""
    is_whole: bool
    seconds: float


class Waits(Rejected):
    """It can be cleaned, and a person must look at it first (PS3.15 section E.3.1)."""

    def __init__(self, cleaned: Cleaned) -> None:
        super().__init__("deid.release", "A person must look at this kind of picture before it may leave.")
        self.cleaned = cleaned


class Codes(Protocol):
    """Knows which subject code stands for which local id."""

    def code_for(self, scope_id: int, site_code: str, local_id: str) -> str: ...


def rewrite(channel: Channel, data: memoryview, links: Codes) -> Rewritten:
    """Give one whole Part 10 object its new header.

    Raises:
        Rejected: it must not leave; the reason holds no value.
    """
    readable = prepare(data)
    done = _rewrite(channel, data if readable is data else memoryview(readable), links)
    if _is_compressed_later(channel, done):
        done = replace(done, pixels=None)
    if readable is data:
        return done
    # Deflated or big endian: what was received cannot be made again from the output.
    return replace(done, original=data, is_whole=True)


def finish(channel: Channel, data: memoryview, links: Codes, looked: Looked | None = None) -> Rewritten:
    """Clean one whole Part 10 object, its pixels and all. Memory bound: what the pixels' look takes.

    Args:
        channel: whose recipe and key.
        data: the object as it was received.
        links: whose code stands for whom.
        looked: a person's word that it may leave, where the recipe asks for one; nothing else is waived by it.

    Raises:
        Rejected: it must not leave; the reason holds no value.
    """
    readable = prepare(data)
    source = data if readable is data else memoryview(readable)
    done = _rewrite(channel, source, links, looked)
    if done.pixels is None or (looked and looked.places):
        done = _look(channel, source, done, looked or Looked())
    check(bytes(source[: done.cleaned.pixel_start]), done.cleaned.head)
    if _is_compressed_later(channel, done):
        done = _compressed(source, done)
    return done if source is data else replace(done, original=data, is_whole=True)


def header_of(channel: Channel, data: memoryview, links: Codes) -> Cleaned:
    """The new header alone of one whole object, which nobody has searched.

    Raises:
        Rejected: there can be none; the reason holds no value.
    """
    return _header(channel, memoryview(prepare(data)), links)


def check(original_head: bytes, new_head: bytes) -> None:
    """Search a new header for every identifier of the original one.

    Raises:
        Rejected: one is still there; the reason does not say which.
    """
    verify_against(identifiers_of(original_head), new_head)


def _rewrite(channel: Channel, data: memoryview, links: Codes, looked: Looked | None = None) -> Rewritten:
    began = time.perf_counter()
    cleaned = _header(channel, data, links)
    if looked is None:
        require_no_person(channel, cleaned)
    pixels = None
    if not cleaned.has_pixels or cleaned.plan.look is Look.NONE:
        passage = PixelPassage(cleaned)
        pixels = passage.feed(data[cleaned.pixel_start :])
        passage.finish()
    seconds = time.perf_counter() - began
    return Rewritten(cleaned, pixels, data[: cleaned.pixel_start], is_whole=False, seconds=seconds)


def _header(channel: Channel, data: memoryview, links: Codes) -> Cleaned:
    try:
        return clean_header(channel, bytes(data[:_HEAD_BYTES]), links, complete=False)
    except NeedMoreBytes:
        return clean_header(channel, bytes(data), links, complete=True)


def _look(channel: Channel, data: memoryview, done: Rewritten, looked: Looked) -> Rewritten:
    found = clean_pixels(data, done.cleaned, recipe=channel.recipe, places=looked.places)
    syntax = found.transfer_syntax_uid or done.cleaned.transfer_syntax_uid
    is_whole = found.code == "redacted"
    return replace(
        done,
        cleaned=replace(
            done.cleaned,
            head=found.head,
            transfer_syntax_uid=syntax,
            report=replace(done.cleaned.report, areas=len(found.areas)),
        ),
        pixels=found.pixels,
        original=data if is_whole else done.original,
        is_whole=is_whole,
        seconds=done.seconds + found.seconds,
    )


def _is_compressed_later(channel: Channel, done: Rewritten) -> bool:
    """Whether inspection writes the pixels anew: what is compressed already stays as it is, and what is large."""
    size = sum(map(len, done.pixels or ()))
    return (
        channel.setup.compress
        and done.cleaned.has_pixels
        and done.cleaned.transfer_syntax_uid == EXPLICIT_LITTLE_ENDIAN
        and size <= _MOST_COMPRESSED_BYTES
    )


def _compressed(data: memoryview, done: Rewritten) -> Rewritten:
    """The same with its pixels losslessly compressed, where that gains anything."""
    began = time.perf_counter()
    made = compress(done.cleaned.head, done.pixels or ())
    if made is None:
        return done
    head, element = made
    # The input's own bytes cannot be made again from the output, so all of them are kept.
    return replace(
        done,
        cleaned=replace(done.cleaned, head=head, transfer_syntax_uid=HTJ2K_LOSSLESS),
        pixels=[element],
        original=data,
        is_whole=True,
        seconds=done.seconds + time.perf_counter() - began,
    )


def require_no_person(channel: Channel, cleaned: Cleaned) -> None:
    """See that nobody has to look at this kind of picture before it may leave.

    Raises:
        Waits: somebody has to.
    """
    policy = channel.recipe.pixels
    if policy is not None and policy.waits_for_a_person(cleaned.sop_class_uid):
        raise Waits(cleaned)


def clean_header(channel: Channel, head: bytes, links: Codes, *, complete: bool) -> Cleaned:
    """The new header of an object of which `head` is the beginning, or all. Raises as `clean_object` does."""

    def code_for(local_id: str) -> str:
        return links.code_for(channel.scope_id, channel.setup.site_code, local_id)

    return clean_object(head, recipe=channel.recipe, key=channel.key, subject=code_for, complete=complete)
