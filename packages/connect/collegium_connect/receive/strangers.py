"""Addresses outside every listed network: they are hung up on unheard, and told of once a minute.

Memory bound: a few hundred addresses; what knocks beyond that is counted together.
"""

import ipaddress
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from collegium_connect.log import EventLog
from collegium_connect.settings import CallerSettings

log = EventLog("receive")

TELL_S: Final = 60.0
_MOST: Final = 256
_OTHERS: Final = "others"


@dataclass
class _Knocks:
    """Those of one address since it was last told of."""

    told_s: float
    times: int = 0


class Strangers:
    """Who is turned away before a word is heard. Safe between threads.

    Where no network is listed nobody is turned away here: the gate refuses everyone, with the standard's words.
    """

    def __init__(
        self, callers: Sequence[CallerSettings], elapsed_s: Callable[[], float] = time.monotonic
    ) -> None:
        networks = tuple(ipaddress.ip_network(caller.address) for caller in callers)

        @lru_cache(maxsize=_MOST)
        def is_listed(address: str) -> bool:
            return any(ipaddress.ip_address(address) in network for network in networks)

        self._is_listed = is_listed if networks else lambda _: True
        self._elapsed_s, self._lock = elapsed_s, threading.Lock()
        self._knocks: dict[str, _Knocks] = {}

    def turns_away(self, address: str) -> bool:
        """Whether a connection from there is closed at once; if so it is counted."""
        if self._is_listed(address):
            return False
        with self._lock:
            self._count(address)
        self.tell()
        return True

    def tell(self) -> None:
        """Log what was counted of each address that was not told of for a minute; forget who went away."""
        at_s = self._elapsed_s()
        with self._lock:
            for address, knocks in list(self._knocks.items()):
                if at_s - knocks.told_s < TELL_S:
                    continue
                if knocks.times:
                    _tell(address, knocks.times)
                    self._knocks[address] = _Knocks(at_s)
                else:
                    del self._knocks[address]

    def _count(self, address: str) -> None:
        if address not in self._knocks and len(self._knocks) >= _MOST:
            address = _OTHERS
        if address in self._knocks:
            self._knocks[address].times += 1
        else:
            self._knocks[address] = _Knocks(self._elapsed_s())
            _tell(address, 1)


def _tell(address: str, times: int) -> None:
    log.warning("connection.refused", address=address, times=times, reason="address not listed")
