"""Every address of the house, for everyone: what each may do, and that a foreign id looks like an invented one."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from uuid import uuid4

import django
import pytest
from django.urls import get_resolver

if TYPE_CHECKING:
    import httpx

    from tests.security.house import House

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]

WHO = (
    "nobody", "stranger", "viewer", "reader", "second", "editor", "administrator", "gateway", "foreign gateway",
)  # fmt: skip
SPACE, TASK, GRANT = "projects/{space_id}/", "tasks/{task_id}/", "dicom-web/grants/{door_id}/"
ARCHIVE, API = "dicom-web/spaces/{door_id}/", "api/v1/tasks/{task_id}/"
STUDY = "studies/{study}/series"
INSTANCES = f"{STUDY}/{{series}}/instances"
DELIVERY = "gateway/v1/deliveries/{delivery_id}"

# In the order of WHO. What needs more than an address (a body, a CSRF token) is sent without, so 422 says
# "allowed, if you had said something". 302 of nobody is the way to the sign-in page.
EVERYONE = (200,) * 9
PAGE = (302, 200, 200, 200, 200, 200, 200, 302, 302)
MEMBERS = (302, 404, 200, 200, 200, 200, 200, 302, 302)
NOT_READERS = (302, 404, 200, 403, 403, 200, 200, 302, 302)
EDITORS = (302, 404, 403, 403, 403, 200, 200, 302, 302)
ADMINISTRATOR = (302, 404, 403, 403, 403, 403, 200, 302, 302)
OWN_READ = (302, 404, 404, 200, 404, 404, 404, 302, 302)
OWN_GRANT = (401, 404, 404, 200, 404, 404, 404, 401, 401)
NO_BODY = (403, 422, 422, 422, 422, 422, 422, 403, 403)
IN_ARCHIVE = (401, 404, 404, 404, 404, 200, 200, 401, 401)
INTO_ARCHIVE = (401, 404, 404, 404, 404, 422, 422, 401, 401)
OWN_DELIVERY = (401, 401, 401, 401, 401, 401, 401, 404, 404)
MESSAGE = (401, 401, 401, 401, 401, 401, 401, 422, 422)

TABLE: dict[tuple[str, str], tuple[int | None, ...]] = {
    ("GET", ""): PAGE,
    ("GET", "health"): EVERYONE,
    ("GET", "accounts/login/"): (200, 302, 302, 302, 302, 302, 302, 200, 200),
    ("GET", "accounts/logout/"): (302, 200, 200, 200, 200, 200, 200, 302, 302),
    ("GET", "tasks/"): PAGE,
    ("GET", f"{TASK}read"): OWN_READ,
    ("GET", f"{TASK}conflict"): OWN_READ,
    ("POST", f"{TASK}conflict"): (403, 404, 404, 422, 404, 404, 404, 403, 403),
    ("POST", f"{API}changes"): NO_BODY,
    ("POST", f"{API}submit"): NO_BODY,
    ("POST", f"{API}sign"): NO_BODY,
    ("POST", f"{API}correct"): NO_BODY,
    ("GET", "api/v1/grants/{grant_id}/marks"): OWN_GRANT,
    ("PUT", "api/v1/grants/{grant_id}/marks/{mark_id}"): (403, 404, 404, 422, 404, 404, 404, 403, 403),
    ("DELETE", "api/v1/grants/{grant_id}/marks/{mark_id}"): (403, 404, 404, 422, 404, 404, 404, 403, 403),
    ("GET", "projects/"): PAGE,
    ("GET", "de-identify/"): PAGE,
    ("GET", SPACE): MEMBERS,
    ("GET", f"{SPACE}exams/"): EDITORS,
    ("GET", f"{SPACE}exams/{{exam_id}}/"): EDITORS,
    ("GET", f"{SPACE}exams/{{exam_id}}/images/"): EDITORS,
    ("GET", f"{SPACE}results/"): ADMINISTRATOR,
    ("POST", f"{SPACE}results/csv"): (403, 404, 403, 403, 403, 403, None, 403, 403),
    ("GET", f"{SPACE}gateways/"): ADMINISTRATOR,
    ("POST", f"{SPACE}gateways/"): (403, 404, 403, 403, 403, 403, 200, 403, 403),
    ("GET", f"{SPACE}gateways/{{gateway_id}}/"): ADMINISTRATOR,
    ("POST", f"{SPACE}gateways/{{gateway_id}}/"): (403, 404, 403, 403, 403, 403, 404, 403, 403),
    ("GET", f"{SPACE}gateways/{{gateway_id}}/channels/new"): ADMINISTRATOR,
    ("POST", f"{SPACE}gateways/{{gateway_id}}/channels/new"): (403, 404, 403, 403, 403, 403, 422, 403, 403),
    ("GET", f"{SPACE}gateways/{{gateway_id}}/channels/{{channel_id}}/"): ADMINISTRATOR,
    ("POST", f"{SPACE}gateways/{{gateway_id}}/channels/{{channel_id}}/"): (
        403,
        404,
        403,
        403,
        403,
        403,
        404,
        403,
        403,
    ),
    ("GET", f"{SPACE}subjects/"): EDITORS,
    ("GET", f"{SPACE}visits/"): ADMINISTRATOR,
    ("POST", f"{SPACE}visits/"): (403, 404, 403, 403, 403, 403, 404, 403, 403),
    ("GET", f"{SPACE}setup/"): ADMINISTRATOR,
    ("POST", f"{SPACE}setup/"): (403, 404, 403, 403, 403, 403, 422, 403, 403),
    ("GET", f"{SPACE}setup/file"): NOT_READERS,
    ("GET", f"{SPACE}tasks/"): EDITORS,
    ("GET", f"{SPACE}tasks/{{task_id}}/"): EDITORS,
    ("POST", f"{SPACE}tasks/{{task_id}}/"): (403, 404, 403, 403, 403, 403, 422, 403, 403),
    ("POST", f"{SPACE}discrepancies/{{discrepancy_id}}"): (403, 404, 403, 403, 403, 403, 422, 403, 403),
    ("GET", f"{SPACE}history/"): EDITORS,
    ("GET", f"{SPACE}people/"): NOT_READERS,
    ("POST", f"{SPACE}people/"): (403, 404, 403, 403, 403, 403, 422, 403, 403),
    ("GET", f"{SPACE}people/{{membership_id}}/"): ADMINISTRATOR,
    ("POST", f"{SPACE}people/{{membership_id}}/"): (403, 404, 403, 403, 403, 403, 404, 403, 403),
    ("GET", f"{SPACE}queries/"): (302, 404, 403, 200, 200, 403, 200, 302, 302),
    ("GET", f"{SPACE}queries/new"): ADMINISTRATOR,
    ("POST", f"{SPACE}queries/new"): (403, 404, 403, 403, 403, 403, 200, 403, 403),
    ("GET", f"{SPACE}queries/{{query_id}}/"): (302, 404, 403, 200, 404, 403, 200, 302, 302),
    ("POST", f"{SPACE}queries/{{query_id}}/"): (403, 404, 403, 404, 404, 403, 404, 403, 403),
    ("GET", f"{SPACE}site/"): ADMINISTRATOR,
    ("POST", f"{SPACE}site/"): (403, 404, 403, 403, 403, 403, 404, 403, 403),
    ("GET", f"{SPACE}board/"): EDITORS,
    ("GET", f"{SPACE}unblinding/"): ADMINISTRATOR,
    ("POST", f"{SPACE}unblinding/"): (403, 404, 403, 403, 403, 403, 404, 403, 403),
    ("GET", f"{GRANT}studies"): OWN_GRANT,
    ("GET", f"{GRANT}{STUDY}"): OWN_GRANT,
    ("GET", f"{GRANT}{STUDY}/{{series}}/metadata"): OWN_GRANT,
    ("GET", f"{GRANT}{INSTANCES}"): OWN_GRANT,
    ("GET", f"{GRANT}{INSTANCES}/{{instance}}"): (401, *[404] * 6, 401, 401),  # images are never files
    ("GET", f"{GRANT}{INSTANCES}/{{instance}}/frames/{{frame}}"): OWN_GRANT,
    ("GET", f"{ARCHIVE}studies"): IN_ARCHIVE,
    ("GET", f"{ARCHIVE}{STUDY}"): (401, *[404] * 6, 401, 401),  # the UIDs of the grant are not the archive's
    ("GET", f"{ARCHIVE}{STUDY}/{{series}}/metadata"): (401, *[404] * 6, 401, 401),
    ("GET", f"{ARCHIVE}{INSTANCES}"): (401, *[404] * 6, 401, 401),
    ("GET", f"{ARCHIVE}{INSTANCES}/{{instance}}/frames/{{frame}}"): (401, *[404] * 6, 401, 401),
    ("POST", f"{ARCHIVE}studies"): INTO_ARCHIVE,
    ("POST", f"{ARCHIVE}studies/{{study}}"): INTO_ARCHIVE,
    ("GET", "live"): (401, 200, 200, 200, 200, 200, 200, 401, 401),
    ("GET", "notifications/"): PAGE,
    ("GET", "notifications/bell"): PAGE,
    ("POST", "notifications/seen"): (403, *[302] * 6, 403, 403),
    ("POST", "notifications/mail"): (403, *[302] * 6, 403, 403),
    ("POST", "gateway/v1/enrol"): (422,) * 9,
    ("POST", "gateway/v1/heartbeat"): MESSAGE,
    ("POST", "gateway/v1/line"): (*[401] * 7, 200, 200),
    ("PUT", DELIVERY): MESSAGE,
    ("GET", DELIVERY): OWN_DELIVERY,
    ("POST", f"{DELIVERY}/objects"): MESSAGE,
    ("POST", f"{DELIVERY}/complete"): OWN_DELIVERY,
}
"""Each route's own method. `None`: tried by another test, because it succeeds and leaves something."""

