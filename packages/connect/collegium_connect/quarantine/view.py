"""One object as it came and as it would leave: a picture of each, and both headers, attribute by attribute.

Works on bytes in memory and changes nothing. All of it shows identity: for signed-in local people only.
Memory bound: the object twice, and what the look at its pixels takes.
"""

import hashlib
from dataclasses import dataclass, field, replace
from typing import Final

from pydicom.uid import UID

from collegium_connect import deidentify
from collegium_connect.channels import Channel
from collegium_connect.journal.inspection import Looked
from collegium_deid import Cleaned, DeidError, NeedMoreBytes, Rejected, local_id_of, parse_file, prepare
from collegium_deid.cli.side_by_side import Row, compare
from collegium_deid.engine.pixelplan import Look

Boxes = tuple[tuple[int, int, int, int], ...]
_HEAD_BYTES: Final = 128 << 10
_SOP_CLASS: Final = 0x00080016
_DOCUMENT: Final = 0x00420011
_NO_PICTURE: Final = "It is no picture. Its header below is all there is to see."


@dataclass(frozen=True)
class Verdict:
    """A subject code, or why there is none."""

    code: str
    rejected: tuple[str, str] | None = None

    def code_for(self, _scope_id: int, _site_code: str, _local_id: str) -> str:
        if self.rejected is not None:
            raise Rejected(*self.rejected)
        return self.code


@dataclass(frozen=True, kw_only=True)
class View:
    """What is shown of one object. Pictures are PNG; empty where there is none."""

    frame: int
    frames: int = 0
    rows: int = 0
    columns: int = 0
    before: bytes = field(default=b"", repr=False)
    after: bytes = field(default=b"", repr=False)
    no_picture: str = ""
    """Why there is none, in words."""
    attributes: tuple[Row, ...] = field(default=(), repr=False)
    """Both headers side by side; empty where they cannot be read or it must not leave."""
    kind: str = ""
    """What kind of object it is, as the standard calls it; empty where that cannot be read."""
    is_supposed: bool = False
    """Whether the right side only supposes that the recipe took this kind of object, without a document in it."""
    has_document: bool = False
    """Whether it holds a document, such as a PDF, that nothing here can clean."""
    is_fit: bool = False
    """Whether it could leave like this, were a person to say so."""
    is_shown: bool = False
    """Whether a person sees here all that anybody has to see before it leaves: its picture, or that it has none."""
    code: str = ""
    words: str = ""
    """Why it could not."""
    sha256: str = ""
    """Of the object as it would leave."""
    size_bytes: int = 0


def local_id(data: bytes) -> str | None:
    """The patient id of an object; None where it has none that can be read. Never log it."""
    try:
        readable = bytes(prepare(data))
        try:
            return local_id_of(parse_file(readable[:_HEAD_BYTES], complete=False))
        except NeedMoreBytes:
            return local_id_of(parse_file(readable, complete=True))
    except DeidError:
        return None


def view_of(data: bytes, channel: Channel, who: Verdict, boxes: Boxes, frame: int) -> View:
    """Look at one whole object as its channel would treat it.

    Args:
        data: as it was received.
        channel: whose recipe and key.
        who: the subject code, already found.
        boxes: what a person marked to be hidden on every frame; none of it means only a look.
        frame: which one to show, from 0.
    """
    view = _before(data, frame)
    try:
        done = deidentify.finish(channel, memoryview(data), who, Looked(boxes))
    except DeidError as error:
        return replace(_supposed(view, channel, data, who), code=error.code, words=error.message)
    pieces = [done.cleaned.head, *(done.pixels or ())]
    after = b"".join(pieces)
    picture = _picture(after, frame)
    return replace(
        view,
        after=picture.before,
        attributes=_attributes(channel, data, done.cleaned.head),
        is_fit=True,
        is_shown=bool(picture.before) or _needs_no_picture(channel, done.cleaned),
        sha256=hashlib.sha256(after).hexdigest(),
        size_bytes=len(after),
    )


def _needs_no_picture(channel: Channel, cleaned: Cleaned) -> bool:
    """Whether there is none, or one that leaves by itself without a look: numbers, not a picture."""
    if not cleaned.has_pixels:
        return True
    policy = channel.recipe.pixels
    waits = policy is not None and policy.waits_for_a_person(cleaned.sop_class_uid)
    return cleaned.plan.look is Look.NONE and not waits


def _supposed(view: View, channel: Channel, data: bytes, who: Verdict) -> View:
    """What would be left of the header of an object that the recipe does not take, or whose document nothing cleans."""
    try:
        head = parse_file(bytes(prepare(data)), complete=True)
        kind = head.text(_SOP_CLASS)
        if kind in channel.recipe.objects and not view.has_document:
            return view
        taking = replace(channel, recipe=channel.recipe.as_if_taking(kind))
        supposed = deidentify.finish(taking, memoryview(data), who, Looked())
    except DeidError:
        return view
    return replace(view, is_supposed=True, attributes=_attributes(taking, data, supposed.cleaned.head))


def _before(data: bytes, frame: int) -> View:
    try:
        readable = bytes(prepare(data))
        shown = _picture(readable, frame)
        head = parse_file(readable, complete=True)
    except DeidError as error:
        return View(frame=frame, no_picture=error.message)
    return replace(shown, kind=_kind(head.text(_SOP_CLASS)), has_document=_DOCUMENT in head.elements)


def _kind(sop_class_uid: str) -> str:
    known = UID(sop_class_uid)
    return known.name.removesuffix(" Storage") if known.name != sop_class_uid else ""


def _picture(data: bytes, frame: int) -> View:
    """One frame as PNG, in `before`."""
    # The codecs are for the process that looks; the gateway has this module too, and never a picture.
    from collegium_deid.pixels.codec import Codec  # noqa: PLC0415 - as said
    from collegium_deid.pixels.layout import layout_of  # noqa: PLC0415 - as said
    from collegium_deid.pixels.picture import png_of  # noqa: PLC0415 - as said

    try:
        head = parse_file(data, complete=True)
        if head.pixel_start is None:
            return View(frame=frame, no_picture=_NO_PICTURE)
        layout = layout_of(head)
        shape = View(frame=frame, frames=layout.frames, rows=layout.rows, columns=layout.columns)
        if not 0 <= frame < layout.frames:
            return replace(shape, no_picture="There is no such frame.")
        codec = Codec(layout, head, memoryview(data))
        return replace(shape, before=png_of(codec.frame(frame), layout, codec.photometric))
    except DeidError as error:
        return View(frame=frame, no_picture=error.message)
    except Exception:  # noqa: BLE001 - codecs raise anything on broken bytes, and may quote them
        return View(frame=frame, no_picture="The picture cannot be decoded.")


def _attributes(channel: Channel, data: bytes, new_head: bytes) -> tuple[Row, ...]:
    try:
        return tuple(compare(channel.recipe, bytes(prepare(data)), new_head))
    except DeidError:
        return ()
