"""A gateway measures its line with bytes that nobody keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collegium.imaging.connections import api
from collegium_wire import paths

if TYPE_CHECKING:
    from collegium_testkit.delivering import Sender


@pytest.mark.requirement("C27")
def test_bytes_without_meaning_are_taken_from_a_known_gateway(sender: Sender) -> None:
    answer = sender.client.post(paths.LINE, content=b"x" * 100_000, headers=sender.headers)

    assert (answer.status_code, answer.content) == (200, b"")


def test_a_stranger_measures_nothing(sender: Sender) -> None:
    answer = sender.client.post(paths.LINE, content=b"x", headers={"Authorization": "Bearer no"})

    assert answer.status_code == 401


def test_more_than_a_measurement_is_refused(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_LINE_BYTES", 1000)
    answer = sender.client.post(paths.LINE, content=b"x" * 2000, headers=sender.headers)

    assert answer.status_code == 413
