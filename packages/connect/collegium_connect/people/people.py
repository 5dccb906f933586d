"""Accounts of the local page: made at the console or by an administrator, locked after failures."""

import hashlib
import secrets
import threading
import unicodedata
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from collegium_connect.actor import PEOPLE, Actor, Role, require_role
from collegium_connect.clock import Clock, from_ms, to_ms
from collegium_connect.journal import people as stored
from collegium_connect.journal.database import Journal
from collegium_connect.log import EventLog
from collegium_connect.people.errors import NameTaken, PeopleError, PersonUnknown, SignInLocked, SignInRefused
from collegium_connect.people.passwords import STRONG, Cost, digest_of, matches
from collegium_connect.trail import Trail

log = EventLog("people")

_FAILURES: Final = 5
_LOCK_MS: Final = 15 * 60 * 1000
_MOST_CHARACTERS: Final = 64
_MAKERS: Final = (Role.ADMINISTRATOR, Role.CONSOLE)


@dataclass(frozen=True)
class Person:
    """A named local user."""

    person_id: str
    name: str
    role: Role
    is_active: bool
    locked_until: datetime | None
    last_seen_at: datetime | None
    stamp: str = field(repr=False)
    """Another with each password: a session of an earlier one is over."""

    @property
    def actor(self) -> Actor:
        return Actor(self.name, self.role)


class People:
    """The local users of one gateway. Safe between threads."""

    def __init__(self, journal: Journal, trail: Trail, clock: Clock, cost: Cost = STRONG) -> None:
        self._journal, self._trail, self._clock, self._cost = journal, trail, clock, cost
        # One password at a time: each takes 32 MB, and guessing must not cost more than that.
        self._lock = threading.Lock()
        self._nobody = ""

    def add(self, actor: Actor, name: str, role: Role, password: str) -> Person:
        """Make an account.

        Raises:
            NotAllowed, NameTaken, PasswordWeak; PeopleError: the name or the role cannot be used.
        """
        require_role(actor, *_MAKERS)
        name = _clean_name(name)
        if role not in PEOPLE:
            raise PeopleError("A person is an operator or an administrator.")
        digest, person_id = digest_of(name, password, self._cost), str(uuid.uuid4())
        with self._journal.change() as db:
            if stored.by_key(db, _key(name)) is not None:
                raise NameTaken
            row = stored.NewPerson(
                person_id=person_id, name=name, name_key=_key(name), role=role, password=digest,
                created_ms=to_ms(self._clock()),
            )  # fmt: skip
            stored.add(db, row)
            self._trail.note(db, actor, "people.person.added", ref=person_id)
        return self._person(name)

    def check(self, name: str, password: str) -> Person:
        """Who signs in with this name and password.

        Raises:
            SignInRefused: no such name, not active, or another password: which, is not said.
            SignInLocked: too many failures.
        """
        now_ms = to_ms(self._clock())
        with self._lock:
            with self._journal.look() as db:
                row = stored.by_key(db, _key(name))
            if row is not None and row.locked_until_ms > now_ms:
                raise SignInLocked
            is_right = matches(row.password if row else self._nobodys(), password)
            if row is None or not row.is_active:
                log.warning("sign_in.refused")
                raise SignInRefused
            if not is_right:
                self._failed(row, now_ms)
                raise SignInRefused
            with self._journal.change() as db:
                stored.save_success(db, row.person_id, now_ms)
                self._trail.note(db, _person(row).actor, "people.person.signed_in", ref=row.person_id)
        return _person(row)

    def find(self, person_id: str) -> Person | None:
        """The person of a session, unless the account is closed.

        A lock keeps from signing in only: else whoever knows a name could throw its person out.
        """
        with self._journal.look() as db:
            row = stored.by_id(db, person_id)
        return _person(row) if row is not None and row.is_active else None

    def listed(self) -> tuple[Person, ...]:
        """Everybody, by name."""
        with self._journal.look() as db:
            return tuple(_person(row) for row in stored.everybody(db))

    def set_password(self, actor: Actor, name: str, password: str) -> None:
        """Give a new password, and unlock; a person may do it for themselves. Their sessions are over.

        Raises:
            NotAllowed, PersonUnknown, PasswordWeak.
        """
        if _key(actor.name) != _key(name):
            require_role(actor, *_MAKERS)
        person, digest = self._person(name), digest_of(name, password, self._cost)
        with self._journal.change() as db:
            stored.save_password(db, person.person_id, digest)
            self._trail.note(db, actor, "people.password.changed", ref=person.person_id)

    def unlock(self, actor: Actor, name: str) -> None:
        """Forget failed attempts. Raises NotAllowed, PersonUnknown."""
        require_role(actor, *_MAKERS)
        person = self._person(name)
        with self._journal.change() as db:
            stored.save_failures(db, person.person_id, 0, 0)
            self._trail.note(db, actor, "people.person.unlocked", ref=person.person_id)

    def close(self, actor: Actor, name: str) -> None:
        """End an account and its sessions; its entries in the trail keep its name. Raises NotAllowed, PersonUnknown."""
        require_role(actor, *_MAKERS)
        person = self._person(name)
        with self._journal.change() as db:
            stored.save_active(db, person.person_id, is_active=False)
            self._trail.note(db, actor, "people.person.closed", ref=person.person_id)

    def _failed(self, row: stored.StoredPerson, now_ms: int) -> None:
        failures = row.failures + 1
        is_locked = failures >= _FAILURES
        with self._journal.change() as db:
            stored.save_failures(
                db, row.person_id, 0 if is_locked else failures, now_ms + _LOCK_MS if is_locked else 0
            )
            action = "people.person.locked" if is_locked else "people.sign_in.failed"
            self._trail.note(db, _person(row).actor, action, ref=row.person_id)
        log.warning("sign_in.locked" if is_locked else "sign_in.refused", person=row.person_id)

    def _nobodys(self) -> str:
        """A digest to try for names that nobody has, so that the time taken does not tell them apart."""
        self._nobody = self._nobody or digest_of("", secrets.token_hex(), self._cost)
        return self._nobody

    def _person(self, name: str) -> Person:
        with self._journal.look() as db:
            row = stored.by_key(db, _key(name))
        if row is None:
            raise PersonUnknown
        return _person(row)


def _person(row: stored.StoredPerson) -> Person:
    return Person(
        person_id=row.person_id,
        name=row.name,
        role=Role(row.role),
        is_active=row.is_active,
        locked_until=from_ms(row.locked_until_ms) if row.locked_until_ms else None,
        last_seen_at=from_ms(row.last_seen_ms) if row.last_seen_ms else None,
        stamp=hashlib.sha256(b"collegium session 1" + row.password.encode()).hexdigest(),
    )


def _clean_name(name: str) -> str:
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    if not name or len(name) > _MOST_CHARACTERS or not name.isprintable():
        raise PeopleError("A name has 1 to 64 printable characters.")
    if _key(name) in {"console", "gateway"}:
        raise NameTaken
    return name


def _key(name: str) -> str:
    """What makes two names the same person's."""
    return unicodedata.normalize("NFKC", " ".join(name.split())).casefold()
