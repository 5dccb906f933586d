"""Updates: signed, staged, tested, installed in an idle moment, taken back when they do not come up."""

import functools
import io
import os
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collegium_connect.clock import now
from collegium_connect.journal.database import Journal
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.settings import GatewaySettings, ServerSettings, Settings, UpdateSettings
from collegium_connect.trail import Trail
from collegium_connect.updates.errors import ReleaseUnusable, RepositoryUnusable, UpdatesOff
from collegium_connect.updates.lease import Lease, LeaseFolder
from collegium_connect.updates.pins import Pins, ServerPin, in_words
from collegium_connect.updates.program import Program
from collegium_connect.updates.repository import Repository
from collegium_connect.updates.updater import Outcome, Update
from collegium_connect.updates.version import Version
from collegium_testkit import releases
from collegium_testkit.releases import ReleaseFolder, make_signers, served_releases

SYSTEM = "linux-x86_64"
OLD, NEW, NEWER = Version(0, 1, 0), Version(0, 2, 0), Version(0, 3, 0)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[ReleaseFolder, str]]:
    """An empty repository of releases and its address."""
    with served_releases(tmp_path / "repository") as there:
        yield there


@pytest.fixture
def settings(tmp_path: Path, served: tuple[ReleaseFolder, str]) -> Settings:
    repository, url = served
    (tmp_path / "root.json").write_bytes(repository.first_root.read_bytes())
    return Settings(
        gateway=GatewaySettings(name="Larkspur General", data_dir=tmp_path / "data"),
        server=ServerSettings(url="https://collegium.example.org"),
        updates=UpdateSettings(
            url=url,
            root_file=tmp_path / "root.json",
            program_dir=tmp_path / "program",
            state_dir=tmp_path / "state",
            lease_wait_s=5.0,
            start_wait_s=5.0,
        ),
    )


def archive(folder: Path, version: Version, script: str = 'test "$5" = {version}') -> Path:
    """A release whose program is a shell script; arguments: self-test --config FILE --expect VERSION."""
    path = folder / f"{version}.tar.gz"
    content = f"#!/bin/sh\n{script.format(version=version)}\n".encode()
    with tarfile.open(path, "w:gz") as packed:
        entry = tarfile.TarInfo("collegium-connect")
        entry.size, entry.mode = len(content), 0o755
        packed.addfile(entry, io.BytesIO(content))
    return path


@pytest.fixture
def program(settings: Settings, tmp_path: Path) -> Program:
    """The old version, installed."""
    program = Program(settings.updates.program_dir)
    program.stage(OLD, archive(tmp_path, OLD))
    program.switch(OLD)
    return program


class PretendedGateway:
    """Takes a turn whenever the updater waits: looks at its lease, stops, comes up as the current version."""

    def __init__(self, folder: Path, program: Program) -> None:
        folder.mkdir()
        self.files, self.program = LeaseFolder(folder), program
        self.is_idle, self.broken = True, set[Version]()
        self.granted_while_busy = False
        self.lease = Lease(self.files, lambda: self.is_idle)
        self.starts = 0
        self.start()

    def start(self) -> None:
        self.starts += 1
        if self.program.current() not in self.broken:
            self.lease = Lease(self.files, lambda: self.is_idle)
            self.files.say_running(str(self.program.current()))

    def turn(self, _pause_s: float) -> None:
        if not self.files.running():
            self.start()  # the service manager tries again
            return
        if self.lease.look():
            self.files.say_stopped()
            self.start()
        self.granted_while_busy |= self.files.is_granted() and not self.is_idle


@pytest.fixture
def gateway(tmp_path: Path, program: Program) -> PretendedGateway:
    return PretendedGateway(tmp_path / "lease", program)


def update(settings: Settings, gateway: PretendedGateway) -> Update:
    return Update(
        settings,
        Path("connect.toml"),
        lambda: Repository(settings.updates, settings.server, SYSTEM),
        gateway.files,
        gateway.turn,
    )


def released(
    settings: Settings, served: tuple[ReleaseFolder, str], tmp_path: Path, version: Version, **more: str
) -> None:
    assert settings.updates.url
    served[0].add(archive(tmp_path, version, **more), str(version), SYSTEM)


@pytest.fixture
def release(settings: Settings, served: tuple[ReleaseFolder, str], tmp_path: Path) -> Callable[..., None]:
    return functools.partial(released, settings, served, tmp_path)