OTHER_DOORS = {("GET", "dicom-web/{rest}")}
"""What stands for every address that is none."""

WITH_IDS = sorted(key for key in TABLE if "_id}" in key[1] and None not in TABLE[key])


@pytest.mark.requirement("R02")
def test_every_route_of_the_house_stands_in_the_table() -> None:
    assert known_routes() <= {path for _method, path in TABLE} | {path for _method, path in OTHER_DOORS}


@pytest.mark.requirement("R02", "R03")
@pytest.mark.parametrize("key", sorted(TABLE), ids=" ".join)
def test_everyone_gets_what_the_table_says(house: House, key: tuple[str, str]) -> None:
    method, path = key
    expected = {who: status for who, status in zip(WHO, TABLE[key], strict=True) if status is not None}

    found = {who: asked(house, who, method, path).status_code for who in expected}

    assert found == expected


@pytest.mark.requirement("R02")
@pytest.mark.parametrize("key", WITH_IDS, ids=" ".join)
def test_a_foreign_id_is_answered_like_an_invented_one(house: House, key: tuple[str, str]) -> None:
    method, path = key
    invented = {name: str(uuid4()) for name in ("space_id", "task_id", "grant_id", "door_id")}
    outsiders = [who for who, status in zip(WHO, TABLE[key], strict=True) if status not in {200, 422, 403}]

    real = {who: told(asked(house, who, method, path), house, invented) for who in outsiders}
    made_up = {who: told(asked(house, who, method, path, invented), house, invented) for who in outsiders}

    assert real == made_up


