"""Start the gateway's parts in order, keep them going, stop them within seconds.

One process a data folder. Stopping loses nothing: what was acknowledged is on disk, what was not is
still the sender's, and an upload that was cut is made again.
"""

import json
import os
import shutil
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Protocol

from collegium_connect import SOFTWARE, machine
from collegium_connect.alarms import Alarms
from collegium_connect.assemble import Assembler
from collegium_connect.channels import Channels
from collegium_connect.clock import Clock, now
from collegium_connect.configuration import Configuration
from collegium_connect.doctor import as_html, examine
from collegium_connect.errors import AlreadyRunning, NotEnrolled
from collegium_connect.folders import copies_path, journal_path, running_path
from collegium_connect.hands import Desk, Owned
from collegium_connect.heartbeat import Pulse
from collegium_connect.inspection import Inspector, Progress
from collegium_connect.intake import Intake
from collegium_connect.journal import channels as stored
from collegium_connect.journal.backups import LOOK_S, Backups
from collegium_connect.journal.channels import Enrolment
from collegium_connect.journal.database import Journal
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.ledger import JournalLedger
from collegium_connect.links import LinkList, LinkTable
from collegium_connect.local_ui import LocalPage, Parts
from collegium_connect.local_ui.status import GatewayStatus, gateway_status
from collegium_connect.log import EventLog
from collegium_connect.loops import Loop
from collegium_connect.metrics import Room, metrics
from collegium_connect.people import People
from collegium_connect.place import require_same_place
from collegium_connect.pull import PULL_S, Puller, Requests
from collegium_connect.quarantine import AsideGroups, Eraser, Quarantine, TwoPatients, UnmetExams, Viewer
from collegium_connect.receive import Admission, Commitments, Door
from collegium_connect.recover import SCRUB_S, Scrub, recover
from collegium_connect.retention import RETENTION_S, Retention
from collegium_connect.send import Sender, ServerClient
from collegium_connect.settings import Settings
from collegium_connect.spool import Stores
from collegium_connect.times import TIMES_S, Times
from collegium_connect.trail import Trail
from collegium_connect.updates import Lease, LeasedGate, LeaseFolder
from collegium_connect.updates.before import JournalBeforeUpdate
from collegium_connect.updates.history import note_version
from collegium_connect.updates.pins import ServerPin, in_words
from collegium_connect.updates.version import Version
from collegium_connect.watch import WATCH_S, Watch

log = EventLog("service")

_TICK_S: Final = 0.25
_STOP_S: Final = 3.0
_HELD_S: Final = 2.0


def lease_folder(settings: Settings) -> LeaseFolder:
    """Where the updater and the running gateway speak to each other."""
    return LeaseFolder(settings.gateway.data_dir / "lease")


class Part(Protocol):
    """Something that runs while the gateway runs."""

    def start(self) -> None: ...
    def stop(self, timeout_s: float) -> None: ...