@pytest.mark.requirement("C23", "C28")
def test_a_new_release_installs_itself(
    settings: Settings, gateway: PretendedGateway, program: Program, release: Callable[..., None]
) -> None:
    release(NEW)

    outcome = update(settings, gateway).run()

    assert outcome is Outcome.INSTALLED
    assert program.current() == NEW
    assert gateway.files.running() == str(NEW)
    assert not gateway.files.is_granted()


def test_without_a_newer_release_nothing_happens(
    settings: Settings, gateway: PretendedGateway, release: Callable[..., None]
) -> None:
    before = update(settings, gateway).run()
    release(OLD)

    after = update(settings, gateway).run()

    assert (before, after) == (Outcome.CURRENT, Outcome.CURRENT)
    assert gateway.starts == 1


@pytest.mark.requirement("C23")
def test_a_busy_gateway_is_not_touched(
    settings: Settings, gateway: PretendedGateway, program: Program, release: Callable[..., None]
) -> None:
    release(NEW)
    gateway.is_idle = False

    outcome = update(settings, gateway).run()
    gateway.turn(0)

    assert outcome is Outcome.NO_MOMENT
    assert program.current() == OLD
    assert not gateway.granted_while_busy
    assert not gateway.lease.is_granted


def test_what_was_staged_is_installed_at_the_next_try(
    settings: Settings, gateway: PretendedGateway, program: Program, release: Callable[..., None]
) -> None:
    release(NEW)
    gateway.is_idle = False
    update(settings, gateway).run()
    gateway.is_idle = True

    outcome = update(settings, gateway).run()

    assert outcome is Outcome.INSTALLED
    assert program.current() == NEW


@pytest.mark.requirement("C23")
def test_a_version_that_does_not_come_up_is_taken_back_and_not_tried_again(
    settings: Settings, gateway: PretendedGateway, program: Program, release: Callable[..., None]
) -> None:
    release(NEW)
    gateway.broken.add(NEW)

    outcome = update(settings, gateway).run()
    gateway.turn(0)
    again = update(settings, gateway).run()

    assert (outcome, again) == (Outcome.ROLLED_BACK, Outcome.FAILED_BEFORE)
    assert program.current() == OLD
    assert gateway.files.running() == str(OLD)


def test_a_version_that_fails_its_self_test_never_runs(
    settings: Settings, gateway: PretendedGateway, program: Program, release: Callable[..., None]
) -> None:
    release(NEW, script="exit 1")

    with pytest.raises(ReleaseUnusable):
        update(settings, gateway).run()

    assert program.current() == OLD
    assert program.installed() == [OLD]
    assert update(settings, gateway).run() is Outcome.FAILED_BEFORE


@pytest.mark.requirement("C23")
def test_a_pinned_version_stays(
    settings: Settings, gateway: PretendedGateway, program: Program, release: Callable[..., None]
) -> None:
    release(OLD)
    release(NEW)
    pinned = replace(settings, updates=replace(settings.updates, pin=str(OLD)))

    outcome = update(pinned, gateway).run()

    assert outcome is Outcome.CURRENT
    assert program.current() == OLD


def test_a_pin_goes_back_to_an_older_release(
    settings: Settings, gateway: PretendedGateway, program: Program, release: Callable[..., None]
) -> None:
    release(OLD)
    release(NEW)
    update(settings, gateway).run()
    pinned = replace(settings, updates=replace(settings.updates, pin=str(OLD)))

    outcome = update(pinned, gateway).run()

    assert outcome is Outcome.INSTALLED
    assert program.current() == OLD


@pytest.mark.requirement("C23")
def test_a_version_that_the_server_pins_is_installed_and_nothing_newer(
    settings: Settings, gateway: PretendedGateway, program: Program, release: Callable[..., None]
) -> None:
    release(NEW)
    release(NEWER)
    gateway.files.say_pinned(str(NEW))

    outcomes = [update(settings, gateway).run() for _ in range(2)]

    assert outcomes == [Outcome.INSTALLED, Outcome.CURRENT]
    assert program.current() == NEW


def test_the_server_cannot_take_a_gateway_back_to_an_older_version(
    settings: Settings, gateway: PretendedGateway, program: Program, release: Callable[..., None]
) -> None:
    release(OLD)
    release(NEW)
    update(settings, gateway).run()
    gateway.files.say_pinned(str(OLD))

    assert update(settings, gateway).run() is Outcome.CURRENT
    assert program.current() == NEW


