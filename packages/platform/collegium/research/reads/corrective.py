"""A QC that asks for a corrective action asks the site, in the words of the check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from collegium.forms import queries as forms
from collegium.forms.definition import ItemKind
from collegium.research.data_queries.services import TEXT_LENGTH, open_subject_query
from collegium.research.projects import queries as projects
from collegium.research.projects.definition import QcVerdict, StepKind
from collegium.trust.access.permissions import Permission
from collegium.trust.access.queries import may

if TYPE_CHECKING:
    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task
    from collegium.research.reads.models import ReadVersion


def ask_site(actor: Actor, task: Task, version: ReadVersion) -> None:
    """Open a query to the subject's site when a signed check asks for a correction; else nothing.

    Where the subject has no site, or the checker's role handles no queries, the signed check alone says so.
    """
    step, subject = projects.definition(task.project_version).step(task.step), task.unit.subject
    if step.kind is not StepKind.QC or subject.site_id is None or not may(actor, Permission.QUERY_MANAGE):
        return
    answers = forms.counted_answers(version.entry)
    verdict = answers.get(step.verdict)
    if verdict is None or verdict.value != QcVerdict.CORRECT:
        return
    items = forms.form_of(version.entry).by_name
    said = [
        answer.value
        for name, answer in answers.items()
        if name in items and items[name].kind is ItemKind.TEXT
    ]
    words = " ".join(said) or _("The images cannot be read as they are. Please send them again.")
    visit = task.unit.visit.code if task.unit.visit else ""
    open_subject_query(actor=actor, subject_id=subject.id, text=words[:TEXT_LENGTH], visit_code=visit)
