"""The site's lists of what to pull: taken from a file, sealed, worked off."""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from collegium_connect.actor import Actor, Role, require_role
from collegium_connect.clock import Clock, to_ms
from collegium_connect.errors import ConnectError
from collegium_connect.journal import pulls
from collegium_connect.journal.database import Journal
from collegium_connect.journal.pulls import NewPull, Pull
from collegium_connect.keys import Secrets
from collegium_connect.pull.pacs import Kind
from collegium_connect.sealed import seal, unseal
from collegium_connect.trail import Trail

# PS3.5 section 6.2: SH and LO hold no backslash; * and ? would ask for other people's exams too.
_ENTRY: Final = re.compile(r"[^\\*?\x00-\x1f]{1,64}")


class ListInvalid(ConnectError):
    code = "connect.pull.list_invalid"
    message = "The list cannot be used."


@dataclass(frozen=True)
class Key:
    """By what, and the value: an identifier. Never logged."""

    kind: Kind
    value: str


class Requests:
    """What is to be pulled. Safe between threads."""

    def __init__(self, journal: Journal, secrets: Secrets, trail: Trail, clock: Clock) -> None:
        self._journal, self._secrets, self._trail, self._clock = journal, secrets, trail, clock

    def take_list(
        self, *, actor: Actor, channel_id: str, source: str, kind: Kind, lines: Iterable[str]
    ) -> int:
        """Add entries, one a line; how many are new. An entry that is listed already changes nothing.

        Raises:
            NotAllowed: by role.
            ListInvalid: a line is no accession number or patient id; nothing was taken.
        """
        require_role(actor, Role.ADMINISTRATOR, Role.CONSOLE)
        values = [line.strip() for line in lines if line.strip()]
        for number, value in enumerate(values, 1):
            if not _ENTRY.fullmatch(value):
                raise ListInvalid(f"Entry {number} is too long or holds a character that is not allowed.")
        at_ms = to_ms(self._clock())
        with self._journal.change() as db:
            added = sum(
                pulls.add(db, self._new(channel_id, source, Key(kind, value), at_ms)) for value in values
            )
            self._trail.note(
                db, actor, "pull.list.taken", channel_id=channel_id,
                facts={"entries": len(values), "new": added, "kind": kind},
            )  # fmt: skip
        return added

    def key_of(self, pull: Pull) -> Key:
        """What the request asks for.

        Raises:
            SealBroken: the row was changed.
        """
        value = unseal(self._secrets.sealing, _bound(pull.pull_id), pull.sealed_key)
        return Key(Kind(pull.kind), value.decode())

    def _new(self, channel_id: str, source: str, key: Key, at_ms: int) -> NewPull:
        pull_id = str(uuid.uuid4())
        mac = self._secrets.lookup(0, f"pull/{channel_id}/{source}/{key.kind}/{key.value}")
        sealed = b"".join(seal(self._secrets.sealing, _bound(pull_id), key.value.encode()))
        return NewPull(pull_id, channel_id, source, key.kind, mac, sealed, at_ms)


def _bound(pull_id: str) -> str:
    return f"pull/{pull_id}"
