"""Become known to a server: a one-time code for a token and channels."""

from collegium_connect import SOFTWARE
from collegium_connect.clock import now, to_ms
from collegium_connect.configuration import receive
from collegium_connect.errors import AlreadyEnrolled
from collegium_connect.journal import channels
from collegium_connect.journal.channels import Enrolment
from collegium_connect.journal.database import Journal
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.send.client import ServerClient
from collegium_connect.settings import Settings
from collegium_connect.trail import Trail
from collegium_wire import PROTOCOL, EnrolmentRequest


def enrol(settings: Settings, journal: Journal, url: str, code: str, *, replace: bool = False) -> int:
    """Spend the code at the server and keep what it gives; the number of channels.

    Raises:
        AlreadyEnrolled: and `replace` was not asked for.
        AttemptFailed: the server could not be reached or refused the code.
        SettingsInvalid: the URL is not https.
    """
    with journal.look() as db:
        if channels.enrolment(db) is not None and not replace:
            raise AlreadyEnrolled
    client = ServerClient(settings.server, url)
    try:
        answer = client.enrol(
            EnrolmentRequest(
                protocol=PROTOCOL, code=code, gateway_name=settings.gateway.name, software=SOFTWARE
            )
        )
    finally:
        client.close()
    secrets = load_secrets(KeyFolder(settings.gateway.data_dir / "keys"))
    at_ms, trail = to_ms(now()), Trail(journal, secrets, now)
    with journal.change() as db:
        channels.save_enrolment(db, Enrolment(answer.gateway_id, answer.token, url), at_ms)
        receive(db, trail, answer.channels, at_ms)
    return len(answer.channels)
