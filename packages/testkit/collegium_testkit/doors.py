"""What stands behind a door in tests: a channel, a shelf that keeps digests of what came, a log that is slow."""

import hashlib
import logging
import struct
import threading
from typing import Final, Self

from collegium_connect.channels import Channel
from collegium_connect.receive.admission import Refusal
from collegium_connect.receive.pdu import AssociateRequest
from collegium_deid import SiteKey, load_recipe
from collegium_testkit.patience import PATIENCE_S
from collegium_wire import ChannelSetup

_RECIPE: Final = load_recipe("trial")
SETUP: Final = ChannelSetup(
    channel_id="ch-1",
    name="Channel",
    called_ae="TRIAL1",
    project_name="Project",
    site_name="Larkspur General",
    site_code="LG",
    recipe_yaml=_RECIPE.text,
    recipe_digest=hashlib.sha256(_RECIPE.text.encode()).hexdigest(),
    quiet_time_s=1,
)
KEY: Final = SiteKey(bytes(range(32)))
CHANNEL: Final = Channel(SETUP, 1, _RECIPE, KEY, is_active=True)


class Shelf:
    """A taker and a gate: lets everybody in, keeps digests of the data sets that came whole and in pieces."""

    def __init__(self) -> None:
        self.whole: list[str] = []
        self.pieces: list[str] = []
        self.abandoned = 0
        self.largest_piece = 0
        self.status = 0
        self.requests: list[AssociateRequest] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.is_storing = threading.Event()

    def decide(self, request: AssociateRequest, address: str) -> Channel | Refusal:
        assert (request.called_ae, address) == ("TRIAL1", "127.0.0.1")
        self.requests.append(request)
        return CHANNEL

    def store(self, channel: Channel, data: memoryview) -> int:
        assert channel is CHANNEL
        self.is_storing.set()
        self.go_on.wait(PATIENCE_S)
        assert bytes(data[128:132]) == b"DICM"
        (length,) = struct.unpack_from("<I", data, 140)
        self.whole.append(hashlib.sha256(data[144 + length :]).hexdigest())
        return self.status

    def begin(
        self, channel: Channel, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str
    ) -> "Pieces":
        assert channel is CHANNEL
        assert sop_class_uid
        assert sop_instance_uid
        assert transfer_syntax_uid
        return Pieces(self)


class Pieces:
    """One object that comes in pieces."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf, self._digest = shelf, hashlib.sha256()

    def write(self, data: memoryview) -> None:
        self._digest.update(data)
        self._shelf.largest_piece = max(self._shelf.largest_piece, len(data))

    def finish(self) -> int:
        self._shelf.pieces.append(self._digest.hexdigest())
        return self._shelf.status

    def abandon(self) -> None:
        self._shelf.abandoned += 1


class SlowLog(logging.Handler):
    """A log on a slow disk: writing that somebody is refused lasts until `goes_on`."""

    def __init__(self) -> None:
        super().__init__()
        self.is_writing, self.goes_on = threading.Event(), threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == "association.refused":
            self.is_writing.set()
            self.goes_on.wait(PATIENCE_S)

    def __enter__(self) -> Self:
        logging.getLogger("collegium_connect").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.goes_on.set()
        logging.getLogger("collegium_connect").removeHandler(self)
