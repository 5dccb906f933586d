"""A PACS is asked for exactly what the site listed, and what it sends comes in like a push."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydicom import dcmread

from collegium_connect.actor import CONSOLE, Actor, NotAllowed, Role
from collegium_connect.clock import now
from collegium_connect.folders import journal_path
from collegium_connect.journal import pulls
from collegium_connect.journal.database import Journal
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.pull import Requests
from collegium_connect.pull.pacs import Kind
from collegium_connect.pull.requests import ListInvalid
from collegium_connect.service import Gateway
from collegium_connect.settings import PeerTlsSettings, PullSettings, Settings, SourceSettings
from collegium_connect.trail import Trail
from collegium_testkit import certificates, phantoms
from collegium_testkit.archive_pacs import ArchivePacs
from collegium_testkit.leftovers import drops_its_socket
from collegium_testkit.patience import PATIENCE_S

Until = Callable[..., None]


class Site:
    """A gateway, a PACS with two exams, and the site's lists."""

    def __init__(self, gateway: Gateway, requests: Requests, pacs: ArchivePacs, accession: str) -> None:
        self.gateway, self.requests, self.pacs, self.accession = gateway, requests, pacs, accession

    def ask(self, *lines: str, kind: Kind = Kind.ACCESSION) -> int:
        return self.requests.take_list(
            actor=CONSOLE, channel_id="ch-1", source="main", kind=kind, lines=lines
        )

    def states(self) -> list[str]:
        return [line.state for line in self.gateway.status().exams]


@contextmanager
def made(
    folder: Path,
    settings: Settings,
    start: Callable[..., Gateway],
    *,
    window: str = "",
    whole: bool = False,
    tls: PeerTlsSettings | None = None,
    shown: ssl.SSLContext | None = None,
) -> Iterator[Site]:
    files = phantoms.ct_exam(folder / "one", slices=2, size=64, seed=1).files
    files += phantoms.ct_exam(folder / "two", slices=1, size=64, seed=2).files
    with ArchivePacs(list(files), {}, names_everything=whole, tls=shown) as pacs:
        source = SourceSettings(
            name="main", ae="TESTPACS", host="127.0.0.1", port=pacs.port, calling_ae="COLLEGIUM",
            window=window, timeout_s=PATIENCE_S, tls=tls,
        )  # fmt: skip
        gateway = start(replace(settings, pull=PullSettings(sources=(source,))))
        pacs.destinations["TRIAL1"] = gateway.receive_port
        journal = Journal(journal_path(settings))
        secrets = load_secrets(KeyFolder(settings.gateway.data_dir / "keys"))
        requests = Requests(journal, secrets, Trail(journal, secrets, now), now)
        try:
            yield Site(gateway, requests, pacs, str(dcmread(files[0]).AccessionNumber))
        finally:
            gateway.stop()
            journal.close()


@pytest.fixture
def site(tmp_path: Path, settings: Settings, start: Callable[..., Gateway]) -> Iterator[Site]:
    with made(tmp_path, settings, start) as site:
        yield site


def counts(settings: Settings) -> pulls.PullCounts:
    journal = Journal(journal_path(settings))
    try:
        with journal.look() as db:
            (told,) = pulls.counts(db)
    finally:
        journal.close()
    return told


@pytest.mark.requirement("C02")
def test_a_listed_exam_is_pulled_and_delivered(site: Site, settings: Settings, until: Until) -> None:
    added = site.ask(site.accession, "  ", site.accession)

    until(lambda: site.states() == ["delivered"])
    until(lambda: counts(settings).done == 1)

    assert added == 1
    assert (counts(settings).exams, counts(settings).objects) == (1, 2)


@pytest.mark.requirement("C02")
def test_no_list_no_question(site: Site, until: Until) -> None:
    until(lambda: site.gateway.status().is_enrolled)

    assert site.pacs.asked == []


@pytest.mark.requirement("C02")
def test_what_the_pacs_names_besides_is_not_asked_for(
    tmp_path: Path, settings: Settings, start: Callable[..., Gateway], until: Until
) -> None:
    with made(tmp_path, settings, start, whole=True) as site:
        site.ask(site.accession)
        until(lambda: counts(settings).done == 1)

        assert counts(settings).exams == 1