@pytest.mark.requirement("R03")
@pytest.mark.parametrize("address", ["/", "/tasks/?state=open", "/projects/?q=CT", "/projects/"])
def test_no_list_or_search_of_another_organisation_shows_anything_of_ours(house: House, address: str) -> None:
    page = house.people["stranger"].get(address).text

    assert "CT lesion pilot" not in page
    assert house.seeded.space_id not in page
    assert "R-" not in page.split("<main", 1)[-1]


def known_routes() -> set[str]:
    """Every address of Django and Starlette, parameters by name alone."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collegium.settings.django")
    django.setup()
    from collegium import wiring

    pages = {
        re.sub(r"<[a-z]+:(\w+)>", r"{\1}", str(one.pattern))
        for one in get_resolver("collegium.web.urls").url_patterns
    }
    moved = {re.sub(r"{(\w+):\w+}", r"{\1}", route.path).lstrip("/") for route in wiring.byte_paths()}  # type: ignore[attr-defined]  # all are Routes
    return pages | moved


def asked(
    house: House, who: str, method: str, path: str, instead: dict[str, str] | None = None
) -> httpx.Response:
    ids = {**house.ids, "door_id": house.ids["grant_id" if "grants" in path else "space_id"]}
    ids |= dict.fromkeys(("delivery_id", "discrepancy_id"), "0195d000-0000-7000-8000-000000000001")
    ids |= instead or {}
    if instead and path.startswith(GRANT):
        ids["door_id"] = instead["door_id"]
    client = house.people[who]
    answer = client.send(client.build_request(method, "/" + path.format(**ids)), stream=True)
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        answer.close()  # it would not end by itself
    else:
        answer.read()
    return answer


def told(answer: httpx.Response, house: House, invented: dict[str, str]) -> tuple[object, ...]:
    """Everything an answer says, without what differs at any time and without the id that was asked for."""
    text, moved = answer.text, answer.headers.get("location", "")
    for one in [*house.ids.values(), *invented.values()]:
        if one and "-" in one:
            text, moved = text.replace(one, "ID"), moved.replace(one, "ID")
    text = re.sub(r'("reference": ?"|X-Reference|<code[^>]*>)[0-9a-f]{8}', "REFERENCE", text)
    text = re.sub(r'name="csrf-token" content="[^"]+"|value="[A-Za-z0-9]{64}"', "TOKEN", text)
    text = re.sub(r"\b[0-9a-f]{8}\b", "REFERENCE", text)
    ignored = {"date", "x-reference", "set-cookie", "content-length", "location"}
    headers = {name: value for name, value in answer.headers.items() if name not in ignored}
    return answer.status_code, headers, moved, text
