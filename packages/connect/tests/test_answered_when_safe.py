"""A PACS hears success only when what it sent would survive a power cut."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from collegium_connect import machine
from collegium_connect.folders import journal_path
from collegium_connect.journal.database import Journal
from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.patience import PATIENCE_S

_FULL = 2


@pytest.mark.requirement("C14")
def test_nobody_is_answered_before_the_disk_has_what_was_sent(
    gateway: Gateway,
    server: FakeServer,
    tmp_path: Path,
    until: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = type(machine.HERE)
    asked, written, sync_data = threading.Event(), threading.Event(), here.sync_data

    def slow(self: machine.Machine, handle: int) -> None:
        asked.set()
        assert written.wait(PATIENCE_S)
        sync_data(self, handle)

    monkeypatch.setattr(here, "sync_data", slow)
    (path,) = phantoms.ct_exam(tmp_path, slices=1, size=64).files
    answers: list[int] = []
    sender = threading.Thread(
        target=lambda: answers.extend(
            item.status for item in pacs.send([path], "127.0.0.1", gateway.receive_port, "TRIAL1")
        )
    )

    sender.start()
    assert asked.wait(PATIENCE_S)
    echoed = pacs.echo("127.0.0.1", gateway.receive_port, "TRIAL1")
    before = list(answers)
    written.set()
    sender.join(PATIENCE_S)

    assert (echoed, before, answers) == (pacs.SUCCESS, [], [pacs.SUCCESS])
    until(lambda: len(server.receipted) == 1)


@pytest.mark.requirement("C14")
def test_the_journal_waits_for_the_disk_with_every_change(settings: Settings) -> None:
    journal = Journal(journal_path(settings))

    with journal.change() as db:
        (waits,) = db.execute("PRAGMA synchronous").fetchone()
    journal.close()

    assert waits == _FULL
