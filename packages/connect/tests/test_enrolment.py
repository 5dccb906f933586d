"""Becoming known to a server: a code is spent once, and no lost answer costs it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from collegium_connect.channels import Channels
from collegium_connect.cli import main
from collegium_connect.clock import now
from collegium_connect.enrol import enrol
from collegium_connect.journal import channels
from collegium_connect.journal.database import Journal
from collegium_connect.journal.schema import MIGRATIONS
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.links.table import LinkTable
from collegium_connect.send.errors import AttemptFailed
from collegium_connect.settings import Settings
from collegium_testkit.channels import channel
from collegium_testkit.fake_server import FakeServer, Fault, Kind


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite3")
    yield journal
    journal.close()


def token_in(journal: Journal) -> str:
    with journal.look() as db:
        kept = channels.enrolment(db)
    assert kept is not None
    return kept.token


@pytest.mark.parametrize("kind", ["cut_before", "cut_during", "cut_after", "status", "unreadable"])
def test_an_answer_that_was_lost_or_cannot_be_read_costs_no_code(
    kind: Kind, settings: Settings, journal: Journal, server: FakeServer
) -> None:
    server.faults = [Fault("enrol", kind)]
    with pytest.raises(AttemptFailed):
        enrol(settings, journal, server.url, server.code)

    done = enrol(settings, journal, server.url, server.code)

    assert (done.channels, token_in(journal)) == (1, server.token)


def test_the_token_is_on_disk_before_the_server_is_asked(
    settings: Settings, tmp_path: Path, server: FakeServer
) -> None:
    server.faults = [Fault("enrol", "cut_after")]
    with contextlib.closing(Journal(tmp_path / "journal.sqlite3")) as first, pytest.raises(AttemptFailed):
        enrol(settings, first, server.url, server.code)

    with contextlib.closing(Journal(tmp_path / "journal.sqlite3")) as second:
        enrol(settings, second, server.url, server.code)

        assert token_in(second) == server.token


def test_a_code_that_this_gateway_spent_is_spent(
    settings: Settings, journal: Journal, server: FakeServer
) -> None:
    enrol(settings, journal, server.url, server.code)
    before = token_in(journal)

    with pytest.raises(AttemptFailed) as error:
        enrol(settings, journal, server.url, server.code, replace=True)

    assert (error.value.code, token_in(journal)) == ("connections.enrolment.used", before)


def test_another_code_is_asked_with_another_token(
    settings: Settings, journal: Journal, server: FakeServer
) -> None:
    server.faults = [Fault("enrol", "cut_after")]
    with pytest.raises(AttemptFailed):
        enrol(settings, journal, server.url, server.code)
    lost, server.code = server.token, "another"

    enrol(settings, journal, server.url, server.code)

    assert token_in(journal) == server.token
    assert server.token != lost


def test_another_code_that_was_mistyped_costs_the_first_one_nothing(
    settings: Settings, journal: Journal, server: FakeServer
) -> None:
    server.faults = [Fault("enrol", "cut_after")]
    with pytest.raises(AttemptFailed):
        enrol(settings, journal, server.url, server.code)
    with pytest.raises(AttemptFailed):
        enrol(settings, journal, server.url, "mistyped")

    enrol(settings, journal, server.url, server.code)

    assert token_in(journal) == server.token


def test_no_token_is_kept_beside_the_one_that_the_server_took(
    settings: Settings, journal: Journal, server: FakeServer
) -> None:
    with pytest.raises(AttemptFailed):
        enrol(settings, journal, server.url, "mistyped")

    enrol(settings, journal, server.url, server.code)

    with journal.look() as db:
        assert db.execute("SELECT count(*) FROM enrolling").fetchone()[0] == 0


def test_a_token_of_a_journal_of_before_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one_row = next(number for number, script in enumerate(MIGRATIONS, 1) if "TABLE enrolling" in script)
    with monkeypatch.context() as earlier:
        earlier.setattr("collegium_connect.journal.database.MIGRATIONS", MIGRATIONS[:one_row])
        with contextlib.closing(Journal(tmp_path / "journal.sqlite3")) as before, before.change() as db:
            db.execute("INSERT INTO enrolling (id, code_digest, token) VALUES (1, 'digest', 'kept')")

    with contextlib.closing(Journal(tmp_path / "journal.sqlite3")) as now, now.change() as db:
        assert channels.token_for(db, "digest", "new") == "kept"


@pytest.fixture
def config(tmp_path: Path, server: FakeServer) -> Path:
    path = tmp_path / "connect.toml"
    path.write_text(
        f'[gateway]\nname = "LG"\ndata_dir = "{tmp_path / "data"}"\n[server]\nurl = "{server.url}"\n',
        encoding="utf-8",
    )
    return path


def test_enrolling_anew_says_what_becomes_of_keys_links_and_channels(
    config: Path, server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.channels = (channel(), channel("ch-2", "TRIAL2"))
    main(["enrol", "--code", server.code, "--config", str(config)])
    first = capsys.readouterr().out
    server.code, server.channels = "another", (channel(), channel("ch-3", "TRIAL3"))

    main(["enrol", "--code", "another", "--replace", "--config", str(config)])

    again = capsys.readouterr().out
    assert "The site keys are made at the first start." in first
    assert "made at the first start" not in again
    assert "Keys, link table and all that waits are as they were." in again
    assert "Project of ch-1 (LG): goes on with its key and its subject codes." in again
    assert "Project of ch-3 (LG): new here. Its key is made at the next start" in again
    assert "Channel ch-2: not named by the server any more. It takes nothing; 0 objects" in again


def test_enrolling_anew_changes_no_key_and_no_link(
    settings: Settings, journal: Journal, server: FakeServer
) -> None:
    keys = KeyFolder(settings.gateway.data_dir / "keys")
    enrol(settings, journal, server.url, server.code)
    before = Channels(journal, keys).active[0].key
    code_before = LinkTable(journal, load_secrets(keys), now).code_for(1, "LG", "PATIENT-1")
    server.code = "another"

    enrol(settings, journal, server.url, "another", replace=True)

    assert Channels(journal, keys).active[0].key == before
    assert LinkTable(journal, load_secrets(keys), now).code_for(1, "LG", "PATIENT-1") == code_before
