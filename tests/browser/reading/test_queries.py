"""A query beside its item: answered where it stands, while what is typed elsewhere stays. Real server, real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from collegium_testkit.browser import chromium_path
from collegium_testkit.patience import until

if TYPE_CHECKING:
    from tests.browser.reading.desk import Reading

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium_path() is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(900),
]

ASK = """
from uuid import UUID
from collegium.kit.database import acting_as
from collegium.research.data_queries.services import open_task_query
from collegium.trust.access.queries import actor_in
from collegium.trust.identity.queries import account_by_email
space = UUID({space!r})
with acting_as(principal := account_by_email({admin!r}).principal, [space]):
    open_task_query(actor=actor_in(principal, space), task_id=UUID({task!r}), text={text!r}, item={item!r})
"""


def ask(reading: Reading, text: str, item: str) -> None:
    """The administrator asks about the reader's task."""
    task = re.search(r"/tasks/([0-9a-f-]{36})/", reading.address)
    assert task
    reading.behind.do(ASK.format(**reading.words, task=task[1], text=text, item=item))


@pytest.mark.requirement("R56")
def test_a_query_is_answered_beside_its_item_and_the_page_stays_where_it_is(reading: Reading) -> None:
    ask(reading, "Is the quality really that good?", "quality")
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
def test_an_empty_answer_is_told_beside_it_and_can_be_mended(reading: Reading) -> None:
    ask(reading, "Is there anything else?", "")
    page = reading.window()
    above = page.locator(".query-note").first

    above.locator("summary").click()
    above.get_by_role("button", name="Send answer").click()
    until(lambda: "Write what you want to say" in above.inner_text(), "what is missing")
    above.locator("textarea").fill("No.")
    above.get_by_role("button", name="Send answer").click()

    until(lambda: "Answered" in above.inner_text(), "an answered query")
