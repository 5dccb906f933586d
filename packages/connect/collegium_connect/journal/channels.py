"""Who this gateway is to the server, and the channels that the server gave it."""

import sqlite3
from collections.abc import Sequence
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
    scope_id: int
    key_check: str | None
    is_active: bool


def enrolment(db: sqlite3.Connection) -> Enrolment | None:
    row = db.execute("SELECT gateway_id, token, server_url FROM gateway").fetchone()
    return None if row is None else Enrolment(**row)


def save_enrolment(db: sqlite3.Connection, given: Enrolment, at_ms: int) -> None:
    db.execute(
        "INSERT OR REPLACE INTO gateway (id, gateway_id, token, server_url, enrolled_ms)"
        " VALUES (1, ?, ?, ?, ?)",
        (given.gateway_id, given.token, given.server_url, at_ms),
    )


def save_channels(db: sqlite3.Connection, setups: Sequence[ChannelSetup], at_ms: int) -> bool:
    """Make these the channels; others stay known and become inactive. True if anything changed.

    A channel keeps the scope of its first day: a renamed project is the same project, with the same
    site key and the same numbering.
    """
    before = {row["channel_id"]: row for row in db.execute("SELECT * FROM channels")}
    changed = False
    for setup in setups:
        content, known = setup.to_json(), before.pop(setup.channel_id, None)
        if known is not None and known["setup"] == content and known["is_active"]:
            continue
        changed = True
        scope = known["scope_id"] if known is not None else _scope(db, setup, at_ms)
        db.execute(
            "INSERT INTO channels (channel_id, scope_id, setup, is_active, updated_ms)"
            " VALUES (?, ?, ?, 1, ?) ON CONFLICT (channel_id) DO UPDATE"
            " SET setup = excluded.setup, is_active = 1, updated_ms = excluded.updated_ms",
            (setup.channel_id, scope, content, at_ms),
        )
    for channel_id, row in before.items():
        if row["is_active"]:
            changed = True
            db.execute(
                "UPDATE channels SET is_active = 0, updated_ms = ? WHERE channel_id = ?",
                (at_ms, channel_id),
            )
    return changed


def channels(db: sqlite3.Connection) -> list[StoredChannel]:
    rows = db.execute("SELECT * FROM channels JOIN scopes USING (scope_id) ORDER BY channel_id")
    return [
        StoredChannel(
            ChannelSetup.from_json(row["setup"]), row["scope_id"], row["key_check"], bool(row["is_active"])
        )
        for row in rows
    ]


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
