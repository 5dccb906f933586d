"""Become known to a server: a one-time code for the right to speak, and channels.

The gateway makes its token itself and keeps it in the journal before it asks. So an answer that is lost
or cannot be read costs no code: the same command asks with the same code and token again.
"""

import hashlib
import sqlite3
from dataclasses import dataclass
from secrets import token_hex

from collegium_connect import SOFTWARE
from collegium_connect.clock import now, to_ms
from collegium_connect.configuration import receive
from collegium_connect.errors import AlreadyEnrolled
from collegium_connect.journal import channels, overview, subjects
from collegium_connect.journal.channels import Enrolment, StoredChannel
from collegium_connect.journal.database import Journal
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.send.client import ServerClient
from collegium_connect.settings import Settings
from collegium_connect.trail import Trail
from collegium_wire import PROTOCOL, EnrolmentAnswer, EnrolmentRequest


@dataclass(frozen=True)
class Withdrawn:
    """A channel that the server does not name any more, and how many objects it still holds."""

    name: str
    objects: int


@dataclass(frozen=True)
class Enrolled:
    """What an enrolment made of this gateway. Nothing that was here before is ever taken away."""

    channels: int
    is_anew: bool
    kept: tuple[str, ...]
    """Projects and sites that go on with the key and the subject codes they had."""
    new: tuple[str, ...]
    """Those that begin with a key and a numbering of their own."""
    withdrawn: tuple[Withdrawn, ...]


def enrol(settings: Settings, journal: Journal, url: str, code: str, *, replace: bool = False) -> Enrolled:
    """Spend the code at the server and keep what it gives.

    Whatever is raised, it may be called again with the same code as long as that lives.

    Raises:
        AlreadyEnrolled: and `replace` was not asked for.
        AttemptFailed: the server could not be reached or refused the code.
        SettingsInvalid: the URL is not https.
    """
    with journal.change() as db:
        if channels.enrolment(db) is not None and not replace:
            raise AlreadyEnrolled
        token = channels.token_for(db, hashlib.sha256(code.encode()).hexdigest(), token_hex(32))
    answer = _ask(settings, url, code, token)
    secrets = load_secrets(KeyFolder(settings.gateway.data_dir / "keys"))
    with journal.change() as db:
        return _keep(db, Trail(journal, secrets, now), answer, url)


def _ask(settings: Settings, url: str, code: str, token: str) -> EnrolmentAnswer:
    client = ServerClient(settings.server, url)
    try:
        return client.enrol(
            EnrolmentRequest(
                protocol=PROTOCOL,
                code=code,
                gateway_name=settings.gateway.name,
                software=SOFTWARE,
                token=token,
            )
        )
    finally:
        client.close()


def _keep(db: sqlite3.Connection, trail: Trail, answer: EnrolmentAnswer, url: str) -> Enrolled:
    is_anew, before, at_ms = channels.enrolment(db) is not None, _active(db), to_ms(now())
    known = {scope.scope_id for scope in subjects.scopes(db)}
    channels.save_enrolment(db, Enrolment(answer.gateway_id, answer.token, url), at_ms)
    receive(db, trail, answer.channels, at_ms)
    after = _active(db)
    served = {item.scope_id for item in after.values()}
    named = {
        scope.scope_id: f"{scope.project_name} ({scope.site_code})"
        for scope in subjects.scopes(db)
        if scope.scope_id in served
    }
    return Enrolled(
        channels=len(after),
        is_anew=is_anew,
        kept=tuple(name for scope_id, name in named.items() if scope_id in known),
        new=tuple(name for scope_id, name in named.items() if scope_id not in known),
        withdrawn=tuple(
            Withdrawn(before[channel_id].setup.name, overview.channel_counts(db, channel_id).held_objects)
            for channel_id in sorted(before.keys() - after.keys())
        ),
    )


def _active(db: sqlite3.Connection) -> dict[str, StoredChannel]:
    return {item.setup.channel_id: item for item in channels.channels(db) if item.is_active}
