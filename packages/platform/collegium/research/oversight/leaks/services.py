"""Check a project for leaks. It changes nothing but the trail, which says that the check ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.kit.database import acting_as
from collegium.kit.errors import NotFound
from collegium.research.oversight.leaks import queries
from collegium.research.oversight.leaks.asking import Asker
from collegium.research.oversight.leaks.crawl import Crawl, Limits
from collegium.research.oversight.leaks.judging import shared_names
from collegium.research.oversight.leaks.plan import planned, unplanned
from collegium.research.oversight.leaks.report import Report
from collegium.trust.access.queries import actor_in
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from collegium.kit.principals import Principal
    from collegium.research.oversight.leaks.asking import Application
    from collegium.research.oversight.leaks.plan import Route

JOB = "leak_check"


class ProjectUnclear(NotFound):
    code = "research.leaks.project_unclear"
    message = (
        "Name one project, by its name or id. Somebody in it must be able to see exams, subjects and history."
    )


def check(  # noqa: PLR0913  a check has this many facts
    *,
    principal: Principal,
    space_id: UUID,
    application: Application,
    routes: Sequence[Route],
    host: str,
    limits: Limits | None = None,
) -> Report:
    """Ask every route as every blinded person of a project and say what they are told and must not be.

    Args:
        principal: a member who may see all of the project; the check reads on their behalf.
        space_id: the project.
        application: the whole of it, byte paths and pages.
        routes: every route that it knows.
        host: a name that the application answers to.
        limits: how far to go.
    """
    job = principal.as_job(JOB)
    with acting_as(job, [space_id]):
        facts = queries.facts(actor_in(job, space_id))
    report = Report(facts.project, routes=len(routes), unplanned=unplanned(routes))
    blinded = [member for member in facts.members if member.is_blinded]
    report.people = tuple(member.title for member in blinded)
    asker = Asker(application, host=host)
    judges = []
    try:
        for member in blinded:
            crawl = Crawl(asker, facts, member, planned(routes), report, limits or Limits())
            judges.append(crawl.judge)
            crawl.run()
            report.add(shared_names(judges))
            if limits and limits.until_found and not report.is_clean:
                break
    finally:
        asker.close()
    with acting_as(job, [space_id]):
        record(
            actor_in(job, space_id), Action.LEAKS_CHECKED, "tenancy.space", space_id, new=report.facts(),
        )  # fmt: skip
    return report


def witness_of(project: str) -> tuple[Principal, UUID]:
    """A member who may see all of the project so named, and its id. Raises ProjectUnclear."""
    found = queries.witness(project)
    if len(found) != 1:
        raise ProjectUnclear
    return found[0]
