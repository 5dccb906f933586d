"""How entries of the trail hang together: each hash covers its entry and the hash before it."""

import hashlib
import json
import sqlite3
from dataclasses import dataclass
from typing import Final

from collegium_connect.journal import trail as stored
from collegium_connect.journal.trail import Entry

_PURPOSE: Final = "collegium trail 1"


@dataclass(frozen=True)
class Verdict:
    """What checking the whole trail said."""

    entries: int
    broken_at: int | None
    """The first entry that is not as it was written, or before which one is missing; None: none is."""
    head: str
    """The hash of the last sound entry. Whoever wrote it down can tell whether the trail was made anew."""

    @property
    def is_whole(self) -> bool:
        return self.broken_at is None


def hash_of(entry: Entry) -> str:
    """SHA-256 over an entry in one fixed form."""
    content = [
        _PURPOSE, entry.seq, entry.at_ms, entry.actor, entry.actor_role, entry.action, entry.channel_id,
        entry.ref, entry.detail, entry.sealed_reason.hex(), entry.previous_hash,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def verify(db: sqlite3.Connection) -> Verdict:
    """Recompute the whole chain. Memory bound: one entry."""
    seq, head = 0, stored.NO_ENTRY
    for entry in stored.entries(db):
        if entry.seq != seq + 1 or entry.previous_hash != head or entry.hash != hash_of(entry):
            return Verdict(seq, seq + 1, head)
        seq, head = entry.seq, entry.hash
    if seq != stored.last_seq(db):
        return Verdict(seq, seq + 1, head)
    return Verdict(seq, None, head)
