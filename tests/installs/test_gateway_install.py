"""The gateway's installation lays out what its units and its updater rely on."""

from __future__ import annotations

import io
import os
import shutil
import stat
import subprocess
import sys
import tarfile
from configparser import ConfigParser
from pathlib import Path

import pytest

from collegium_connect import settings
from collegium_connect.updates.program import Program
from collegium_connect.updates.version import Version

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "gateway"
UNITS = sorted(DEPLOY.glob("*.service"))


def archive(folder: Path, version: str) -> Path:
    path = folder / f"collegium-connect-{version}-linux-x86_64.tar.gz"
    content = b"#!/bin/sh\nexit 0\n"
    with tarfile.open(path, "w:gz") as packed:
        entry = tarfile.TarInfo("collegium-connect")
        entry.size, entry.mode = len(content), 0o755
        packed.addfile(entry, io.BytesIO(content))
    return path


def install(root: Path, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(DEPLOY / "install.sh"), str(path)],
        env={**os.environ, "DESTDIR": str(root)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def stand_in(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(0o755)


def unit(path: Path) -> ConfigParser:
    read = ConfigParser(strict=False, interpolation=None)
    read.optionxform = str  # type: ignore[assignment,method-assign] # systemd's names are not lower case
    read.read(path, "utf-8")
    return read


def test_it_lays_out_what_the_updater_finds(tmp_path: Path) -> None:
    root = tmp_path / "root"

    done = install(root, archive(tmp_path, "1.2.3"))

    lease = root / "var/lib/collegium-connect/lease"
    assert done.returncode == 0, done.stderr
    assert Program(root / "opt/collegium-connect").current() == Version(1, 2, 3)
    assert stat.S_IMODE(lease.stat().st_mode) == 0o2770
    assert stat.S_IMODE(lease.parent.stat().st_mode) == 0o710
    assert settings.load(root / "etc/collegium-connect/connect.toml").gateway.name == "Larkspur General"


def test_run_again_it_changes_the_version_and_keeps_the_configuration(tmp_path: Path) -> None:
    root = tmp_path / "root"
    install(root, archive(tmp_path, "1.2.3"))
    config = root / "etc/collegium-connect/connect.toml"
    config.write_text(config.read_text("utf-8").replace("Larkspur", "Foxglove"), "utf-8")

    done = install(root, archive(tmp_path, "1.3.0"))

    program = Program(root / "opt/collegium-connect")
    assert done.returncode == 0, done.stderr
    assert program.current() == Version(1, 3, 0)
    assert program.installed() == [Version(1, 2, 3), Version(1, 3, 0)]
    assert "Foxglove" in config.read_text("utf-8")


def test_an_archive_of_another_name_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, "1.2.3").rename(tmp_path / "gateway.tar.gz")

    done = install(tmp_path / "root", path)

    assert done.returncode == 1
    assert "not named" in done.stderr


def test_a_file_that_is_not_there_is_told_before_anything_is_changed(tmp_path: Path) -> None:
    root = tmp_path / "root"

    done = subprocess.run(
        ["sh", str(DEPLOY / "install.sh"), str(archive(tmp_path, "1.2.3")), str(tmp_path / "root.json")],
        env={**os.environ, "DESTDIR": str(root)}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "Nothing was changed" in done.stderr
    assert not root.exists()


@pytest.mark.parametrize(
    ("words", "account"), [("status --json", "collegium-connect"), ("update check", "collegium-update")]
)
def test_the_command_runs_as_the_account_it_belongs_to(tmp_path: Path, words: str, account: str) -> None:
    stand_in(tmp_path / "id", "case $1 in -un) echo root ;; *) echo 0 ;; esac")
    stand_in(tmp_path / "runuser", 'echo "$@"')

    done = subprocess.run(
        ["sh", str(DEPLOY / "collegium-connect.sh"), *words.split()],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == f"-u {account} -- /opt/collegium-connect/current/collegium-connect {words}\n"


def test_a_gateway_that_is_not_set_up_is_not_started_again_and_again(tmp_path: Path) -> None:
    config = tmp_path / "connect.toml"
    example = (DEPLOY / "connect.example.toml").read_text("utf-8")
    config.write_text(example.replace("/var/lib/collegium-connect", str(tmp_path / "data")), "utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "collegium_connect.cli", "up", "--service", "--config", str(config)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    service = unit(DEPLOY / "collegium-connect.service")["Service"]
    assert "connect.gateway.not_enrolled" in done.stderr
    assert str(done.returncode) == service["RestartPreventExitStatus"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_understands_every_line_of_the_units(tmp_path: Path) -> None:
    root = tmp_path / "root"
    install(root, archive(tmp_path, "1.2.3"))
    units = sorted((root / "etc/systemd/system").iterdir())
    for path in units:
        # It looks whether the program is there; this one is installed elsewhere.
        path.write_text(path.read_text("utf-8").replace("=/opt/", f"={root}/opt/"), "utf-8")

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, units)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0
    assert done.stderr == ""


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_is_confined(path: Path) -> None:
    service = unit(path)["Service"]

    assert service["NoNewPrivileges"] == service["PrivateTmp"] == service["PrivateDevices"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert service["User"] != "root"
    assert service["LimitCORE"] == "0"


def test_the_gateways_account_cannot_write_its_program() -> None:
    gateway = unit(DEPLOY / "collegium-connect.service")["Service"]
    updater = unit(DEPLOY / "collegium-connect-update.service")["Service"]

    assert gateway["User"] != updater["User"]
    assert gateway["Group"] == updater["Group"]
    assert "/opt/collegium-connect" not in gateway.get("ReadWritePaths", "")
    assert updater["ReadWritePaths"].split() == ["/opt/collegium-connect", "/var/lib/collegium-connect/lease"]


@pytest.mark.requirement("C28")
def test_each_system_looks_for_a_release_every_hour_by_itself() -> None:
    timer = unit(DEPLOY / "collegium-connect-update.timer")["Timer"]
    service = unit(DEPLOY / "collegium-connect-update.service")["Service"]
    windows = (DEPLOY / "install.ps1").read_text("utf-8")

    assert (timer["OnUnitInactiveSec"], timer["RandomizedDelaySec"]) == ("1h", "10min")
    assert " update install " in service["ExecStart"]
    assert "-RepetitionInterval (New-TimeSpan -Hours 1)" in windows


def test_the_service_manager_holds_the_sockets_of_the_door_while_the_gateway_restarts() -> None:
    service = unit(DEPLOY / "collegium-connect.service")["Service"]

    assert service["Type"] == "notify"
    assert int(service["FileDescriptorStoreMax"]) >= 2


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_finds_little_exposed(path: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=25", str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-600:]


def test_the_example_is_a_configuration() -> None:
    assert settings.load(DEPLOY / "connect.example.toml").receive.port == 11112
