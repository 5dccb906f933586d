"""Ask everything once, in the order in which a person would mend it."""

from collegium_connect import machine
from collegium_connect.doctor import door, hardware, network
from collegium_connect.doctor.findings import Finding, judge
from collegium_connect.journal import channels
from collegium_connect.journal.channels import Enrolment
from collegium_connect.journal.database import Journal
from collegium_connect.send.client import ServerClient
from collegium_connect.settings import Settings
from collegium_wire import ChannelSetup


def examine(settings: Settings, journal: Journal) -> tuple[Finding, ...]:
    """All findings; takes some seconds, most of them for the line."""
    with journal.look() as db:
        enrolment = channels.enrolment(db)
    open_setups = open_channels(journal)
    client = _client(settings, enrolment)
    try:
        return (
            hardware.processors(),
            hardware.memory(),
            hardware.disk(settings),
            hardware.spool_fits(settings),
            hardware.sync_time(settings),
            network.line(client),
            network.certificate(settings),
            network.clock(client),
            _enrolled(enrolment),
            _channels(len(open_setups)),
            _keys(settings),
            network.callers(settings),
            network.dicom_port(settings),
            door.echo(settings, open_setups[0].called_ae if open_setups else ""),
            network.own_certificate(settings),
        )
    finally:
        if client is not None:
            client.close()


def open_channels(journal: Journal) -> tuple[ChannelSetup, ...]:
    """What a PACS can send to now."""
    with journal.look() as db:
        return tuple(item.setup for item in channels.channels(db) if item.is_active)


def _client(settings: Settings, enrolment: Enrolment | None) -> ServerClient | None:
    if enrolment is None:
        return None
    return ServerClient(settings.server, settings.server.url, enrolment.token)


def _enrolled(enrolment: Enrolment | None) -> Finding:
    return judge(
        "Enrolment",
        is_good=enrolment is not None,
        found="enrolled" if enrolment else "not enrolled",
        needed="enrolled",
        advice="Ask the project for a code and run: collegium-connect enrol.",
    )


def _channels(count: int) -> Finding:
    return judge(
        "Channels",
        is_good=count > 0,
        found=f"{count} open",
        needed="at least one",
        advice="Ask whoever runs the server to give this gateway a channel.",
    )


def _keys(settings: Settings) -> Finding:
    folder = settings.gateway.data_dir / "keys"
    paths = [folder, *folder.glob("*.key")] if folder.is_dir() else []
    return judge(
        "Keys",
        is_good=bool(paths) and all(map(machine.HERE.is_private, paths)),
        found=f"{max(0, len(paths) - 1)} keys" if paths else "no keys yet",
        needed="readable by the gateway's account only, and backed up",
        advice="Start the gateway once, or take the others' right to read the folder of keys.",
    )