def test_while_site_and_server_pin_different_versions_nothing_is_installed(
    settings: Settings, gateway: PretendedGateway, program: Program, release: Callable[..., None]
) -> None:
    release(NEW)
    release(NEWER)
    gateway.files.say_pinned(str(NEW))
    pinned = replace(settings, updates=replace(settings.updates, pin=str(NEWER)))

    assert update(pinned, gateway).run() is Outcome.CURRENT
    assert program.current() == OLD


def test_a_pin_that_cannot_be_read_is_no_leave_to_install(
    settings: Settings, gateway: PretendedGateway, program: Program, release: Callable[..., None]
) -> None:
    release(NEW)
    gateway.files.say_pinned("whatever")

    with pytest.raises(ReleaseUnusable):
        update(settings, gateway).run()

    assert program.current() == OLD


def test_a_pin_that_cannot_be_read_is_told_and_written_anew(tmp_path: Path) -> None:
    files = LeaseFolder(tmp_path / "shared")
    files.make()
    files.say_pinned("whatever")
    journal = Journal(tmp_path / "journal.sqlite3")
    trail = Trail(journal, load_secrets(KeyFolder(tmp_path / "keys")), now)

    told = in_words("", files)
    ServerPin(files, journal, trail).take("1.3.0")

    journal.close()
    assert told == "What the server pins cannot be read. Nothing is installed until it can."
    assert files.pinned() == "1.3.0"


@pytest.mark.parametrize(
    ("site", "server", "words"),
    [
        ("", "", "No version is pinned: the newest signed one is installed."),
        ("1.2.0", "", "The site pins version 1.2.0."),
        ("1.2.0", "1.2.0", "The site pins version 1.2.0, and so does the server."),
        ("", "1.3.0", "The server pins version 1.3.0; nothing else is installed."),
        (
            "",
            "1.1.0",
            (
                "The server pins version 1.1.0; nothing else is installed."
                " Version 1.2.0 runs: to go back, pin it in the settings here too."
            ),
        ),
        (
            "1.2.0",
            "1.3.0",
            "The site pins version 1.2.0, the server 1.3.0: nothing is installed until they agree.",
        ),
    ],
)
def test_what_is_pinned_is_said_in_words(site: str, server: str, words: str) -> None:
    assert Pins(site, server).in_words(Version(1, 2, 0)) == words


def test_a_person_can_go_back(
    settings: Settings, gateway: PretendedGateway, program: Program, release: Callable[..., None]
) -> None:
    release(NEW)
    update(settings, gateway).run()

    version = update(settings, gateway).roll_back()

    assert version == program.current() == OLD
    assert gateway.files.running() == str(OLD)
    assert update(settings, gateway).has_failed(NEW)
    assert update(settings, gateway).run() is Outcome.FAILED_BEFORE


def test_without_a_running_gateway_the_next_start_runs_the_new_version(
    settings: Settings, gateway: PretendedGateway, program: Program, release: Callable[..., None]
) -> None:
    release(NEW)
    gateway.files.say_stopped()

    def wait(_pause_s: float) -> None:
        pytest.fail("There is nobody to wait for.")

    asleep = Update(
        settings,
        Path("x"),
        lambda: Repository(settings.updates, settings.server, SYSTEM),
        gateway.files,
        wait,
    )

    outcome = asleep.run()

    assert outcome is Outcome.INSTALLED
    assert program.current() == NEW


def test_a_withdrawn_release_is_not_installed(
    settings: Settings,
    gateway: PretendedGateway,
    served: tuple[ReleaseFolder, str],
    release: Callable[..., None],
) -> None:
    release(NEW)
    served[0].withdraw(str(NEW), SYSTEM)

    with pytest.raises(ReleaseUnusable, match="not released"):
        update(settings, gateway).run()


@pytest.mark.requirement("C23")
def test_an_archive_that_was_changed_after_signing_is_refused(
    settings: Settings,
    gateway: PretendedGateway,
    program: Program,
    release: Callable[..., None],
    tmp_path: Path,
) -> None:
    release(NEW)
    (stored,) = (tmp_path / "repository" / "targets").glob(f"*{NEW}*.tar.gz")
    content = bytearray(stored.read_bytes())
    content[-1] ^= 1
    stored.write_bytes(content)

    with pytest.raises(RepositoryUnusable):
        update(settings, gateway).run()

    assert program.installed() == [OLD]


