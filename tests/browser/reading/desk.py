"""A signed-in reader in front of one open task, on a real server."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from typing import TYPE_CHECKING

from collegium_testkit.patience import PATIENCE_S

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    from collegium_testkit.installation import InstallationProcess
    from collegium_testkit.seed import Seeded

BEHIND = """
import json, os, sys, traceback
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what is logged is no answer
import django; django.setup()
from django.db import connections
from collegium import wiring; wiring.connect()
for line in sys.stdin:
    done = {"told": "", "failed": ""}
    try:
        exec(json.loads(line), done)
    except Exception:
        done["failed"] = traceback.format_exc()
    connections.close_all()
    print(json.dumps([done["told"], done["failed"]]), file=answers, flush=True)
"""

# An exam without pixels is enough: these tests are about the form beside the viewer.
ARRIVE = """
from collegium.kit.database import acting_as
from collegium.kit.principals import Actor, Principal
from collegium.research.pipeline import queries, services
from collegium.research.pipeline.publishing import publish_project
from collegium.trust.access.queries import actor_in
from collegium.trust.access.services import found_space
from collegium.trust.identity.queries import account_by_email
from collegium.trust.tenancy.models import SpaceKind
from collegium.trust.tenancy.queries import spaces_of
from collegium.trust.tenancy.services import add_member
from collegium_testkit.study import stored_exam
from collegium_testkit.world import Person, World
with acting_as(Principal.system()):
    admin, reader = account_by_email({admin!r}), account_by_email({reader!r})
with acting_as(admin.principal):
    spaces = spaces_of(admin.principal, SpaceKind.PROJECT)
    space = spaces.get(id={space!r})
    if {own!r}:
        officer = Actor(admin.principal, organisation_id=space.organisation_id, role="Officer")
        known = spaces.filter(name={own!r}).first()
        own = known.id if known else found_space(
            actor=officer, kind=SpaceKind.PROJECT, name={own!r}, founder=admin.principal
        )
        space = spaces.get(id=own)
world = World(space.organisation_id, space.id, Person(admin.principal, admin.email, admin.full_name))
with acting_as(admin.principal, [space.id]):
    if {project!r}:
        publish_project(actor=actor_in(admin.principal, space.id), text={project!r})
    if {own!r} and not known:
        add_member(actor=actor_in(admin.principal, space.id), principal=reader.principal, role="Reader")
    exam = stored_exam(world, {subject!r}, "20240105")
    services.place_exam(actor=actor_in(admin.principal, space.id), exam_id=exam, subject_code={subject!r})
with acting_as(reader.principal):
    told = str([task.id for task in queries.my_tasks(reader.principal) if task.unit.exam_id == exam][0])
"""

# Images of an exam that is there already, as a gateway delivers what a scanner sends late.
SUPPLEMENT = """
from uuid import UUID
from collegium.kit.database import acting_as
from collegium.kit.principals import Principal
from collegium.research.pipeline import queries, services
from collegium.trust.access.queries import actor_in
from collegium.trust.identity.queries import account_by_email
with acting_as(Principal.system()):
    admin = account_by_email({admin!r})
with acting_as(admin.principal, [UUID({space!r})]):
    actor = actor_in(admin.principal, UUID({space!r}))
    found = queries.placements(actor).get(subject__code={subject!r})
    services.place_exam(actor=actor, exam_id=found.exam_id, subject_code={subject!r}, supplement=True)
"""


class Behind:
    """Does on the server what is no part of a test: one process for all of them, since its start takes two seconds."""

    def __init__(self, server: InstallationProcess) -> None:
        with server.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", BEHIND], env=server.environment, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip

    def do(self, script: str) -> str:
        """Run a script with Django set up; what it leaves in `told`."""
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(script), file=self._process.stdin, flush=True)
        told, failed = json.loads(self._process.stdout.readline())
        assert not failed, failed
        return str(told)

    def end(self) -> None:
        self._process.communicate(timeout=PATIENCE_S)


_numbers = itertools.count(1)


class Reading:
    """A signed-in reader with one open task, of a subject that no other test has."""

    def __init__(
        self,
        server: InstallationProcess,
        behind: Behind,
        seeded: Seeded,
        context: BrowserContext,
        project: str = "",
        *,
        own_space: str = "",
    ) -> None:
        words = {
            "admin": seeded.administrator,
            "reader": seeded.reader,
            "space": seeded.space_id,
            "subject": f"R-{next(_numbers):04}",
            # A project keeps the forms that answers rest on: another form is another project.
            "own": own_space,
            "project": project,
        }
        self.server, self.words, self.behind = server, words, behind
        self.address = f"{server.url}/tasks/{behind.do(ARRIVE.format(**words))}/read"
        self.context = context

    def late_images(self) -> None:
        """Images of the exam come after the task was opened; only in the project that `seeded` names."""
        self.behind.do(SUPPLEMENT.format(**self.words))

    def window(self) -> Page:
        page = self.context.new_page()
        page.goto(self.address)
        return page
