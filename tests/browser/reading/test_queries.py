"""A query beside its item: answered where it stands, while what is typed elsewhere stays. Real server, real browser."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from collegium_testkit.browser import chromium_path
from tests.browser.reading.desk import until

if TYPE_CHECKING:
    from collegium_testkit.installation import InstallationProcess
    from collegium_testkit.seed import Seeded
    from tests.browser.reading.desk import Reading

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium_path() is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(300),
]

ASK = """
import sys
from uuid import UUID
import django; django.setup()
from collegium import wiring; wiring.connect()
from collegium.kit.database import acting_as
from collegium.research.data_queries.services import open_task_query
from collegium.trust.access.queries import actor_in
from collegium.trust.identity.queries import account_by_email
admin, space, task, text, item = sys.argv[1:]
with acting_as(principal := account_by_email(admin).principal, [UUID(space)]):
    open_task_query(actor=actor_in(principal, UUID(space)), task_id=UUID(task), text=text, item=item)
"""


def ask(place: tuple[InstallationProcess, Seeded], reading: Reading, text: str, item: str) -> None:
    """The administrator asks about the reader's task."""
    server, seeded = place
    task = re.search(r"/tasks/([0-9a-f-]{36})/", reading.address)
    assert task
    done = subprocess.run(
        [sys.executable, "-c", ASK, seeded.administrator, seeded.space_id, task[1], text, item],
        env=server.environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.requirement("R56")
def test_a_query_is_answered_beside_its_item_and_the_page_stays_where_it_is(
    place: tuple[InstallationProcess, Seeded], reading: Reading
) -> None:
    ask(place, reading, "Is the quality really that good?", "quality")
    page = reading.window()
    page.locator("[data-item=quality] input[data-answer]").fill("4")
    beside = page.locator("[data-item=quality] .query-note")

    beside.locator("summary").click()
    beside.locator("textarea").fill("It is. The contrast is late, but even.")
    beside.get_by_role("button", name="Send answer").click()
    until(lambda: "Answered" in beside.inner_text(), "an answered query")

    assert "The contrast is late, but even." in beside.inner_text()
    assert page.url == reading.address
    assert page.locator("[data-item=quality] input[data-answer]").input_value() == "4"


@pytest.mark.requirement("R56")
def test_an_empty_answer_is_told_beside_it_and_can_be_mended(
    place: tuple[InstallationProcess, Seeded], reading: Reading
) -> None:
    ask(place, reading, "Is there anything else?", "")
    page = reading.window()
    above = page.locator(".query-note").first

    above.locator("summary").click()
    above.get_by_role("button", name="Send answer").click()
    until(lambda: "Write what you want to say" in above.inner_text(), "what is missing")
    above.locator("textarea").fill("No.")
    above.get_by_role("button", name="Send answer").click()

    until(lambda: "Answered" in above.inner_text(), "an answered query")
