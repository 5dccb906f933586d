"""Who this gateway is to the server, and the channels that the server gave it."""

import json
import sqlite3
from dataclasses import dataclass, field

from collegium_wire import ChannelSetup


@dataclass(frozen=True)
class Enrolment:
    gateway_id: str
    token: str = field(repr=False)
    server_url: str


@dataclass(frozen=True)
class StoredChannel:
    setup: ChannelSetup
    """In force."""
    scope_id: int
    key_check: str | None
    is_active: bool
    offered: ChannelSetup
    """What the server sent last; `setup` unless a part of it waits for an administrator."""
    looser: tuple[str, ...]
    """In words, what is looser in `offered` and therefore not in force; empty: nothing waits."""

    @property
    def waits(self) -> bool:
        return bool(self.looser)


def enrolment(db: sqlite3.Connection) -> Enrolment | None:
    row = db.execute("SELECT gateway_id, token, server_url FROM gateway").fetchone()
    return None if row is None else Enrolment(**row)


def token_for(db: sqlite3.Connection, code_digest: str, new_token: str) -> str:
    """The token that this code was or is now asked with: `new_token` unless one was kept for it."""
    db.execute(
        "INSERT INTO enrolling (code_digest, token) VALUES (?, ?) ON CONFLICT (code_digest) DO NOTHING",
        (code_digest, new_token),
    )
    kept = db.execute("SELECT token FROM enrolling WHERE code_digest = ?", (code_digest,)).fetchone()
    return str(kept["token"])


def save_enrolment(db: sqlite3.Connection, given: Enrolment, at_ms: int) -> None:
    """Keep what the server gave; what was asked with is not kept beside it."""
    db.execute("DELETE FROM enrolling")
    db.execute(
        "INSERT OR REPLACE INTO gateway (id, gateway_id, token, server_url, enrolled_ms)"
        " VALUES (1, ?, ?, ?, ?)",
        (given.gateway_id, given.token, given.server_url, at_ms),
    )


def shared_since_ms(db: sqlite3.Connection) -> int | None:
    """Since when another gateway uses this enrolment; None: nobody does, as far as the server knows."""
    row = db.execute("SELECT shared_ms FROM gateway").fetchone()
    return None if row is None else row["shared_ms"]


def note_shared(db: sqlite3.Connection, at_ms: int | None) -> bool:
    """Keep since when the enrolment is shared, or that it is not; whether that is news."""
    is_shared = at_ms is not None
    done = db.execute(
        "UPDATE gateway SET shared_ms = ? WHERE (shared_ms IS NOT NULL) != ?", (at_ms, is_shared)
    )
    return done.rowcount > 0


def server_protocol(db: sqlite3.Connection) -> int:
    """The newest protocol that the server spoke last; 0: it was not heard yet."""
    row = db.execute("SELECT server_protocol FROM gateway").fetchone()
    return 0 if row is None else int(row["server_protocol"])


def note_server_protocol(db: sqlite3.Connection, protocol: int) -> None:
    db.execute("UPDATE gateway SET server_protocol = ?", (protocol,))


def save_channel(
    db: sqlite3.Connection,
    setup: ChannelSetup,
    at_ms: int,
    *,
    offered: ChannelSetup,
    looser: tuple[str, ...] = (),
) -> None:
    """Put a setup in force, and remember what was offered.

    A channel keeps the scope of its first day: a renamed project is the same project, with the same
    site key and the same numbering.
    """
    known = db.execute("SELECT scope_id FROM channels WHERE channel_id = ?", (setup.channel_id,)).fetchone()
    scope = known["scope_id"] if known is not None else _scope(db, setup, at_ms)
    db.execute(
        "INSERT INTO channels (channel_id, scope_id, setup, offered, looser, is_active, updated_ms)"
        " VALUES (?, ?, ?, ?, ?, 1, ?) ON CONFLICT (channel_id) DO UPDATE SET setup = excluded.setup,"
        " offered = excluded.offered, looser = excluded.looser, is_active = 1,"
        " updated_ms = excluded.updated_ms",
        (setup.channel_id, scope, setup.to_json(), offered.to_json(), json.dumps(looser), at_ms),
    )


def withdraw_channel(db: sqlite3.Connection, channel_id: str, at_ms: int) -> None:
    """It takes nothing new; it stays known, with what it holds."""
    db.execute("UPDATE channels SET is_active = 0, updated_ms = ? WHERE channel_id = ?", (at_ms, channel_id))


def channels(db: sqlite3.Connection) -> list[StoredChannel]:
    rows = db.execute("SELECT * FROM channels JOIN scopes USING (scope_id) ORDER BY channel_id")
    return [
        StoredChannel(
            ChannelSetup.from_json(row["setup"]),
            row["scope_id"],
            row["key_check"],
            bool(row["is_active"]),
            ChannelSetup.from_json(row["offered"] or row["setup"]),
            tuple(json.loads(row["looser"])),
        )
        for row in rows
    ]


def last_change(db: sqlite3.Connection) -> tuple[int, int]:
    """Another value whenever a channel came or changed."""
    count, total_ms = db.execute("SELECT count(*), coalesce(sum(updated_ms), 0) FROM channels").fetchone()
    return count, total_ms


def save_key_check(db: sqlite3.Connection, scope_id: int, check: str) -> None:
    db.execute("UPDATE scopes SET key_check = ? WHERE scope_id = ?", (check, scope_id))


def _scope(db: sqlite3.Connection, setup: ChannelSetup, at_ms: int) -> int:
    db.execute(
        "INSERT OR IGNORE INTO scopes (project_name, site_code, created_ms) VALUES (?, ?, ?)",
        (setup.project_name, setup.site_code, at_ms),
    )
    row = db.execute(
        "SELECT scope_id FROM scopes WHERE project_name = ? AND site_code = ?",
        (setup.project_name, setup.site_code),
    ).fetchone()
    return int(row["scope_id"])
