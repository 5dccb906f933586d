"""A running gateway and its pages at the server: what is told arrives, what waits says so, failures show at once."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from collegium_deid import load_recipe
from collegium_testkit import phantoms
from collegium_testkit.patience import PATIENCE_S, until
from tests.journeys.hospital import Hospital

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_CHANNEL = re.compile(r"/projects/[0-9a-f-]{36}/gateways/([0-9a-f-]{36})/channels/([0-9a-f-]{36})/")
FORM = {
    "act": "change", "name": "CT", "quiet_time_s": "5", "allocation": "automatic", "max_mbps": "0",
    "attempts_limit": "100", "retention_days": "0", "reason": "as agreed",
}  # fmt: skip


class Desk:
    """An administrator's browser, at the pages of one gateway."""

    def __init__(self, hospital: Hospital, client: httpx.Client) -> None:
        self.hospital, self._client = hospital, client
        token = _TOKEN.search(self._client.get("/accounts/login/").text)
        assert token
        form = {
            "login": hospital.seeded.administrator, "password": hospital.seeded.password,
            "csrfmiddlewaretoken": token[1],
        }  # fmt: skip
        assert self._client.post("/accounts/login/", data=form).status_code == 302
        self._client.headers["X-CSRFToken"] = self._client.cookies["collegium_csrf"]
        listing = f"/projects/{hospital.seeded.space_id}/gateways/"
        (gateway,) = set(re.findall(r"/gateways/([0-9a-f-]{36})/", self._client.get(listing).text))
        self.gateway = f"{listing}{gateway}/"
        found = _CHANNEL.search(self._client.get(self.gateway).text)
        assert found
        self.channel = found[0]

    def await_words(self, words: str) -> None:
        self.await_match(re.escape(words))

    def await_match(self, pattern: str) -> None:
        """Until the gateway's page shows it."""

        def is_shown() -> bool:
            return re.search(pattern, self._client.get(self.gateway).text) is not None

        until(is_shown, f"{pattern} on the page", story=self.hospital.story)

    def post(self, **given: str) -> None:
        version = re.search(r'name="version" value="(\d+)"', self._client.get(self.channel).text)
        assert version
        form = FORM | {"called_ae": self.hospital.seeded.called_ae, "version": version[1]} | given
        answer = self._client.post(self.channel, data=form)
        assert answer.status_code == 302, answer.text[-3000:]


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    place = Path(tempfile.mkdtemp(prefix="collegium-journey-"))
    place.chmod(0o755)
    with (
        Hospital(place) as running,
        httpx.Client(base_url=running.server.url, timeout=PATIENCE_S) as client,
    ):
        yield Desk(running, client)
    shutil.rmtree(place, ignore_errors=True)


@pytest.mark.requirement("C04", "C16", "C24")
def test_what_a_channel_is_told_arrives_and_what_goes_wrong_is_seen(desk: Desk, tmp_path: Path) -> None:
    desk.await_words("In force")
    desk.await_words("a configuration was received")

    desk.post(recipe="own", recipe_text=load_recipe("trial").text + "# The same, with a remark.\n")
    desk.await_words("version 2")
    desk.await_words("In force")

    desk.post(recipe="onward-clinical")
    desk.await_words("Waits for the site")

    exam = phantoms.ct_exam(tmp_path / "exam", slices=2, size=64, seed=1)
    desk.hospital.push(exam.files)
    desk.post(act="off", reason="the scanner moved")
    desk.await_words("Switched off")
    desk.await_match(r"<dt>Failures</dt><dd>[1-9]")
