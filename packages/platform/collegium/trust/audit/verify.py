"""Read every chain from its first entry and name the first thing that is not as it was written.

Uses nothing but the stored text: the digest of each entry is computed anew, here in
Python, while the database computed it at commit.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connections

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

FORMAT = "collegium-audit-1"
START = bytes(32)
_COLUMNS = (
    "l.seq, l.prev, l.hash, e.id, e.chain, e.at, e.body, "
    "e.principal, e.action, e.object_kind, e.object_id, e.space_id"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """The first bad entry of a chain, in words."""

    chain: str
    seq: int
    entry_id: str
    what: str

    def __str__(self) -> str:
        return f"{self.chain}: entry {self.seq} ({self.entry_id}): {self.what}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification saw: how many chains and entries, the head of each chain, the first fault of each."""

    chains: int
    entries: int
    faults: tuple[Fault, ...]

    @property
    def is_clean(self) -> bool:
        return not self.faults


def text_of(chain: str, seq: int, entry_id: str, at: datetime, body: str) -> bytes:
    """The bytes that are hashed after the previous hash; the form never changes."""
    moment = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return "\n".join((FORMAT, chain, str(seq), entry_id, moment, body)).encode()


def verify(alias: str = "default") -> Verdict:
    """Verify all chains the connection may see; as the owner, all there are."""
    heads = _rows("select chain, seq, hash from trust_audit_audithead order by chain", alias)
    entries = 0
    faults: list[Fault] = []
    for chain, head_seq, head_hash in heads:
        seen, fault = _verify_chain(chain, head_seq, bytes(head_hash), alias)
        entries += seen
        faults += [fault] if fault else []
    faults += list(_strays(alias))
    return Verdict(len(heads), entries, tuple(faults))


def chains(alias: str = "default") -> dict[str, int]:
    """Every chain there is, and how many entries it has. Needs no owner."""
    return {
        str(chain): int(size) for chain, size in _rows("select chain, size from trust_audit_chains()", alias)
    }


def link_hashes(chain: str, alias: str = "default") -> list[bytes]:
    """The hash of every entry of a chain, in order: the leaves of its tree. Needs no owner."""
    return [bytes(row[0]) for row in _rows("select hash from trust_audit_hashes(%s)", alias, chain)]


def _verify_chain(chain: str, head_seq: int, head_hash: bytes, alias: str) -> tuple[int, Fault | None]:
    prev, expected = START, 0
    with connections[alias].cursor() as cursor:
        cursor.execute(
            f"select {_COLUMNS} from trust_audit_auditlink l left join trust_audit_auditentry e on e.id = l.entry_id "  # noqa: S608  constant columns
            "where l.chain = %s order by l.seq",
            [chain],
        )
        while rows := cursor.fetchmany(2000):
            for seq, link_prev, link_hash, entry_id, *entry in rows:
                expected += 1
                what = _fault_in(
                    chain, seq, expected, prev, bytes(link_prev), bytes(link_hash), entry_id, entry
                )
                if what:
                    return expected, Fault(chain, expected, str(entry_id), what)
                prev = bytes(link_hash)
    if (head_seq, head_hash) != (expected, prev):
        return expected, Fault(
            chain,
            head_seq,
            "-",
            f"the chain ends at entry {expected}, its head says {head_seq}: the end was cut off or rewritten",
        )
    return expected, None


def _fault_in(  # noqa: PLR0913, PLR0917  one row of a chain
    chain: str,
    seq: int,
    expected: int,
    prev: bytes,
    link_prev: bytes,
    link_hash: bytes,
    entry_id: object,
    entry: list[Any],
) -> str:
    if seq != expected:
        return f"missing: the next link is number {seq}"
    if entry_id is None:
        return "the entry itself was removed"
    entry_chain, at, body, *columns = entry
    if link_prev != prev:
        return "does not follow the entry before it"
    if sha256(prev + text_of(chain, seq, str(entry_id), at, str(body))).digest() != link_hash:
        return "its text does not match its digest: it was changed after it was written"
    if entry_chain != chain or columns != _columns_of(str(body)):
        return "its columns do not match its text: they were changed after it was written"
    return ""


def _columns_of(body: str) -> list[object]:
    said = json.loads(body)
    space = UUID(said["space"]) if said["space"] else None
    return [said["principal"], said["action"], said["object"]["kind"], said["object"]["id"], space]


def _strays(alias: str) -> Iterator[Fault]:
    rows = _rows(
        "select e.chain, e.id from trust_audit_auditentry e left join trust_audit_auditlink l on l.entry_id = e.id "
        "where l.entry_id is null order by e.id limit 20",
        alias,
    )
    for chain, entry_id in rows:
        yield Fault(chain, 0, str(entry_id), "stands in no chain: it was slipped in without its link")


def _rows(sql: str, alias: str, *parameters: str) -> list[tuple[Any, ...]]:  # Any: columns of any type
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
