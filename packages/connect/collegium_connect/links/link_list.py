"""The link table for people: read it, bring a list in, give it to the site's administrator.

Whoever calls `links`, `import_list` or `export_list` shows local ids: to signed-in local people only.
"""

import re
import sqlite3
from dataclasses import dataclass, field
from datetime import datetime

from collegium_connect.actor import Actor, Role, require_role
from collegium_connect.clock import Clock, from_ms, to_ms
from collegium_connect.journal import aside, subjects
from collegium_connect.journal.database import Journal
from collegium_connect.journal.objects import UNKNOWN_ID
from collegium_connect.journal.subjects import Scope
from collegium_connect.keys import Secrets
from collegium_connect.links.allocation_list import LinkInUse, ListInvalid, Row, read_list, write_list
from collegium_connect.links.table import is_listed, local_id_of, mac_of, new_subject
from collegium_connect.log import EventLog
from collegium_connect.reason import checked
from collegium_connect.trail import Trail

log = EventLog("links")


@dataclass(frozen=True)
class Numbering:
    """One project at this site: who has a code in it."""

    scope_id: int
    project_name: str
    site_code: str
    is_listed: bool
    """Whether only listed ids are taken."""
    subjects: int
    held_objects: int
    """Objects that wait for a list that names their patient."""


@dataclass(frozen=True)
class Link:
    code: str
    local_id: str = field(repr=False)
    created_at: datetime


@dataclass(frozen=True)
class Imported:
    added: int
    known: int
    """Lines that the table had already."""
    resumed_objects: int
    """Objects that were held and are now looked at again."""


class LinkList:
    """The link table of one gateway, for people. Safe between threads."""

    def __init__(self, journal: Journal, secrets: Secrets, trail: Trail, clock: Clock) -> None:
        self._journal, self._secrets, self._trail, self._clock = journal, secrets, trail, clock

    def numberings(self) -> tuple[Numbering, ...]:
        with self._journal.look() as db:
            return tuple(
                Numbering(
                    scope.scope_id, scope.project_name, scope.site_code, is_listed(db, scope.scope_id),
                    subjects.count(db, scope.scope_id), aside.held_for(db, scope.scope_id, UNKNOWN_ID),
                )
                for scope in subjects.scopes(db)
            )  # fmt: skip

    def links(self, scope_id: int, *, after: str = "", limit: int = 200) -> tuple[Link, ...]:
        """Links in the order of their codes, those behind the code `after`."""
        with self._journal.look() as db:
            rows = subjects.listed(db, scope_id, after, limit)
        return tuple(self._link(scope_id, row) for row in rows)

    def find(self, scope_id: int, local_id: str) -> Link | None:
        """The link of one local id."""
        with self._journal.look() as db:
            row = subjects.by_mac(db, scope_id, mac_of(self._secrets, scope_id, local_id.strip()))
        return None if row is None else self._link(scope_id, row)

    def import_list(self, actor: Actor, scope_id: int, data: bytes) -> Imported:
        """Take in an allocation list, whole or not at all; what was held for want of it goes on.

        Raises:
            NotAllowed: not an administrator.
            ListInvalid: it is no list, or contradicts the table; the message names the line.
        """
        require_role(actor, Role.ADMINISTRATOR)
        rows = read_list(data)
        with self._journal.change() as db:
            scope = _scope(db, scope_id)
            added = sum(self._take(db, scope, row) for row in rows)
            resumed = aside.resume(db, scope_id, UNKNOWN_ID)
            self._trail.note(
                db, actor, "links.list.imported", ref=f"scope-{scope_id}",
                facts={"added": added, "known": len(rows) - added, "resumed_objects": resumed},
            )  # fmt: skip
        log.info("links.imported", scope=scope_id, added=added, resumed=resumed)
        return Imported(added, len(rows) - added, resumed)

    def export_list(self, actor: Actor, scope_id: int) -> str:
        """The whole table of one numbering as CSV, in the form that `import_list` takes.

        Raises:
            NotAllowed: not an administrator.
        """
        require_role(actor, Role.ADMINISTRATOR)
        with self._journal.change() as db:
            _scope(db, scope_id)
            rows = subjects.listed(db, scope_id, "", None)
            self._trail.note(
                db, actor, "links.list.exported", ref=f"scope-{scope_id}", facts={"links": len(rows)}
            )
        links = (self._link(scope_id, row) for row in rows)
        return write_list((link.local_id, link.code) for link in links)

    def remove(self, actor: Actor, scope_id: int, code: str, reason: str) -> None:
        """Take back a link that no object was cleaned with yet, such as a mistake in a list.

        Call it only while no gateway runs on this journal: a running one remembers the codes it has given.

        Raises:
            NotAllowed: not an administrator.
            LinkInUse: an object has this code, or nobody has.
            ReasonMissing.
        """
        require_role(actor, Role.ADMINISTRATOR)
        reason = checked(reason)
        with self._journal.change() as db:
            if subjects.is_used(db, scope_id, code) or not subjects.remove(db, scope_id, code):
                raise LinkInUse
            self._trail.note(
                db,
                actor,
                "links.link.removed",
                ref=f"scope-{scope_id}",
                reason=reason,
                facts={"subject": code},
            )

    def _take(self, db: sqlite3.Connection, scope: Scope, row: Row) -> bool:
        """Add one line; False if the table has it."""
        mac = mac_of(self._secrets, scope.scope_id, row.local_id)
        code = subjects.code_of(db, scope.scope_id, mac)
        if code == row.code:
            return False
        if code is not None:
            raise ListInvalid(f"Line {row.line}: this patient id has another subject code already.")
        if subjects.has_code(db, scope.scope_id, row.code):
            raise ListInvalid(f"Line {row.line}: this subject code stands for another patient id already.")
        number = number_of(db, scope, row.code)
        at_ms = to_ms(self._clock())
        subject = new_subject(
            self._secrets, scope.scope_id, row.local_id, code=row.code, number=number, at_ms=at_ms
        )
        subjects.add(db, scope.scope_id, subject)
        return True

    def _link(self, scope_id: int, row: subjects.StoredLink) -> Link:
        local_id = local_id_of(self._secrets, scope_id, row.code, row.sealed_local_id)
        return Link(row.code, local_id, from_ms(row.created_ms))


def _scope(db: sqlite3.Connection, scope_id: int) -> Scope:
    found = next((scope for scope in subjects.scopes(db) if scope.scope_id == scope_id), None)
    if found is None:
        raise ListInvalid("There is no such project here.")
    return found


def number_of(db: sqlite3.Connection, scope: Scope, code: str) -> int:
    """The number in a code of this gateway's own form, so that none is given twice; else one below zero."""
    own = re.fullmatch(rf"{re.escape(scope.site_code)}-([0-9]{{3,9}})", code)
    if own is not None and code == f"{scope.site_code}-{int(own[1]):03d}" and int(own[1]):
        return int(own[1])
    return subjects.next_foreign_number(db, scope.scope_id)
