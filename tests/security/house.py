"""Two organisations in one running installation, and everyone who may try a door of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx

from collegium_testkit import pacs, phantoms
from collegium_testkit.gateways import GatewayProcess
from collegium_testkit.installation import InstallationProcess
from collegium_testkit.patience import PATIENCE_S, until
from collegium_testkit.prepared import Prepared
from tests.security.tenants import EDITOR, SECOND_READER, STRANGER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collegium_testkit.seed import Seeded

_TOKEN = re.compile(r'csrfmiddlewaretoken" value="([^"]+)')
_READ = re.compile(r"/tasks/([0-9a-f-]{36})/read")
_GRANT = re.compile(r"/dicom-web/grants/([0-9a-f-]{36})")
SLICES = 3


@dataclass
class House:
    """A running installation with one exam, delivered by a real gateway; `ids` names what is in it."""

    place: Path
    server: InstallationProcess
    seeded: Seeded
    gateway: GatewayProcess
    tenants: dict[str, str]
    people: dict[str, httpx.Client] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def space(self) -> UUID:
        return UUID(self.seeded.space_id)

    def client(self) -> httpx.Client:
        """A browser that nobody has signed in with."""
        return httpx.Client(base_url=self.server.url, timeout=PATIENCE_S)

    def sign_in(self, email: str, client: httpx.Client, **more: str) -> None:
        token = _TOKEN.search(client.get("/accounts/login/").text)
        assert token
        form = {"login": email, "password": self.seeded.password, "csrfmiddlewaretoken": token[1], **more}
        answer = client.post("/accounts/login/", data=form)
        assert answer.status_code == 302, answer.text[:500]
        client.headers["X-CSRFToken"] = client.cookies["collegium_csrf"]

    def enrol(self, code: str) -> httpx.Response:
        body = {"protocol": 1, "code": code, "gateway_name": "tester", "software": "tester/1"}
        with self.client() as nobody:
            return nobody.post("/gateway/v1/enrol", json=body)

    def task_of(self, who: str) -> str:
        found: list[str] = []

        def has_one() -> bool:
            found.extend(_READ.findall(self.people[who].get("/tasks/").text))
            return bool(found)

        until(has_one, "a task", story=lambda: self.log_text[-2500:])
        return found[0]

    def open_read(self, who: str, task: str) -> str:
        """Open a task; the grant its page carries."""
        found = _GRANT.search(self.people[who].get(f"/tasks/{task}/read").text)
        assert found
        return found[1]

    def grant_json(self, who: str, grant: str, path: str = "studies") -> Any:  # Any: DICOM JSON
        answer = self.people[who].get(f"/dicom-web/grants/{grant}/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refresh(self) -> None:
        """Learn the ids (again) when the grant they name has ended."""
        grant = self.ids.get("grant_id")
        if not grant or self.people["reader"].get(f"/dicom-web/grants/{grant}/studies").status_code != 200:
            _learn(self)

    @property
    def log_text(self) -> str:
        return self.server.log_text + self.gateway.log_text


@contextmanager
def running(place: Path) -> Iterator[House]:
    """Start everything, send one exam, sign everybody in; whatever began ends with the block."""
    server = InstallationProcess(place / "server", copied=Prepared.SEEDED)
    with ExitStack() as begun:
        begun.callback(server.remove)
        begun.enter_context(server)
        yield _filled(place, server, begun)


def _filled(place: Path, server: InstallationProcess, begun: ExitStack) -> House:
    seeded = server.seed()
    made = subprocess.run(
        [sys.executable, "-m", "tests.security.tenants", seeded.space_id],
        env=server.environment, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr[-2000:]
    callers = ((seeded.calling_ae, "127.0.0.1"),)
    gateway = begun.enter_context(GatewayProcess(place / "hospital", server.url, callers=callers))
    gateway.enrol(server.url, seeded.gateway_code)
    gateway.start()
    phantoms.ct_exam(place / "ct", slices=SLICES, seed=7)
    sent = pacs.send(place / "ct", "127.0.0.1", gateway.receive_port, seeded.called_ae, seeded.calling_ae)
    assert {one.status for one in sent} == {pacs.SUCCESS}
    house = House(place, server, seeded, gateway, json.loads(made.stdout))
    emails = {
        "stranger": STRANGER[0], "viewer": seeded.viewer, "reader": seeded.reader, "second": SECOND_READER[0],
        "editor": EDITOR[0], "administrator": seeded.administrator,
    }  # fmt: skip
    codes = {"gateway": house.tenants["spare_code"], "foreign gateway": house.tenants["foreign_code"]}
    house.people = {who: begun.enter_context(house.client()) for who in (*emails, "nobody", *codes)}
    for who, email in emails.items():
        house.sign_in(email, house.people[who])
    for who, code in codes.items():
        house.people[who].headers["Authorization"] = f"Bearer {house.enrol(code).json()['token']}"
    house.refresh()
    return house


def _learn(house: House) -> None:
    """The ids an attacker would like to know."""
    task = house.task_of("reader")
    grant = house.open_read("reader", task)
    (study,) = house.grant_json("reader", grant)
    study_uid = study["0020000D"]["Value"][0]
    (series,) = house.grant_json("reader", grant, f"studies/{study_uid}/series")
    series_uid = series["0020000E"]["Value"][0]
    one = house.grant_json("reader", grant, f"studies/{study_uid}/series/{series_uid}/metadata")[0]
    exams = house.people["editor"].get(f"/projects/{house.space}/exams/").text
    exam = re.search(r"/exams/([0-9a-f-]{36})/", exams)
    assert exam
    house.ids = {
        **_people_and_queries(house, task),
        **_gateway(house),
        "task_id": task, "grant_id": grant, "study": study_uid, "series": series_uid,
        "instance": one["00080018"]["Value"][0], "exam_id": exam[1], "space_id": str(house.space),
        "mark_id": str(uuid4()), "frame": "1", "position": json.dumps(one["00200032"]["Value"]),
    }  # fmt: skip


def _gateway(house: House) -> dict[str, str]:
    """The gateway that brought the exam, and its channel."""
    administrator, listing = house.people["administrator"], f"/projects/{house.space}/gateways/"
    link = re.compile(r"/gateways/([0-9a-f-]{36})/channels/([0-9a-f-]{36})/")
    named = dict.fromkeys(re.findall(r"/gateways/([0-9a-f-]{36})/", administrator.get(listing).text))
    pages = (administrator.get(f"{listing}{gateway_id}/").text for gateway_id in named)
    found = next(match for match in map(link.search, pages) if match)
    return {"gateway_id": found[1], "channel_id": found[2]}


def _people_and_queries(house: House, task: str) -> dict[str, str]:
    """A member, and a closed query about the reader's task; both stay the same when the rest is learnt again."""
    if "query_id" in house.ids:
        return {name: house.ids[name] for name in ("membership_id", "query_id")}
    administrator, space = house.people["administrator"], f"/projects/{house.space}/"
    member = re.search(r"/people/([0-9a-f-]{36})/", administrator.get(f"{space}people/").text)
    opened = administrator.post(f"{space}queries/new", data={"task": task, "text": "Is this all there is?"})
    query = re.search(r"/queries/([0-9a-f-]{36})/", opened.headers["location"])
    assert member
    assert query
    administrator.post(f"{space}queries/{query[1]}/", data={"query-act": "close", "query-text": ""})
    return {"membership_id": member[1], "query_id": query[1]}
