"""Who is silent, or not listed, takes no place of those who are."""

import socket
from contextlib import ExitStack

import pytest
from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at import

from collegium_connect.receive.door import Door
from collegium_connect.settings import LimitSettings, ReceiveSettings
from collegium_testkit.doors import Shelf


@pytest.mark.parametrize("silent", [8, 60])
def test_one_address_that_fills_every_place_with_silence_keeps_nobody_else_out(silent: int) -> None:
    settings = ReceiveSettings(host="127.0.0.1", port=0, max_associations=4, max_associations_per_caller=2)
    shelf = Shelf()
    door = Door(settings, LimitSettings(), shelf, shelf)
    door.start()
    with ExitStack() as open_ones:
        open_ones.callback(door.stop)
        for _ in range(silent):
            stranger = socket.create_connection(("127.0.0.1", door.port), source_address=("127.0.0.2", 0))
            open_ones.enter_context(stranger)
        pacs = AE()
        pacs.add_requested_context(Verification)
        association = pacs.associate("127.0.0.1", door.port, ae_title="TRIAL1")
        is_in = association.is_established
        association.release()

    assert is_in