@pytest.mark.requirement("C23")
def test_a_release_signed_by_somebody_else_is_refused(
    settings: Settings, gateway: PretendedGateway, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "repository" / "metadata")
    shutil.rmtree(tmp_path / "repository" / "targets")
    stranger = ReleaseFolder(tmp_path / "repository", make_signers())
    stranger.create()
    stranger.add(archive(tmp_path, NEW), str(NEW), SYSTEM)

    with pytest.raises(RepositoryUnusable):
        update(settings, gateway).run()


def test_an_older_state_of_the_repository_is_refused(
    settings: Settings, gateway: PretendedGateway, release: Callable[..., None], tmp_path: Path
) -> None:
    release(OLD)
    shutil.copytree(tmp_path / "repository", tmp_path / "earlier")
    release(NEW)
    update(settings, gateway).run()
    shutil.rmtree(tmp_path / "repository" / "metadata")
    shutil.copytree(tmp_path / "earlier" / "metadata", tmp_path / "repository" / "metadata")

    with pytest.raises(RepositoryUnusable):
        update(settings, gateway).run()


def test_a_repository_that_nobody_signs_any_more_is_refused(
    settings: Settings,
    gateway: PretendedGateway,
    served: tuple[ReleaseFolder, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    long_ago = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    monkeypatch.setattr(releases, "_in_days", lambda _role: long_ago)
    served[0].renew()

    with pytest.raises(RepositoryUnusable):
        update(settings, gateway).run()


def test_without_a_repository_there_are_no_updates(settings: Settings) -> None:
    with pytest.raises(UpdatesOff):
        Repository(UpdateSettings(), settings.server)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../outside", tarfile.REGTYPE),
        ("/outside", tarfile.REGTYPE),
        ("link", tarfile.SYMTYPE),
        ("pipe", tarfile.FIFOTYPE),
    ],
)
def test_an_archive_holds_plain_files_of_its_own_only(
    tmp_path: Path, program: Program, name: str, kind: bytes
) -> None:
    path = tmp_path / "odd.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, "/etc/passwd"
        packed.addfile(entry)

    with pytest.raises(ReleaseUnusable):
        program.stage(NEW, path)

    assert program.installed() == [OLD]
    assert not (tmp_path / "program" / "outside").exists()


def test_a_torn_archive_leaves_nothing(tmp_path: Path, program: Program) -> None:
    path = archive(tmp_path, NEW)
    path.write_bytes(path.read_bytes()[:60])

    with pytest.raises(ReleaseUnusable):
        program.stage(NEW, path)

    assert sorted(item.name for item in (tmp_path / "program" / "versions").iterdir()) == [str(OLD)]


def test_another_account_can_run_what_was_unpacked(tmp_path: Path, program: Program) -> None:
    path = tmp_path / "deep.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        entry = tarfile.TarInfo("_internal/deep/library.so")
        packed.addfile(entry)
    mask = os.umask(0o077)

    program.stage(NEW, path)

    os.umask(mask)
    folder = tmp_path / "program" / "versions" / str(NEW)
    modes = {item.name: stat.S_IMODE(item.stat().st_mode) for item in (folder, *folder.rglob("*"))}
    assert modes == {str(NEW): 0o755, "_internal": 0o755, "deep": 0o755, "library.so": 0o644}


def test_few_old_versions_are_kept_and_the_current_one_always(tmp_path: Path, program: Program) -> None:
    versions = [Version(0, 2, number) for number in range(5)]
    for version in versions:
        program.stage(version, archive(tmp_path, version))

    program.prune()

    assert program.installed() == [OLD, *versions[-3:]]


def test_an_updater_that_dies_is_forgotten(tmp_path: Path) -> None:
    now = [0.0]
    folder = LeaseFolder(tmp_path, lambda: now[0])
    lease = Lease(folder, lambda: True)
    folder.ask()
    now[0] = (tmp_path / "asked").stat().st_mtime
    lease.look()
    was_granted = lease.is_granted

    now[0] += 60
    lease.look()

    assert was_granted
    assert not lease.is_granted
    assert not folder.is_granted()


@pytest.mark.parametrize("text", ["1.2", "1.2.3.4", "1.2.x", "v1.2.3", "../1.2.3", "1.2.3\n", "", None, 3])
def test_what_is_no_version_is_none(text: object) -> None:
    with pytest.raises(ValueError, match="no version"):
        Version.parse(text)


def test_versions_are_compared_as_numbers() -> None:
    assert Version.parse("0.10.0") > Version.parse("0.9.12")
