"""What each role of a new project may do, in one sentence a person can check before giving it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.utils.functional import _StrPromise

ROLE_WORDS: dict[str, _StrPromise] = {
    "Administrator": _(
        "Sets the project up, manages people, tasks and gateways, sees all results and exports them. Reads nothing."
    ),
    "Editor": _(
        "Sees subjects, exams, all tasks, the progress and the history, and sends exams in. Reads nothing."
    ),
    "Viewer": _("Sees that the project exists, how it is set up and who takes part. No subjects, no images."),
    "Reader": _(
        "Reads the images of the own tasks, blinded as each step says, and signs. Sees nothing of others."
    ),
    "Adjudicator": _("Settles reads that differ, in the own tasks, blinded as the step says, and signs."),
    "Data manager": _(
        "Checks images and fills in forms in the own tasks, lists subjects, asks and closes queries. No results."
    ),
    "Site user": _(
        "Sees the subjects of the own site alone, lists new ones, fills in its forms and answers its queries."
    ),
    "Monitor": _(
        "Sees subjects, all tasks, people and the history, asks queries, and may ask to unblind. Changes nothing else."
    ),
    "Sponsor viewer": _(
        "Sees the progress alone; the final results too, once two people have opened them. No images, no single reads."
    ),
}


def explained(roles: Iterable[str]) -> list[tuple[str, str]]:
    """Each role with its sentence; a role that a project made itself has none."""
    return [(role, str(ROLE_WORDS.get(role, ""))) for role in roles]
