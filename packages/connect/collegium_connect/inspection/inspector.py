"""Look at what was received: search new headers, clean what was sealed whole, set aside what must not leave.

Nothing is batched for sending that did not come through here. Works from the sealed record alone, so
it may be cut at any point and made again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from collegium_connect import deidentify
from collegium_connect.channels import Channels
from collegium_connect.errors import ConnectError, SpoolFull
from collegium_connect.intake import product_of
from collegium_connect.journal import objects
from collegium_connect.journal.database import Journal
from collegium_connect.journal.objects import Product, ReceivedObject
from collegium_connect.links import LinkTable
from collegium_connect.log import EventLog
from collegium_connect.spool import Place, Stored, Stores
from collegium_deid import Rejected

log = EventLog("inspection")

_AT_ONCE = 64


@dataclass(frozen=True)
class Passed:
    """Clean as it is."""


@dataclass(frozen=True)
class Recleaned:
    """Cleaned into a new record."""

    product: Product
    stored: Stored


@dataclass(frozen=True)
class Unfit:
    """It must not leave; where `stored` is given, the original sealed whole is there."""

    code: str
    words: str
    stored: Stored | None = None


Finding = Passed | Recleaned | Unfit


class Inspector:
    """Inspects what was received; call `run_once` again and again from one thread."""

    def __init__(self, journal: Journal, stores: Stores, channels: Channels, links: LinkTable) -> None:
        self._journal, self._stores, self._channels, self._links = journal, stores, channels, links

    def run_once(self) -> int:
        """Inspect the oldest objects; how many."""
        with self._journal.look() as db:
            due = objects.received(db, _AT_ONCE)
        findings = [(item, finding) for item in due if (finding := self._look_at(item)) is not None]
        self._settle(findings)
        return len(findings)

    def _look_at(self, item: ReceivedObject) -> Finding | None:
        """What is to be said of one object; None if not now."""
        try:
            return self._check(item) if item.is_clean else self._clean(item)
        except Rejected as rejected:
            return Unfit(rejected.code, rejected.message)
        except SpoolFull:
            return None
        except ConnectError as error:
            return Unfit(error.code, error.message)

    def _check(self, item: ReceivedObject) -> Finding:
        opened = self._stores.open_clean(item.object_id, item.place)
        try:
            deidentify.check(opened.original, opened.head)
        except Rejected as rejected:
            whole = self._stores.original(item.object_id, item.place, is_clean=True)
            return Unfit(
                rejected.code,
                rejected.message,
                self._stores.keep_sealed(item.object_id, b"{}", whole, to_empty_it=True),
            )
        return Passed()

    def _clean(self, item: ReceivedObject) -> Finding | None:
        channel = self._channels.by_id(item.channel_id)
        if channel is None:
            return None  # its key or recipe cannot be used just now; the page says so
        data = memoryview(self._stores.original(item.object_id, item.place, is_clean=False))
        done = deidentify.finish(channel, data, self._links)
        product = product_of(channel, done)
        stored = self._stores.keep_clean(
            item.object_id, b"{}", head=done.cleaned.head, original=done.original, is_whole=done.is_whole,
            pixels=done.pixels or (), to_empty_it=True,
        )  # fmt: skip
        return Recleaned(product, stored)

    def _settle(self, findings: Sequence[tuple[ReceivedObject, Finding]]) -> None:
        """Records on disk first, rows second, old records away last."""
        new = [stored for _, finding in findings if (stored := getattr(finding, "stored", None)) is not None]
        self._stores.segments.sync(stored.place.segment for stored in new)
        unneeded: list[Place | None] = []
        with self._journal.change() as db:
            objects.pass_unchanged(
                db, [item.object_id for item, found in findings if isinstance(found, Passed)]
            )
            for item, found in findings:
                if isinstance(found, Recleaned):
                    unneeded.append(objects.pass_cleaned(db, item.object_id, found.product, found.stored))
                elif isinstance(found, Unfit):
                    unneeded.append(
                        objects.set_aside(db, item.object_id, found.code, found.words, found.stored)
                    )
        for place in unneeded:
            if place is not None:
                self._stores.forget(place)
        for item, found in findings:
            if isinstance(found, Unfit):
                log.warning(
                    "object.quarantined", object=item.object_id, channel=item.channel_id, code=found.code
                )
