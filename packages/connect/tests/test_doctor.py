"""The doctor names what is short, and nothing that identifies a patient."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from collegium_connect import doctor, machine
from collegium_connect.doctor import Finding, Verdict, door, hardware, network
from collegium_connect.doctor.dry_exam import dry_exam
from collegium_connect.folders import journal_path
from collegium_connect.journal.database import Journal
from collegium_connect.service import Gateway
from collegium_connect.settings import CallerSettings, ReceiveSettings, Settings, UpdateSettings
from collegium_testkit import certificates
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.gateways import GatewayProcess
from collegium_testkit.leftovers import drops_its_socket

GB = 10**9


@pytest.fixture
def journal(settings: Settings) -> Iterator[Journal]:
    journal = Journal(journal_path(settings))
    yield journal
    journal.close()


def by_name(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    return {finding.about: finding for finding in findings}


@pytest.mark.requirement("C27")
def test_a_machine_below_the_minimum_is_told_where(
    settings: Settings, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(machine.HERE), "processors", lambda _: 2)
    monkeypatch.setattr(type(machine.HERE), "memory_bytes", lambda _: 4 * GB)
    disk = SimpleNamespace(total=250 * GB, free=200 * GB)
    monkeypatch.setattr("shutil.disk_usage", lambda _: disk)

    found = by_name(doctor.examine(settings, journal))

    assert [
        name for name in ("Processors", "Memory", "Disk") if found[name].verdict is not Verdict.SHORT
    ] == []
    assert found["Memory"].found == "4.0 GB"
    assert found["Disk"].needed == "300 GB"
    assert all(found[name].advice for name in ("Processors", "Memory", "Disk"))


@pytest.mark.requirement("C27")
def test_a_machine_at_the_minimum_is_good(
    settings: Settings, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(machine.HERE), "processors", lambda _: 4)
    monkeypatch.setattr(type(machine.HERE), "memory_bytes", lambda _: int(15.6 * GB))
    disk = SimpleNamespace(total=300 * GB, free=200 * GB)
    monkeypatch.setattr("shutil.disk_usage", lambda _: disk)

    found = by_name(doctor.examine(settings, journal))

    assert {found[name].verdict for name in ("Processors", "Memory", "Disk", "Room for the spool")} == {
        Verdict.GOOD
    }


@pytest.mark.requirement("C27")
@pytest.mark.usefixtures("gateway")
def test_the_line_is_measured_against_the_server(settings: Settings, journal: Journal) -> None:
    line = by_name(doctor.examine(settings, journal))["Line to the server"]

    measured = re.fullmatch(r"(\d+) Mbps", line.found)
    assert measured
    assert (line.verdict is Verdict.GOOD) is (int(measured[1]) >= network.LINE_MBPS)


@pytest.mark.parametrize(("days", "verdict"), [(13.5, Verdict.SHORT), (14.5, Verdict.GOOD)])
def test_the_doors_own_certificate_is_short_of_two_weeks(
    settings: Settings, tmp_path: Path, days: float, verdict: Verdict
) -> None:
    pem, _ = certificates.own_authority(tmp_path, ends=datetime.now(UTC) + timedelta(days=days))
    receive = replace(settings.receive, tls_certificate_file=pem, tls_key_file=pem.with_suffix(".key"))

    finding = network.own_certificate(replace(settings, receive=receive))

    assert finding.verdict is verdict
    assert finding.found == f"valid for {int(days)} days more"


def test_a_certificate_of_the_door_that_cannot_be_used_is_named(settings: Settings, tmp_path: Path) -> None:
    receive = replace(settings.receive, tls_certificate_file=tmp_path / "no", tls_key_file=tmp_path / "no")

    finding = network.own_certificate(replace(settings, receive=receive))

    assert finding.verdict is Verdict.SHORT
    assert "cannot be read or do not fit" in finding.advice


def test_a_slow_line_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([0.0, 10.0])
    monkeypatch.setattr("collegium_connect.doctor.network.time.perf_counter", lambda: next(ticks))
    slow = SimpleNamespace(measure=lambda pieces: sum(map(len, pieces)))

    finding = network.line(slow)  # type: ignore[arg-type] # only `measure` is asked

    assert finding.verdict is Verdict.SHORT
    assert finding.found == "27 Mbps"


def test_what_is_not_set_up_is_named(settings: Settings, journal: Journal) -> None:
    bare = replace(settings, receive=ReceiveSettings(host="127.0.0.1", port=1))

    found = by_name(doctor.examine(bare, journal))

    short = {name for name, finding in found.items() if finding.verdict is Verdict.SHORT}
    assert short >= {"Enrolment", "Channels", "Keys", "Who may send", "DICOM port"}
    assert found["Line to the server"].verdict is Verdict.UNKNOWN


@pytest.mark.usefixtures("journal")
def test_the_disk_is_asked_how_long_it_takes_to_keep_something(settings: Settings) -> None:
    before = sorted(settings.gateway.data_dir.iterdir())

    finding = hardware.sync_time(settings)

    assert finding.verdict in {Verdict.GOOD, Verdict.SHORT}
    assert " ms" in finding.found
    assert sorted(settings.gateway.data_dir.iterdir()) == before


def test_the_firewall_sheet_names_each_way_in_and_out(settings: Settings) -> None:
    wide = replace(
        settings,
        server=replace(settings.server, url="https://collegium.example.org", proxy="http://proxy.lan:3128"),
        updates=UpdateSettings(url="https://releases.example.org/gateway", root_file=Path("root.json")),
    )

    assert network.firewall_sheet(wide) == [
        "out: TCP 443 to collegium.example.org, through the proxy proxy.lan",
        "out: TCP 443 to releases.example.org, by the updater",
        "in: TCP 0 from 127.0.0.1 (AE title TESTPACS)",
        "nothing else: no port towards the internet is open here",
    ]


def test_the_doors_answer_is_asked_for_as_a_listed_caller(gateway: Gateway, settings: Settings) -> None:
    finding = door.echo(settings, "TRIAL1")

    assert finding.verdict is Verdict.GOOD
    assert finding.found == f"127.0.0.1:{gateway.receive_port} answered TESTPACS calling TRIAL1"


@drops_its_socket
@pytest.mark.usefixtures("collected")
def test_a_door_that_nobody_holds_open_is_named(settings: Settings) -> None:
    finding = door.echo(replace(settings, receive=replace(settings.receive, port=1)), "TRIAL1")

    assert finding.verdict is Verdict.SHORT


def test_a_machine_that_is_no_listed_caller_says_who_can_ask(settings: Settings) -> None:
    elsewhere = CallerSettings(ae="PACS1", address="192.0.2.1")
    shut = replace(settings, receive=replace(settings.receive, port=1, allowed_callers=(elsewhere,)))

    finding = door.echo(shut, "TRIAL1")

    assert finding.verdict is Verdict.UNKNOWN
    assert "from the PACS" in finding.advice


def test_every_way_to_be_reached_is_an_address(settings: Settings) -> None:
    wide = replace(settings, receive=replace(settings.receive, host="0.0.0.0"))

    assert door.own_address(wide) == "127.0.0.1"  # the server is on this machine, and so faces this address


@pytest.mark.parametrize(("ahead_s", "verdict"), [(2.0, Verdict.GOOD), (-300.0, Verdict.SHORT)])
def test_a_clock_that_is_wrong_is_named(ahead_s: float, verdict: Verdict) -> None:
    client = SimpleNamespace(clock_ahead_s=ahead_s)

    assert network.clock(client).verdict is verdict  # type: ignore[arg-type] # nothing else is asked


@pytest.mark.usefixtures("gateway")
def test_the_servers_clock_is_heard_with_the_line(settings: Settings, journal: Journal) -> None:
    assert by_name(doctor.examine(settings, journal))["Clock"].verdict is Verdict.GOOD


@pytest.mark.requirement("C26")
def test_an_invented_exam_is_cleaned_dry_by_each_channels_recipe(server: FakeServer) -> None:
    channel = server.channels[0]
    nothing = "version: nothing\n"
    digest = hashlib.sha256(nothing.encode()).hexdigest()
    broken = replace(channel, called_ae="BROKEN", recipe_yaml=nothing, recipe_digest=digest)

    good, bad = dry_exam([channel]), dry_exam([channel, broken])

    assert good.verdict is Verdict.GOOD
    assert (bad.verdict, bad.found) == (Verdict.SHORT, "not cleaned by the recipe of BROKEN")


def test_a_report_as_a_page_says_the_same_and_asks_for_nothing(settings: Settings) -> None:
    findings = [Finding("Disk", Verdict.SHORT, "1 GB <b>", "300 GB", "Buy one.")]
    at = datetime(2026, 11, 22, tzinfo=UTC)

    page = doctor.as_html(settings, findings, at)

    assert "1 GB &lt;b&gt;" in page
    assert doctor.as_text(settings, findings, at).split()[-1] in page
    assert not re.search(r"(src|href)=", page)


@pytest.mark.requirement("C26", "C27")
def test_the_command_writes_a_dated_report(
    process: GatewayProcess, server: FakeServer, tmp_path: Path, until: Callable[..., None]
) -> None:
    process.start()
    until(lambda: server.heartbeats)

    done = process.run("doctor", "--json", "--report", str(tmp_path / "report.txt"))

    assert done.stderr == ""
    told = json.loads(done.stdout)
    names = {line["about"]: line["verdict"] for line in told["findings"]}
    text = (tmp_path / "report.txt").read_text("utf-8")
    body, _, digest = text.rpartition("\nSHA-256 of the lines above: ")
    assert names["Enrolment"] == names["Channels"] == names["Keys"] == "good"
    assert names["C-ECHO"] == names["Test exam, dry"] == names["Test exam"] == names["Round trip"] == "good"
    assert digest == f"{hashlib.sha256(body.encode()).hexdigest()}\n"
    (delivery,) = server.deliveries.values()
    assert delivery.manifest.is_test
    assert server.archive == {}
    assert done.returncode == int("short" in names.values())
    assert text.startswith("Compatibility report of Larkspur General\n" + told["at"])
    assert "Firewall:" in text