def test_an_entry_without_an_exam_is_told_as_such(site: Site, settings: Settings, until: Until) -> None:
    site.ask("NOBODY")

    until(lambda: counts(settings).empty == 1)

    assert site.states() == []


def test_a_pacs_that_does_not_know_the_channel_is_told_in_words(
    site: Site, settings: Settings, until: Until
) -> None:
    site.pacs.destinations.clear()

    site.ask(site.accession)
    until(lambda: counts(settings).problem)

    assert counts(settings).problem == "The PACS does not know the channel's title as a place to send to."
    assert counts(settings).waiting == 1


def test_outside_its_window_nothing_is_asked(
    tmp_path: Path, settings: Settings, start: Callable[..., Gateway], until: Until
) -> None:
    at = now().astimezone()
    window = f"{at + timedelta(hours=2):%H:%M}-{at + timedelta(hours=3):%H:%M}"
    with made(tmp_path, settings, start, window=window) as site:
        site.ask(site.accession)
        until(lambda: counts(settings).waiting == 1)

        assert site.pacs.asked == []


def test_identifiers_are_sealed_and_gone_when_their_exams_came(
    site: Site, settings: Settings, until: Until
) -> None:
    site.ask(site.accession)
    until(lambda: counts(settings).done == 1)
    site.gateway.stop()

    stored = b"".join(path.read_bytes() for path in settings.gateway.data_dir.glob("journal*"))
    journal = Journal(journal_path(settings))
    with journal.look() as db:
        (sealed,) = db.execute("SELECT sealed_key FROM pulls").fetchone()
    journal.close()

    assert site.accession.encode() not in stored
    assert sealed == b""


@pytest.mark.parametrize("entry", ["A*", "A?", "A\\B", "x" * 65])
def test_an_entry_that_would_ask_for_others_refuses_the_whole_list(site: Site, entry: str) -> None:
    with pytest.raises(ListInvalid) as error:
        site.ask(site.accession, entry)

    assert entry not in str(error.value)
    assert site.pacs.asked == []


def test_an_operator_adds_no_list(site: Site) -> None:
    with pytest.raises(NotAllowed):
        site.requests.take_list(
            actor=Actor("otto", Role.OPERATOR),
            channel_id="ch-1",
            source="main",
            kind=Kind.PATIENT,
            lines=["1"],
        )


def asking_over_tls(
    folder: Path, settings: Settings, start: Callable[..., Gateway], trusted: Path, until: Until
) -> pulls.PullCounts:
    """One entry of the list, with a PACS that speaks TLS only; what has become of it."""
    _, context = certificates.own_authority(folder / "tls")
    with made(folder, settings, start, tls=PeerTlsSettings(ca_file=trusted), shown=context) as site:
        site.ask(site.accession)
        until(lambda: counts(settings).done or counts(settings).problem)
        return counts(settings)


def test_a_pacs_is_asked_over_tls_where_its_entry_says_so(
    tmp_path: Path, settings: Settings, start: Callable[..., Gateway], until: Until
) -> None:
    told = asking_over_tls(tmp_path, settings, start, tmp_path / "tls" / "server.pem", until)

    assert (told.done, told.objects) == (1, 2)


@drops_its_socket
@pytest.mark.usefixtures("collected")
def test_a_pacs_whose_certificate_is_not_of_the_named_authority_is_not_asked(
    tmp_path: Path, settings: Settings, start: Callable[..., Gateway], until: Until
) -> None:
    other, _ = certificates.own_authority(tmp_path / "other")

    told = asking_over_tls(tmp_path, settings, start, other, until)

    assert told.done == 0
    assert told.problem == "The PACS cannot be reached, or refused to be asked."


def test_a_pull_whose_file_of_authorities_is_missing_is_told_in_words(
    tmp_path: Path, settings: Settings, start: Callable[..., Gateway], until: Until
) -> None:
    told = asking_over_tls(tmp_path, settings, start, tmp_path / "no.pem", until)

    assert told.problem == "The file of trusted certificates cannot be read as PEM."