class Gateway:
    """All parts of one gateway. `start`, then `stop`; or `run` until a signal."""

    def __init__(self, settings: Settings, clock: Clock = now) -> None:
        self._settings, self._clock = settings, clock
        self._stopping = threading.Event()
        self._stopped = False
        self._lock = _FolderLock(settings.gateway.data_dir)
        with ExitStack() as undo:
            undo.callback(self._lock.release)
            self._open(undo)
            self._make_way_in()
            self._make_way_out()
            self._make_room_for_people()
            self._lease = Lease(self._lease_folder, self._is_idle)
            self._loops = self._make_loops()
            self._parts: list[Part] = [
                self._page,
                self._sender,
                self._inspector,
                *self._loops,
                self._door,
            ]  # started so, stopped from the last
            undo.pop_all()

    def _open(self, undo: ExitStack) -> None:
        """What is kept, as it was left or mended: journal, spool, keys, links, trail."""
        settings, clock, folder = self._settings, self._clock, self._settings.gateway.data_dir
        require_same_place(folder)
        self._journal_before_update = JournalBeforeUpdate(journal_path(settings))
        self._journal_before_update.keep_or_bring_back()
        self._journal = Journal(journal_path(settings))
        undo.callback(self._journal.close)
        enrolment, keys = self._enrolment(), KeyFolder(folder / "keys")
        self._secrets = load_secrets(keys)
        self._stores = Stores.below(folder, settings.limits, self._secrets.sealing)
        Eraser(self._journal, self._stores).clear()
        recover(self._journal, self._stores)
        self._channels = Channels(self._journal, keys)
        self._client = ServerClient(settings.server, settings.server.url, enrolment.token)
        self._links = LinkTable(self._journal, self._secrets, clock)
        self._trail = Trail(self._journal, self._secrets, clock)
        self._lease_folder = lease_folder(settings)
        self._lease_folder.make()

    def _make_way_in(self) -> None:
        """The door and those behind it, and what asks a PACS to come."""
        settings, clock, secrets, stores = self._settings, self._clock, self._secrets, self._stores
        ledger, callers = JournalLedger(self._journal, stores), settings.receive.allowed_callers
        intake = Intake(ledger, stores, self._links, secrets, clock)
        self._commitments = Commitments(self._journal, self._channels, callers, secrets.sealing, clock)
        gate = LeasedGate(Admission(callers, self._channels, intake), self._is_leased)
        self._door = Door(settings.receive, settings.limits, gate, intake, self._commitments)
        if settings.receive.processes > 1:
            owned = Owned(
                ledger,
                journal_path(settings),
                stores,
                self._links,
                self._channels,
                self._commitments,
                secrets,
            )
            self._door.let_help(lambda crowd: Desk(settings, owned, gate, crowd))
        requests = Requests(self._journal, secrets, self._trail, clock)
        self._puller = Puller(settings.pull.sources, self._journal, self._channels, requests, clock)

    def _make_way_out(self) -> None:
        """From the spool to the server, and what both say of themselves to each other."""
        settings, clock, trail, stores = self._settings, self._clock, self._trail, self._stores
        self._inspector = Inspector(
            settings, self._journal, stores, self._channels, self._links, self._secrets.sealing
        )
        self._assembler = Assembler(self._journal, self._channels, clock)
        self._sender = Sender(
            self._journal, stores, self._client, self._channels,
            trail=trail, clock=clock, stopping=self._stopping,
        )  # fmt: skip
        self._configuration = Configuration(self._journal, self._channels, trail, clock)
        self._watch = Watch(
            self._journal, self._channels, stores, self._sender, self._client,
            folder=settings.gateway.data_dir, clock=clock, certificate=self._door.certificate,
        )  # fmt: skip
        self._pulse = Pulse(
            self._journal, self._channels, self._configuration, self._client, self._watch,
            pin=ServerPin(self._lease_folder, self._journal, trail).take,
        )  # fmt: skip
        self._retention = Retention(self._journal, trail, clock, settings.limits.journal_days)

    def _make_room_for_people(self) -> None:
        """What waits for a decision, and the page where it is taken."""
        settings, clock, trail = self._settings, self._clock, self._trail
        self._viewer = Viewer(is_apart=settings.inspect.processes != 0)
        self.quarantine = Quarantine(
            self._journal, self._stores, self._channels, links=self._links, trail=trail, clock=clock,
            viewer=self._viewer,
        )  # fmt: skip
        self.groups = AsideGroups(self._journal, self._channels, trail, self.quarantine.forget)
        self.two_patients = TwoPatients(self._journal, self._secrets, self._channels, trail, clock)
        self.unmet = UnmetExams(self._journal, trail, clock)
        self.shown = self._parts_shown()
        self._page = LocalPage(settings.local, self.shown)

    def _parts_shown(self) -> Parts:
        """What the local page shows and works on."""
        return Parts(
            name=self._settings.gateway.name,
            clock=self._clock,
            status=self.status,
            metrics=self.metrics,
            people=People(self._journal, self._trail, self._clock),
            links=LinkList(self._journal, self._secrets, self._trail, self._clock),
            trail=self._trail,
            quarantine=self.quarantine,
            groups=self.groups,
            two_patients=self.two_patients,
            unmet=self.unmet,
            viewer=self._viewer,
            channels=self._channels,
            configuration=self._configuration,
            pins=lambda: in_words(self._settings.updates.pin, self._lease_folder),
            sender=self._sender,
            examine=lambda: examine(self._settings, self._journal),
            report=lambda findings: as_html(self._settings, findings, self._clock()),
        )

    def _enrolment(self) -> Enrolment:
        with self._journal.look() as db:
            enrolment = stored.enrolment(db)
        if enrolment is None:
            raise NotEnrolled
        return enrolment

    @property
    def sender(self) -> Sender:
        return self._sender

    @property
    def configuration(self) -> Configuration:
        return self._configuration

    @property
    def alarms(self) -> Alarms:
        return self._watch.alarms

    @property
    def receive_port(self) -> int:
        return self._door.port

    @property
    def local_port(self) -> int:
        return self._page.port

    def start(self) -> None:
        for part in self._parts:
            part.start()
        self._announce()
        self._journal_before_update.forget()
        log.info("gateway.started", software=SOFTWARE, channels=len(self._channels.active))

    def stop(self) -> None:
        """End all parts and close everything; a second call does nothing."""
        if self._stopped:
            return
        self._stopped = True
        self._stopping.set()
        self._inspector.ask_to_stop()
        for loop in self._loops:
            loop.ask_to_stop()
        for part in reversed(self._parts):
            part.stop(_STOP_S)
        self._client.close()
        self._journal.close()
        self._stores.segments.close()
        self._lease_folder.say_stopped()
        running_path(self._settings).unlink(missing_ok=True)
        self._lock.release()
        log.info("gateway.stopped")

    def run(self) -> None:
        """Serve until somebody asks to stop (SIGTERM, Ctrl-C, the service manager). Call from the main thread."""
        asked: list[bool] = []
        # Only note it: a second signal may come inside the first, and an Event's lock would wait for itself.
        machine.HERE.on_stop(lambda: asked.append(True))
        self.start()
        while not asked and not self._stopping.is_set() and not self._lease.look():
            time.sleep(_TICK_S)
        self.stop()

    def status(self) -> GatewayStatus:
        return gateway_status(
            self._journal,
            name=self._settings.gateway.name,
            software=SOFTWARE,
            at=self._clock(),
            problem=self._pulse.problem,
            problem_since=self._pulse.problem_since,
            idle={item.setup.channel_id: item.reason for item in self._channels.idle},
            alarms=self._watch.alarms.standing,
            rates_mbps=(self._watch.received.mbps, self._watch.sent.mbps),
            received_mbps=self._watch.received_mbps,
        )

    def metrics(self) -> str:
        limits, folder = self._settings.limits, self._settings.gateway.data_dir
        room = Room(
            used_bytes=self._stores.segments.used_bytes,
            limit_bytes=limits.spool_bytes,
            free_bytes=shutil.disk_usage(folder).free,
        )
        return metrics(self.status(), self._journal, room)

    def inspection(self) -> Progress:
        return self._inspector.progress()

    def _make_loops(self) -> list[Loop]:
        """What is run again and again, each in a thread; true from its work means: at once again."""
        return [
            Loop("assemble", self._assemble, _tick),
            Loop("erase", Eraser(self._journal, self._stores).run_once, _tick),
            Loop("held", self._links.resume_held, lambda: _HELD_S),
            Loop("backup", Backups(self._journal, copies_path(self._settings)).run_once, lambda: LOOK_S),
            Loop("commitment", self._commitments.run_once, lambda: 2.0),
            Loop("times", Times(self._journal, self._clock).run_once, lambda: TIMES_S),
            Loop("retention", self._retention.run_once, lambda: RETENTION_S),
            Loop("scrub", Scrub(self._journal, self._stores).run_once, lambda: SCRUB_S),
            Loop("pull", self._puller.run_once, lambda: PULL_S),
            Loop("watch", self._watch.run_once, lambda: WATCH_S),
            Loop("heartbeat", self._pulse.run_once, lambda: self._settings.server.heartbeat_s),
        ]

    def _assemble(self) -> int:
        queued = self._assembler.run_once()
        if queued:
            self._sender.ring()
        return queued

    def _announce(self) -> None:
        content = {"pid": os.getpid(), "receive_port": self.receive_port, "local_port": self.local_port}
        path = running_path(self._settings)
        partial = path.with_suffix(".part")
        partial.write_text(json.dumps(content), "utf-8")
        machine.HERE.replace(partial, path)
        self._lease_folder.say_running(str(Version.here()))
        note_version(self._settings.gateway.data_dir, str(Version.here()))
        machine.HERE.tell_ready()

    def _is_leased(self) -> bool:
        return self._lease.is_granted

    def _is_idle(self) -> bool:
        return not self._door.associations and not self._sender.is_busy


class _FolderLock:
    """Keeps a second process out of a data folder; the system frees it when the process ends, however it does."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._handle = machine.HERE.lock(folder / "lock")
        except BlockingIOError as error:
            raise AlreadyRunning from error

    def release(self) -> None:
        os.close(self._handle)


def _tick() -> float:
    return _TICK_S
