"""What somebody sends who means no good: forged requests, wrong numbers, other people's things, races."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    import httpx

    from tests.security.house import House

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]

ELSEWHERE = (
    "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "http:evil.example",
    "javascript:alert(1)",
)  # fmt: skip
UNREADABLE = (
    b"", b"\xff\xfe{}", b"[]", b'{"op_id": 1}', b"{" + b" " * 100_000,
    b'{"op_id": "x", "base_revision": 0, "changes": {}}',
    b'{"op_id": "00000000-0000-4000-8000-000000000000", "base_revision": NaN, "changes": {}}',
    b'{"op_id": "00000000-0000-4000-8000-000000000000", "base_revision": true, "changes": {}}',
    b'{"op_id": "00000000-0000-4000-8000-000000000000", "base_revision": 0, "changes": {"quality": 5}}',
    b'{"op_id": "00000000-0000-4000-8000-000000000000", "base_revision": 0, "changes": {"quality": {"text": ["1"]}}}',
    b'{"op_id": "00000000-0000-4000-8000-000000000000", "base_revision": 0, "changes": {"__proto__": {"text": "1"}}}',
    b'{"op_id": "00000000-0000-4000-8000-000000000000", "base_revision": 0, "changes": {"diameter": {"text": "9"}}}',
    b"[" * 30_000,
    b'{"op_id": "00000000-0000-4000-8000-000000000000", "base_revision": 0, "changes": {"a": {"text": "\\u0000"}}}',
    b'{"op_id": "00000000-0000-4000-8000-000000000000", "base_revision": 0, "changes": {"a": {"text": "\\ud800"}}}',
)  # fmt: skip
NO_NUMBERS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e400",
    "1e999999",
    "1e99999999999999999999",
    "true",
    "null",
    '"1"',
    "[1]",
)
ODD_ADDRESSES = (
    ("/projects/{space_id}/exams/?q=%00", 200), ("/projects/{space_id}/results/?step=%00", 200),
    ("/dicom-web/spaces/{space_id}/studies?PatientID=%00", 422),
    ("/dicom-web/spaces/{space_id}/studies?limit=%C2%B2", 422),
    ("/dicom-web/spaces/{space_id}/studies/%00/series", 404),
    ("/dicom-web/spaces/{space_id}/studies/1/series/1/instances/1/frames/" + "9" * 5000, 404),
)  # fmt: skip
PLACE = {"points": [[-127.75, -127.75, -30.0], [-117.75, -127.75, -30.0]], "image_points": [[0, 0], [20, 0]]}


@pytest.mark.requirement("S04")
@pytest.mark.parametrize("address", ELSEWHERE)
def test_signing_in_never_leads_elsewhere(house: House, address: str) -> None:
    with house.client() as client:
        client.cookies.set("collegium_session", "chosen-by-somebody-else-000000000")
        house.sign_in(house.seeded.viewer, client, next=address)
        kept = client.cookies.get("collegium_session", domain="127.0.0.1") or ""

        assert client.get("/").status_code == 200
        assert not kept.startswith("chosen")


@pytest.mark.requirement("S04")
@pytest.mark.parametrize("address", ELSEWHERE)
def test_the_answer_to_a_sign_in_names_no_other_host(house: House, address: str) -> None:
    with house.client() as client:
        page = client.get("/accounts/login/", params={"next": address})
        token = page.text.split('csrfmiddlewaretoken" value="')[1].split('"')[0]
        form = {
            "login": house.seeded.viewer, "password": house.seeded.password, "csrfmiddlewaretoken": token,
            "next": address,
        }  # fmt: skip

        assert client.post("/accounts/login/", data=form).headers["location"] == "/"


@pytest.mark.requirement("S04")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", f"/api/v1/tasks/{{task_id}}/{act}") for act in ("changes", "submit", "sign", "correct")),
        *(
            ("POST", f"/projects/{{space_id}}/{page}")
            for page in ("tasks/", "gateways/", "setup/", "results/csv")
        ),
        ("PUT", "/api/v1/grants/{grant_id}/marks/{mark_id}"),
        ("DELETE", "/api/v1/grants/{grant_id}/marks/{mark_id}"),
        ("POST", "/accounts/logout/"),
    ],
)
@pytest.mark.parametrize("who", ["reader", "administrator"])
def test_a_request_from_another_site_changes_nothing(house: House, who: str, method: str, path: str) -> None:
    with house.client() as forged:
        forged.cookies.set("collegium_session", session_of(house.people[who]))

        assert forged.request(method, path.format(**house.ids), data={"a": "b"}).status_code == 403


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a"]
)
def test_what_a_page_elsewhere_can_send_is_not_taken_into_the_archive(house: House, kind: str) -> None:
    answer = house.people["administrator"].post(
        f"/dicom-web/spaces/{house.space}/studies",
        content=b"--a\r\n\r\nx\r\n--a--",
        headers={"Content-Type": kind},
    )

    assert answer.status_code == 422


@pytest.mark.parametrize("body", UNREADABLE, ids=range(len(UNREADABLE)))
def test_a_change_that_is_none_is_refused_and_explained(house: House, body: bytes) -> None:
    house.people["second"].get(f"/tasks/{house.task_of('second')}/read")

    answer = house.people["second"].post(
        f"/api/v1/tasks/{house.task_of('second')}/changes",
        content=body,
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code in {409, 422}
    assert answer.json()["code"]


@pytest.mark.parametrize(("address", "status"), ODD_ADDRESSES, ids=range(len(ODD_ADDRESSES)))
def test_an_address_with_what_cannot_be_is_answered_calmly(house: House, address: str, status: int) -> None:
    assert house.people["administrator"].get(address.format(**house.ids)).status_code == status


def test_a_form_is_no_change(house: House) -> None:
    answer = house.people["second"].post(
        f"/api/v1/tasks/{house.task_of('second')}/changes",
        content=b"--x",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )

    assert answer.status_code == 422


def test_an_enrolment_is_small_and_holds_no_nul(house: House) -> None:
    with house.client() as nobody:
        large = nobody.post("/gateway/v1/enrol", content=b" " * 20_000)

    assert large.json()["code"] == "connections.body.too_large"
    assert house.enrol("a\0").status_code == 422


@pytest.mark.parametrize("number", NO_NUMBERS)
@pytest.mark.parametrize("name", ["base_revision", "frame", "points"])
def test_a_mark_with_no_number_is_refused(house: House, name: str, number: str) -> None:
    body = json.dumps(drawn(house)).replace(f'"{name}": ', f'"{name}": {number}, "x": ', 1)
    answer = house.people["reader"].put(
        f"/api/v1/grants/{house.ids['grant_id']}/marks/{uuid4()}",
        content=body,
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code == 422, answer.text


def test_an_operation_sent_again_with_other_content_changes_nothing(house: House) -> None:
    reader, address = house.people["reader"], f"/api/v1/grants/{house.ids['grant_id']}/marks/{uuid4()}"
    first = drawn(house)
    saved = reader.put(address, json=first).json()

    again = reader.put(address, json={**first, "label": "other", "image_points": [[0, 0], [40, 0]]})

    assert again.status_code == 200
    assert again.json() == saved


@pytest.mark.requirement("R42")
@pytest.mark.parametrize("who", ["stranger", "viewer", "second", "editor", "administrator"])
def test_nobody_else_draws_under_a_readers_grant(house: House, who: str) -> None:
    answer = house.people[who].put(
        f"/api/v1/grants/{house.ids['grant_id']}/marks/{uuid4()}", json=drawn(house)
    )

    assert answer.status_code == 404


def test_a_code_lets_in_one_gateway_however_many_try_at_once(house: House) -> None:
    code = new_code(house, "Raced gateway")

    with ThreadPoolExecutor(5) as together:
        answers = list(together.map(house.enrol, [code] * 5))

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert house.enrol(code).status_code == 409


@pytest.mark.requirement("R03")
def test_a_gateway_knows_nothing_of_anothers_delivery(house: House) -> None:
    deliveries = [
        house.people[who].get(f"/gateway/v1/deliveries/{uuid4()}").status_code
        for who in ("gateway", "foreign gateway")
    ]

    assert deliveries == [404, 404]


@pytest.mark.requirement("S03", "R53")
def test_two_submissions_at_once_are_one_and_a_stale_digest_signs_nothing(house: House) -> None:
    second, task = house.people["second"], house.task_of("second")
    grant, api = house.open_read("second", task), f"/api/v1/tasks/{task}/"
    changes = {"lesion": {"text": "no"}, "quality": {"text": "4"}}
    saved = second.post(f"{api}changes", json={"op_id": str(uuid4()), "base_revision": 0, "changes": changes})

    with (
        signed_in_as(house, second) as one,
        signed_in_as(house, second) as other,
        ThreadPoolExecutor(2) as together,
    ):
        submission = {"revision": saved.json()["revision"]}
        answers = list(together.map(lambda copy: copy.post(f"{api}submit", json=submission), (one, other)))
    stale = second.post(f"{api}sign", json={"password": house.seeded.password, "digest": "0" * 64})
    wrong = second.post(f"{api}sign", json={"password": "not it", "digest": answers_digest(answers)})

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert (stale.status_code, stale.json()["code"]) == (409, "research.read.moved")
    assert (wrong.status_code, wrong.json()["code"]) == (403, "identity.password.wrong")
    assert second.get(f"/api/v1/grants/{grant}/marks").status_code == 404


@pytest.mark.requirement("S01", "C03")
def test_the_logs_hold_no_secret_and_no_identifier(house: House) -> None:
    tokens = [house.people[who].headers["Authorization"].split()[1] for who in ("gateway", "foreign gateway")]
    secrets = [
        house.seeded.password, house.seeded.gateway_code, *house.tenants.values(), *tokens,
        *(session_of(house.people[who]) for who in ("reader", "administrator")),
    ]  # fmt: skip
    secrets.remove(house.tenants["foreign_space"])

    assert [at for at, secret in enumerate(secrets) if secret in house.log_text] == []
    assert "Canary" not in house.log_text


@pytest.mark.requirement("S02")
def test_the_trail_is_whole_after_all_of_it(house: House) -> None:
    verified = house.server.run("audit", "verify")

    assert verified.returncode == 0, verified.stdout


def drawn(house: House) -> dict[str, object]:
    """Ten millimetres along the first row of an image: twenty pixels of the phantom."""
    x, y, z = json.loads(house.ids["position"])
    return {
        "op_id": str(uuid4()), "base_revision": 0, "kind": "length", "series_uid": house.ids["series"],
        "instance_uid": house.ids["instance"], "label": "L", "frame": 1,
        "points": [[float(x), y, z], [x + 10.0, y, z]], "image_points": [[0, 0], [20, 0]],
    }  # fmt: skip


def session_of(client: httpx.Client) -> str:
    return next(cookie.value or "" for cookie in client.cookies.jar if cookie.name == "collegium_session")


def signed_in_as(house: House, client: httpx.Client) -> httpx.Client:
    other = house.client()
    other.cookies.update({cookie.name: cookie.value or "" for cookie in client.cookies.jar})
    other.headers["X-CSRFToken"] = client.headers["X-CSRFToken"]
    return other


def answers_digest(answers: list[httpx.Response]) -> str:
    return next(str(answer.json()["digest"]) for answer in answers if answer.status_code == 200)


def new_code(house: House, name: str) -> str:
    form = {
        "name": name,
        "site_name": "Anywhere",
        "site_code": "09",
        "called_ae": "RACED",
        "quiet_time_s": "5",
    }
    page = house.people["administrator"].post(f"/projects/{house.space}/gateways/", data=form).text
    found = re.search(r'data-copy="([\w-]{43,64})"', page)
    assert found, page[page.find("<main") :]
    return found[1]
