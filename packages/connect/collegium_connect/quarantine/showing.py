"""What an object would be if it left, made for a person who looks at it; the last few are kept in memory alone."""

from collections import OrderedDict
from contextlib import AbstractContextManager
from threading import Lock
from typing import Final

from collegium_connect.channels import Channel, Channels
from collegium_connect.journal.aside import AsideObject
from collegium_connect.journal.objects import State
from collegium_connect.links import LinkTable
from collegium_connect.quarantine.errors import NotShown
from collegium_connect.quarantine.view import Boxes, Verdict, View, local_id
from collegium_connect.quarantine.viewer import Question, Session, Viewer
from collegium_connect.spool import Stores
from collegium_deid import Rejected

_KEPT_VIEWS: Final = 4
_MOST_BYTES: Final = 1 << 30
_MOST_BOXES: Final = 100
_TOO_LARGE: Final = "It has more than a gigabyte, too much to be shown here."
_NO_ID: Final = ("deid.patient_id", "The object has no patient id that can be read.")


class Showing:
    """Makes views. Safe between threads."""

    def __init__(self, stores: Stores, channels: Channels, links: LinkTable, viewer: Viewer) -> None:
        self._stores, self._channels, self._links, self._viewer = stores, channels, links, viewer
        self._views: OrderedDict[tuple[str, Boxes, int, str], View] = OrderedDict()
        self._lock = Lock()

    def session(self) -> AbstractContextManager[Session]:
        """In which to show several."""
        return self._viewer.session()

    def shown(self, session: Session, item: AsideObject, boxes: Boxes, frame: int) -> tuple[str, View]:
        """The patient id, empty where it has none, and the view of one object that is set aside.

        Raises:
            NotShown: too many boxes; it is too large or damaged, or its channel cannot be used.
        """
        if len(boxes) > _MOST_BOXES:
            raise NotShown(f"At most {_MOST_BOXES} boxes can be marked.")
        data = self._original(item)
        who = local_id(data) or ""
        channel = self._channels.by_id(item.channel_id)
        if channel is None:
            raise NotShown("Its channel cannot be used just now; the overview says why.")
        key = (item.object_id, boxes, frame, channel.recipe.digest)
        with self._lock:
            found = self._views.get(key)
        if found is None:
            found = session.view(Question(data, channel, self._verdict(channel, who), boxes, frame))
            with self._lock:
                self._views[key] = found
                while len(self._views) > _KEPT_VIEWS:
                    self._views.popitem(last=False)
        return who, found

    def tried(self, channel_id: str, data: bytes, boxes: Boxes, frame: int) -> tuple[str, View]:
        """The same of a file that is only shown: no subject code is made for it.

        Raises:
            NotShown: there is no such channel, or it is too large.
        """
        channel, who = self._channels.by_id(channel_id), local_id(data) or ""
        if channel is None:
            raise NotShown("There is no such channel that can be used.")
        if len(data) > _MOST_BYTES:
            raise NotShown(_TOO_LARGE)
        verdict = Verdict("", _NO_ID)
        if who:
            verdict = Verdict(self._links.known_code(channel.scope_id, who) or "NEW")
        return who, self._viewer.view(data, channel, verdict, boxes, frame)

    def forget(self, object_id: str) -> None:
        """Keep no view of what is deleted."""
        with self._lock:
            self._views = OrderedDict((key, view) for key, view in self._views.items() if key[0] != object_id)

    def _original(self, item: AsideObject) -> bytes:
        if item.place is None or item.state is State.MISSING:
            raise NotShown("Its record is not on the disk any more.")
        if item.record_bytes > _MOST_BYTES:
            raise NotShown(_TOO_LARGE)
        return self._stores.original(item.object_id, item.place, is_clean=item.is_clean)

    def _verdict(self, channel: Channel, who: str) -> Verdict:
        if not who:
            return Verdict("", _NO_ID)
        try:
            return Verdict(self._links.code_for(channel.scope_id, channel.setup.site_code, who))
        except Rejected as rejected:
            return Verdict("", (rejected.code, rejected.message))
