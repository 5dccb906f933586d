"""A blinded reader fetches everything there is to fetch: nothing that is hidden stands in any of it."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING
from uuid import uuid4

import pydicom
import pytest

if TYPE_CHECKING:
    import httpx

    from tests.security.house import House

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]

ROOMS = (
    "exams/",
    "exams/{exam_id}/",
    "results/",
    "gateways/",
    "gateways/{gateway_id}/",
    "gateways/{gateway_id}/channels/{channel_id}/",
    "subjects/",
    "visits/",
    "setup/",
    "setup/file",
    "tasks/",
    "history/",
)


@pytest.mark.requirement("R40", "R41", "R42", "R43")
def test_nothing_a_blinded_reader_can_fetch_holds_a_hidden_value(house: House) -> None:
    hidden = canaries(house)

    found = {
        str(answer.request.url): [name for name, value in hidden.items() if value in said(answer)]
        for answer in crawl(house, "reader")
    }

    assert len(hidden) > 10
    assert not {address: names for address, names in found.items() if names}


@pytest.mark.requirement("R43")
def test_the_leak_check_finds_a_running_project_clean_and_says_so_in_its_trail(house: House) -> None:
    ran = house.server.run("project", "leak-check", "--project", house.seeded.project, "--json")
    history = house.people["editor"].get(f"/projects/{house.space}/history/").text

    report = json.loads(ran.stdout or "{}")
    assert (report.get("leaks"), report.get("unplanned"), report.get("broken")) == ([], [], []), ran.stderr
    assert ran.returncode == 0
    assert len(report["people"]) >= 3
    assert "checked the blinding for leaks" in history


@pytest.mark.requirement("R43")
def test_a_project_that_nobody_knows_is_not_checked(house: House) -> None:
    ran = house.server.run("project", "leak-check", "--project", "No such project")

    assert ran.returncode == 1
    assert "Name one project" in ran.stderr


@pytest.mark.requirement("R42")
def test_two_readers_of_one_exam_see_no_name_in_common(house: House) -> None:
    first, second = (names_shown(house, who) for who in ("reader", "second"))

    assert len(first) >= 6
    assert not first & second


def canaries(house: House) -> dict[str, str]:
    """What the archive knows, and its people and places: by what it is."""
    editor = house.people["editor"]
    root = f"/dicom-web/spaces/{house.space}/studies"
    (study,) = editor.get(root).json()
    study_uid = study["0020000D"]["Value"][0]
    (series,) = editor.get(f"{root}/{study_uid}/series").json()
    series_uid = series["0020000E"]["Value"][0]
    instances = editor.get(f"{root}/{study_uid}/series/{series_uid}/metadata").json()
    day = study["00080020"]["Value"][0]
    known = {
        "subject": study["00100020"]["Value"][0],
        "study": study_uid,
        "series": series_uid,
        "frame of reference": instances[0]["00200052"]["Value"][0],
        "date": day,
        "date on screen": f"{day[:4]}-{day[4:6]}-{day[6:]}",
        "site": "Example hospital",
        "hospital": "Larkspur General",
        "second reader": "Canarysecond",
        "editor": "Canaryeditor",
        "administrator": "Ines Invented",
        "viewer": "Vera Invented",
        "spare gateway": "Canaryspare",
        "other tenant": "Canaryforeign",
        "visit": "Baseline",
        "exam": house.ids["exam_id"],
    }
    known |= {f"instance {at}": one["00080018"]["Value"][0] for at, one in enumerate(instances)}
    originals = [pydicom.dcmread(path) for path in sorted((house.place / "ct").rglob("*.dcm"))]
    known |= {f"original {at}": str(one.SOPInstanceUID) for at, one in enumerate(originals)}
    known |= {f"digest {at}": hashlib.sha256(one.PixelData).hexdigest() for at, one in enumerate(originals)}
    return known


def crawl(house: House, who: str) -> list[httpx.Response]:
    """Every page, document, frame, search and refusal that this person can make the server say."""
    client, task = house.people[who], house.task_of(who)
    grant = house.open_read(who, task)
    root = f"/dicom-web/grants/{grant}/studies"
    (study,) = house.grant_json(who, grant)
    series = f"{root}/{study['0020000D']['Value'][0]}/series"
    (line,) = client.get(series).json()
    inside = f"{series}/{line['0020000E']['Value'][0]}"
    instances = client.get(f"{inside}/instances").json()
    frames = [f"{inside}/instances/{one['00080018']['Value'][0]}/frames" for one in instances]
    space = f"/projects/{house.space}/"
    addresses = [
        "/", "/tasks/", "/tasks/?state=open", "/tasks/?q=01", "/projects/", "/projects/?q=e", space, root, series,
        f"{root}?PatientID=*&includefield=all", f"{inside}/instances", f"{inside}/metadata", f"/tasks/{task}/read",
        f"/api/v1/grants/{grant}/marks", f"/dicom-web/spaces/{house.space}/studies",
        f"/dicom-web/grants/{uuid4()}/studies",
        *(f"{space}{room.format(**house.ids)}" for room in ROOMS),
        *(f"{frame}/{number}" for frame in frames for number in (1, 2)),
    ]  # fmt: skip
    wrong = {"op_id": str(uuid4()), "base_revision": 99, "changes": {"quality": {"text": "3"}}}
    mark = {
        "op_id": str(uuid4()),
        "base_revision": 0,
        "kind": "length",
        "series_uid": "1.2",
        "instance_uid": "1.2",
    }
    return [
        *(client.get(address) for address in addresses),
        client.post(f"/api/v1/tasks/{task}/changes", json=wrong),
        client.post(f"/api/v1/tasks/{task}/submit", json={"revision": 99}),
        client.post(f"/api/v1/tasks/{task}/sign", json={"password": "x", "digest": "x"}),
        client.put(f"/api/v1/grants/{grant}/marks/{uuid4()}", json=mark),
    ]


def said(answer: httpx.Response) -> str:
    return f"{answer.headers}\n{answer.content.decode('latin-1')}"


def names_shown(house: House, who: str) -> set[str]:
    """The label and every UID of ours that a reader's images carry."""
    grant = house.open_read(who, house.task_of(who))
    (study,) = house.grant_json(who, grant)
    series = f"studies/{study['0020000D']['Value'][0]}/series"
    (line,) = house.grant_json(who, grant, series)
    text = str(house.grant_json(who, grant, f"{series}/{line['0020000E']['Value'][0]}/metadata"))
    return {*re.findall(r"2\.25\.\d+", text), study["00100020"]["Value"][0]}
