"""What the people of the seeded trial do without a window: the boring parts of a journey, through the services.

python -m tests.journeys.trial_acts SPACE < acts.json

`["do", subject, step, answers]` does every open task of a step; `["read", subject, lesion, answers, people]` the open
readings of these people (e-mail addresses), with the lesion measured as T1; `["ask", subject, step, text]` makes the
administrator open a query about the first open task of a step.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any
from uuid import UUID

from collegium_testkit.play import Play

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    """Do them in their order."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collegium.settings.django")
    import django

    django.setup()
    from collegium import wiring

    wiring.connect()
    play = Play(UUID(sys.argv[1]), [])
    known: dict[str, Callable[..., None]] = {"do": do, "read": read, "ask": ask}
    for name, *rest in json.load(sys.stdin):
        known[name](play, *rest)


def do(play: Play, subject: str, step: str, answers: dict[str, str]) -> None:
    play._do(subject, step, _said(answers))


def read(
    play: Play, subject: str, lesion: dict[str, Any], answers: dict[str, str], people: list[str]  # Any: JSON
) -> None:  # fmt: skip
    readers = {play._person(email).text for email in people}
    for task in play._open(subject, "reading"):
        if task.assignee in readers:
            play._do_one(task, _said(answers), lesion=lesion, is_first="new_lesion" not in answers)


def ask(play: Play, subject: str, step: str, text: str) -> None:
    from collegium.kit.database import acting_as
    from collegium.research.data_queries.services import open_task_query

    administrator = play._person("admin@demo.example")
    task = play._open(subject, step)[0]
    with acting_as(administrator, [play.space_id]):
        open_task_query(actor=play._actor(administrator), task_id=task.id, text=text)


def _said(answers: dict[str, str]) -> dict[str, dict[str, str]]:
    return {path: {"text": text} for path, text in answers.items()}


if __name__ == "__main__":
    main()
