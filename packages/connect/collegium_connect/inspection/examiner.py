"""Look at one received object: search the new header of what was cleaned, clean what was sealed whole.

Works from the object's record alone and changes nothing but room of the spool that it was given, so it
may be cut at any point and made again. Knows no journal and no other object.

Memory bound: the object once, and what is written anew of its pixels.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from collegium_connect import deidentify
from collegium_connect.apart import apart
from collegium_connect.channels import Channel
from collegium_connect.deidentify import Codes
from collegium_connect.errors import ConnectError, SpoolFull
from collegium_connect.facts import facts_of
from collegium_connect.inspection.findings import Finding, NotNow, Passed, Recleaned, Selects, Unfit
from collegium_connect.journal.facts import Facts
from collegium_connect.journal.inspection import ReceivedObject
from collegium_connect.journal.objects import IN_DOUBT, Arrival, Product
from collegium_connect.journal.selected import TOO_LARGE
from collegium_connect.notes import note_of, product_of, product_of_parts
from collegium_connect.selection import may_be_selection, selection_in
from collegium_connect.spool import Place, Stored, Stores
from collegium_connect.spool.segments import Piece
from collegium_deid import Rejected

_TOO_LARGE: Final = "connect.inspection.too_large"


class Room(Protocol):
    """Where a new record may go."""

    def write(self, pieces: Sequence[Piece]) -> Place:
        """Write a record. Raises SpoolFull."""


class Examiner:
    """Examines objects one at a time."""

    def __init__(self, stores: Stores, room: Room, codes: Codes, *, object_bytes: int) -> None:
        """Args: `object_bytes` is the largest object that is held in memory."""
        self._stores, self._room, self._codes = stores, room, codes
        self._object_bytes = object_bytes

    def look_at(self, item: ReceivedObject, channel: Channel | None) -> Finding:
        """What is to be said of one object; `channel` is None while its key or recipe cannot be used."""
        if channel is None:
            return NotNow()
        try:
            if item.is_clean and not (item.looked or item.is_apart or item.is_joined):
                return self._check(item, channel)
            try:
                return self._clean(item, channel)
            except MemoryError as error:
                raise self._too_large(item, channel, "needs more memory than there is") from error
        except (EOFError, OSError):
            raise  # whom it asks for room and codes is gone
        except SpoolFull:
            return NotNow()
        except Rejected as rejected:
            return Unfit(rejected.code, rejected.message, product=self._in_doubt(item, channel, rejected))
        except Exception as error:  # noqa: BLE001 - into quarantine: one bad object never stops the rest
            return _unfit(error)

    def _check(self, item: ReceivedObject, channel: Channel) -> Finding:
        opened = self._stores.open_clean(item.object_id, item.place)
        try:
            deidentify.check(opened.original, opened.head)
        except Rejected as rejected:
            return self._seal_whole(item, channel, rejected)
        return Passed(_facts(channel, opened.head))

    def _seal_whole(self, item: ReceivedObject, channel: Channel, rejected: Rejected) -> Unfit:
        """What was found to be unfit must not lie with clear pixels."""
        product = self._in_doubt(item, channel, rejected)
        whole = self._stores.original_view(item.object_id, item.place, is_clean=True)
        note = _note(item, product, rejected.code, rejected.message, is_clean=False)
        pieces = self._stores.sealed_record(item.object_id, note, whole)
        return Unfit(rejected.code, rejected.message, self._write(pieces), product)

    def _in_doubt(self, item: ReceivedObject, channel: Channel, rejected: Rejected) -> Product | None:
        """What the header of an object became in which something still identifies: its whole exam waits."""
        if rejected.code not in IN_DOUBT:
            return None
        try:
            data = self._stores.original_view(item.object_id, item.place, is_clean=item.is_clean)
            treated = apart(channel, data) if item.is_apart else channel
            cleaned = deidentify.header_of(treated, data, self._codes)
        except (EOFError, OSError):
            raise
        except Exception:  # noqa: BLE001 - it was cleaned a moment ago; it goes into quarantine all the same
            return None
        return product_of_parts(channel, cleaned, seconds=cleaned.report.seconds)

    def _too_large(self, item: ReceivedObject, channel: Channel, what: str) -> Rejected:
        """Why it cannot be held in memory; of what may be a selection, what that means."""
        if channel.setup.selected_only and not item.is_clean:
            beginning = self._stores.beginning(item.object_id, item.place)
            if may_be_selection(memoryview(beginning)):
                return Rejected(
                    TOO_LARGE, f"An export manifest, or other key objects: it {what}, so it is not obeyed."
                )
        return Rejected(_TOO_LARGE, f"It {what}, so its pixels are not looked at.")

    def _clean(self, item: ReceivedObject, channel: Channel) -> Recleaned | Selects:
        if item.record_bytes > self._object_bytes:
            raise self._too_large(item, channel, "is larger than inspect.object_bytes")
        data = self._stores.original_view(item.object_id, item.place, is_clean=item.is_clean)
        selection = selection_in(channel, data)
        if selection is not None:
            site_code, who = channel.setup.site_code, selection.local_id
            return Selects(self._codes.code_for(channel.scope_id, site_code, who), selection.named)
        done = deidentify.finish(
            apart(channel, data) if item.is_apart else channel, data, self._codes, item.looked
        )
        product = product_of(channel, done)
        if item.looked and item.looked.sha256 not in {"", product.sha256}:
            raise Rejected(
                "connect.inspection.not_as_seen",
                "What would leave is not what the person saw who released it.",
            )
        pieces = self._stores.clean_record(
            item.object_id, _note(item, product), head=done.cleaned.head, original=done.original,
            is_whole=done.is_whole, pixels=done.pixels or (),
        )  # fmt: skip
        return Recleaned(product, self._write(pieces), _facts(channel, done.cleaned.head))

    def _write(self, pieces: Sequence[Piece]) -> Stored:
        return Stored(self._room.write(pieces), sum(map(len, pieces)))


def _facts(channel: Channel, head: bytes) -> Facts | None:
    """How it was acquired; None where nobody asks, because reading it takes time."""
    return facts_of(bytes(head)) if channel.setup.requirements.items else None


def _unfit(error: Exception) -> Unfit:
    if isinstance(error, ConnectError):
        return Unfit(error.code, str(error))
    if isinstance(error, MemoryError):
        return Unfit(_TOO_LARGE, "There is not enough memory to look at it.")
    # A library's message may quote the data it choked on.
    return Unfit("connect.inspection.failed", f"It could not be looked at ({type(error).__name__}).")


def _note(
    item: ReceivedObject, product: Product | None, code: str = "", words: str = "", *, is_clean: bool = True
) -> bytes:
    return note_of(
        Arrival(
            object_id=item.object_id,
            new_exam_id=item.exam_id,
            channel_id=item.channel_id,
            received_ms=item.received_ms,
            is_clean=is_clean,
            product=product,
            input_mac=item.input_mac,
            reason_code=code,
            reason=words,
        )
    )
