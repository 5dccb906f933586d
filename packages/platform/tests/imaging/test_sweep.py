"""Bytes that no row names go by themselves, a day after they were written and not before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from collegium.cli.commands import app
from collegium.imaging.archive import storage
from collegium.imaging.ingest import jobs
from collegium.kit import clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium_testkit.delivering import Sender

pytestmark = pytest.mark.requirement("C14")


def orphan_of(sender: Sender) -> str:
    """An object in the store that no row names."""
    with storage.blobs().create(
        organisation_id=sender.world.organisation_id, space_id=sender.world.space_id
    ) as orphan:
        orphan.write(b"nobody's")
        orphan.finish()
    return orphan.key


def keys() -> set[str]:
    return {one.key for one in storage.blobs().store.listing() if one.key}


@pytest.fixture
def tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    later = datetime.now(UTC) + timedelta(hours=25)
    monkeypatch.setattr(clock, "now", lambda: later)


def by_job() -> str:
    jobs.sweep(0)
    return ""


def by_command() -> str:
    done = CliRunner().invoke(app, ["blobs", "sweep"], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


@pytest.mark.parametrize("sweep", [by_job, by_command])
def test_a_young_orphan_may_still_get_its_row(sender: Sender, sweep: Callable[[], str]) -> None:
    orphan = orphan_of(sender)

    sweep()

    assert orphan in keys()


@pytest.mark.parametrize("sweep", [by_job, by_command])
@pytest.mark.usefixtures("tomorrow")
def test_an_orphan_of_yesterday_is_deleted(sender: Sender, sweep: Callable[[], str]) -> None:
    orphan = orphan_of(sender)

    sweep()

    assert orphan not in keys()


@pytest.mark.usefixtures("tomorrow")
def test_the_command_says_what_it_freed(sender: Sender) -> None:
    by_command()
    orphan_of(sender)

    assert by_command().startswith("Deleted 1 objects that no row named: ")
