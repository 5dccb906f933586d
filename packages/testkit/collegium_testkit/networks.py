"""A network of its own for a gateway: one line to the hospital, one to the server, which can be cut.

A cut is silent, as when a cable is pulled behind the next switch: nothing is refused, nothing comes back, and what
is open stays open at both ends. Made with `ip`: a namespace, two pairs of virtual cards, and for a cut a wrong
hardware address of whoever stands at the other end.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_NOBODY: Final = "02:00:00:00:00:99"


class CannotMakeNetworks(Exception):
    """Not here: the reason is its message."""


class Network:
    """Use as a context manager. Addresses: `.1` is here, `.2` the namespace."""

    def __init__(self, number: int) -> None:
        """Prepare; `number` from 0 to 63 tells networks of one machine apart.

        Raises:
            CannotMakeNetworks: another system, another account than root, or no `ip`.
        """
        if not sys.platform.startswith("linux") or os.geteuid() != 0:
            raise CannotMakeNetworks("only root on Linux can make a network namespace")
        self._ip = shutil.which("ip") or shutil.which("ip", path="/usr/sbin:/sbin") or ""
        if not self._ip:
            raise CannotMakeNetworks("there is no `ip` to make a network namespace with")
        self.name, self._number = f"collegium{number}", number
        self._cards = (f"clg{number}h", f"clg{number}s")

    def __enter__(self) -> Self:
        """Make it.

        Raises:
            CannotMakeNetworks: the system does not let us.
        """
        self._remove()
        try:
            self._run("netns", "add", self.name)
            for line, card in enumerate(self._cards):
                here, there = self.addresses(line)
                self._run("link", "add", card, "type", "veth", "peer", "name", f"{card}n", "netns", self.name)
                self._run("addr", "add", f"{here}/30", "dev", card)
                self._run("-n", self.name, "addr", "add", f"{there}/30", "dev", f"{card}n")
                self._run("link", "set", card, "up")
                self._run("-n", self.name, "link", "set", f"{card}n", "up")
            self._run("-n", self.name, "link", "set", "lo", "up")
        except subprocess.CalledProcessError as error:
            self._remove()
            raise CannotMakeNetworks("this system does not let us make a network namespace") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def addresses(self, line: int) -> tuple[str, str]:
        """This end and the namespace's end of the line to the hospital (0) or to the server (1)."""
        first = 4 * (2 * self._number + line)
        # 198.18.0.0/15 is for tests of networks (RFC 2544): nobody's real address.
        return f"198.18.{first >> 8}.{(first & 255) + 1}", f"198.18.{first >> 8}.{(first & 255) + 2}"

    def inside(self, *command: str) -> list[str]:
        """A command that runs in the namespace."""
        return [self._ip, "netns", "exec", self.name, *command]

    def cut(self) -> None:
        """Let the line to the server swallow everything, both ways."""
        here, there = self.addresses(1)
        card = self._cards[1]
        self._run("neigh", "replace", there, "lladdr", _NOBODY, "dev", card, "nud", "permanent")
        self._run(
            "-n",
            self.name,
            "neigh",
            "replace",
            here,
            "lladdr",
            _NOBODY,
            "dev",
            f"{card}n",
            "nud",
            "permanent",
        )

    def mend(self) -> None:
        """Let it carry again."""
        here, there = self.addresses(1)
        card = self._cards[1]
        self._run("neigh", "del", there, "dev", card)
        self._run("-n", self.name, "neigh", "del", here, "dev", f"{card}n")

    def _run(self, *arguments: str) -> None:
        subprocess.run([self._ip, *arguments], check=True, capture_output=True)

    def _remove(self) -> None:
        for arguments in (*(("link", "del", card) for card in self._cards), ("netns", "del", self.name)):
            subprocess.run([self._ip, *arguments], check=False, capture_output=True)
