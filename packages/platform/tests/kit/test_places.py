"""Where the database lies does not change with the mode of a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collegium.settings import places
from collegium.settings.places import ServerAccount, database_home

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of root's, whose database another account runs."""
    monkeypatch.setattr(places, "server_account", lambda: ServerAccount(1, 1, is_dropped=True))
    monkeypatch.setattr(places, "_ROOT_HOME", tmp_path / "apart")
    monkeypatch.setattr(places, "is_open_to_others", lambda folder: bool(folder.stat().st_mode & 0o001))
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(("first", "later"), [(0o755, 0o700), (0o700, 0o755)])
def test_a_database_stays_where_it_began(data: Path, first: int, later: int) -> None:
    data.chmod(first)
    began = database_home(data)
    began.mkdir(parents=True)

    data.chmod(later)

    assert database_home(data) == began
