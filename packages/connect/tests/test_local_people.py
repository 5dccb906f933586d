"""The pages for the people of the site: nobody else gets in, no form without its token, each role its own."""

import contextlib
import html
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest
from pydicom import dcmread
from starlette.routing import Route

from collegium_connect.actor import CONSOLE, Actor, Role
from collegium_connect.clock import now
from collegium_connect.folders import journal_path
from collegium_connect.journal.database import Journal
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.local_ui import make_app
from collegium_connect.local_ui.sessions import Sessions
from collegium_connect.people import People, SignInLocked, SignInRefused
from collegium_connect.people.passwords import Cost
from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_connect.trail import Trail
from collegium_testkit import pacs, phantoms
from collegium_testkit.captures import captures
from collegium_testkit.fake_server import FakeServer, Fault
from collegium_testkit.patience import PATIENCE_S

Until = Callable[..., None]
PASSWORD = "a password of this site"
OPEN = {
    "/",
    "/overview/part",
    "/status.json",
    "/health",
    "/metrics",
    "/style.css",
    "/live.js",
    "/boxes.js",
    "/drop.js",
    "/sign-in",
}
ACTS: dict[str, Callable[[People], object]] = {
    "own password": lambda people: people.set_password(
        Actor("Otto", Role.OPERATOR), "Otto", "another password of this site"
    ),
    "reset": lambda people: people.set_password(CONSOLE, "Otto", "another password of this site"),
    "closed": lambda people: people.close(CONSOLE, "Otto"),
}
SOME_ID = "11111111-1111-4111-8111-111111111111"


def fail_to_sign_in(people: People, name: str) -> None:
    for _ in range(5):
        with pytest.raises(SignInRefused):
            people.check(name, "not the password at all")


class Visitor:
    """A browser at the local page, without the browser."""

    def __init__(self, gateway: Gateway) -> None:
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{gateway.local_port}",
            follow_redirects=True,
            trust_env=False,
            timeout=PATIENCE_S,
        )

    def sign_in(self, name: str, password: str = PASSWORD, next_: str = "/") -> httpx.Response:
        return self.http.post("/sign-in", data={"name": name, "password": password, "next": next_})

    def post(self, path: str, **content: object) -> httpx.Response:
        """Send a form with the token that the pages carry."""
        found = re.search(r'name="form_token" value="([^"]+)"', self.http.get("/").text)
        token = found.group(1) if found else ""
        data = {"form_token": token, **dict(content.pop("data", {}))}  # type: ignore[call-overload]  # a dict
        return self.http.post(path, data=data, **content)  # type: ignore[arg-type]  # as httpx takes them


@pytest.fixture
def people(gateway: Gateway, settings: Settings) -> Iterator[People]:
    """An administrator and an operator, at the gateway that runs."""
    assert gateway.local_port
    journal = Journal(journal_path(settings))
    secrets = load_secrets(KeyFolder(settings.gateway.data_dir / "keys"))
    made = People(journal, Trail(journal, secrets, now), now, Cost(16, 8, 1))
    made.add(CONSOLE, "Ada", Role.ADMINISTRATOR, PASSWORD)
    made.add(CONSOLE, "Otto", Role.OPERATOR, PASSWORD)
    yield made
    journal.close()


@pytest.fixture
def visitor(gateway: Gateway, people: People) -> Iterator[Visitor]:
    assert people.listed()
    there = Visitor(gateway)
    yield there
    there.http.close()


def routes(gateway: Gateway) -> list[tuple[str, str]]:
    """Every method and path of the pages."""
    app = make_app(gateway.shown)
    found = [route for route in app.routes if isinstance(route, Route)]
    return [
        (method, route.path) for route in found for method in sorted(route.methods or ()) if method != "HEAD"
    ]


def filled(path: str) -> str:
    return re.sub(r"\{[^}]*:uuid\}", SOME_ID, re.sub(r"\{[^}]*:int\}", "1", path))


@pytest.mark.requirement("C19")
def test_no_page_but_the_overview_opens_without_signing_in(gateway: Gateway, visitor: Visitor) -> None:
    for method, path in routes(gateway):
        answer = visitor.http.request(method, filled(path), follow_redirects=False)
        if path in OPEN:
            assert answer.status_code < 500, path
        else:
            assert (answer.status_code, answer.headers.get("location", "")[:8]) == (303, "/sign-in"), path


def is_signed_in(visitor: Visitor) -> bool:
    return visitor.http.get("/links", follow_redirects=False).status_code == 200


@pytest.mark.parametrize("act", ["own password", "reset", "closed"])
def test_sessions_end_with_the_password_or_the_account(act: str, visitor: Visitor, people: People) -> None:
    visitor.sign_in("Otto")
    assert is_signed_in(visitor)

    ACTS[act](people)

    assert not is_signed_in(visitor)
    assert "Otto" not in visitor.http.get("/").text


def test_who_is_signed_in_stays_in_while_others_guess_at_their_password(
    visitor: Visitor, people: People
) -> None:
    visitor.sign_in("Otto")

    fail_to_sign_in(people, "Otto")

    with pytest.raises(SignInLocked):
        people.check("Otto", PASSWORD)
    assert is_signed_in(visitor)


def test_a_new_password_ends_nobody_elses_session(visitor: Visitor, people: People) -> None:
    visitor.sign_in("Ada")

    people.set_password(CONSOLE, "Otto", "another password of this site")

    assert is_signed_in(visitor)


def test_who_signs_in_with_the_new_password_stays_in(visitor: Visitor, people: People) -> None:
    people.set_password(CONSOLE, "Otto", "another password of this site")

    visitor.sign_in("Otto", "another password of this site")

    assert is_signed_in(visitor)


def test_a_page_looks_its_session_up_once(visitor: Visitor) -> None:
    visitor.sign_in("Ada")

    with patch.object(Sessions, "find", autospec=True, side_effect=Sessions.find) as find:
        answers = [visitor.http.get(path).status_code for path in ("/links", "/", "/log")]

    assert answers == [200, 200, 200]
    assert find.call_count == 3


def test_what_cannot_be_shown_any_more_can_still_be_given_up(
    gateway: Gateway, visitor: Visitor, tmp_path: Path, settings: Settings, until: Until
) -> None:
    path = phantoms.ct_exam(tmp_path, slices=1, size=64).files[0]
    path.write_bytes(path.read_bytes()[:-100])
    pacs.send([path], "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: gateway.status().quarantine)
    (item,) = gateway.quarantine.objects()
    with contextlib.closing(Journal(journal_path(settings))) as journal, journal.change() as db:
        db.execute("UPDATE objects SET state = 'missing'")
    visitor.sign_in("Otto")

    page = visitor.http.get(f"/quarantine/{item.object_id}")
    visitor.post(
        f"/quarantine/{item.object_id}/delete", data={"reason": "The PACS sent it again.", "typed": "delete"}
    )

    assert page.status_code == 200
    assert "not on the disk any more" in page.text
    assert "Send it again from the PACS" in page.text
    assert gateway.quarantine.objects() == []


def test_no_form_is_taken_without_its_token(gateway: Gateway, visitor: Visitor) -> None:
    visitor.sign_in("Ada")

    for method, path in routes(gateway):
        if method == "POST" and path not in OPEN:
            answer = visitor.http.post(filled(path), data={"form_token": "x"}, follow_redirects=False)
            assert answer.status_code == 403, path


def test_a_wrong_password_is_refused_and_says_nothing_of_the_name(visitor: Visitor) -> None:
    known = visitor.sign_in("Ada", "not the password")
    unknown = visitor.sign_in("Nobody", "not the password")

    assert (known.status_code, unknown.status_code) == (403, 403)
    assert known.text.replace("Ada", "") == unknown.text.replace("Nobody", "")


def test_signing_in_leads_back_but_never_elsewhere(visitor: Visitor) -> None:
    back = visitor.sign_in("Ada", next_="/links")
    elsewhere = visitor.sign_in("Ada", next_="//evil.example.org/")

    assert back.url.path == "/links"
    assert (elsewhere.url.host, elsewhere.url.path) == ("127.0.0.1", "/")


def test_whose_account_is_closed_is_out_at_once(visitor: Visitor, people: People) -> None:
    visitor.sign_in("Otto")
    was_in = visitor.http.get("/log").url.path
    people.close(CONSOLE, "Otto")

    assert (was_in, visitor.http.get("/log").url.path) == ("/log", "/sign-in")


def test_signing_out_ends_the_session(visitor: Visitor) -> None:
    visitor.sign_in("Ada")

    visitor.post("/sign-out")

    assert visitor.http.get("/log").url.path == "/sign-in"


@pytest.mark.requirement("C19")
def test_the_link_table_shows_finds_takes_and_gives(
    gateway: Gateway, visitor: Visitor, tmp_path: Path, until: Until
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=1, size=64)
    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: bool(gateway.status().exams))
    visitor.sign_in("Ada")

    shown = visitor.http.get("/links/1").text
    found = visitor.post("/links/1/find", data={"local_id": exam.patient.patient_id})
    taken = visitor.post(
        "/links/1/import", files={"list": ("list.csv", b"local_id,subject\nMRN-900,LG-900\n")}
    )
    refused = visitor.post("/links/1/import", files={"list": ("list.csv", b"something else\n")})
    given = visitor.post("/links/1/export")

    assert exam.patient.patient_id in shown
    assert "Its subject code is LG-001." in found.text
    assert "1 added" in taken.text
    assert 'role="alert"' in refused.text
    assert "MRN-900" in given.text
    assert given.headers["content-disposition"].startswith("attachment")
    assert "links.list.exported" in visitor.http.get("/log").text


@pytest.mark.requirement("C19")
def test_an_operator_neither_takes_in_nor_gives_out_the_table(visitor: Visitor) -> None:
    visitor.sign_in("Otto")

    page = visitor.http.get("/links/1").text
    answers = [visitor.post(f"/links/1/{what}") for what in ("import", "export")]

    assert "Download table" not in page
    assert [answer.status_code for answer in answers] == [403, 403]


def test_the_log_tells_whether_its_chain_is_whole(visitor: Visitor) -> None:
    visitor.sign_in("Otto")

    answer = visitor.post("/log/verify")

    assert "The chain is whole" in answer.text
    assert "Signed in" in answer.text


@pytest.fixture
def screen(gateway: Gateway, tmp_path: Path, until: Until) -> str:
    """A secondary capture with writing in it, which waits for a person; its id."""
    pacs.send(captures(tmp_path / "screen"), "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: len(gateway.quarantine.objects()) == 1)
    return gateway.quarantine.objects()[0].object_id


def field(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found, page.text
    return found.group(1)


@pytest.mark.requirement("C13", "C18")
def test_a_person_looks_hides_and_releases_and_what_arrives_is_what_was_shown(
    server: FakeServer, visitor: Visitor, screen: str, until: Until
) -> None:
    visitor.sign_in("Otto")

    listed = visitor.http.get("/quarantine").text
    seen = visitor.post(f"/quarantine/{screen}", data={"boxes": "4, 4, 40, 20", "frame": "1"})
    too_little = visitor.post(
        f"/quarantine/{screen}/release", data={"look_id": field(seen, "look_id"), "reason": "ok"}
    )
    released = visitor.post(
        f"/quarantine/{screen}/release",
        data={"look_id": field(seen, "look_id"), "reason": "A screen without names, looked at."},
    )
    until(lambda: len(server.receipted) == 1)

    assert f"/quarantine/{screen}" in listed
    assert seen.text.count("data:image/png;base64,") == 2
    assert "Say why" in too_little.text
    assert "Released." in released.text
    box = dcmread(io.BytesIO(server.objects[0])).pixel_array[4:20, 4:40]
    assert box.min() == box.max()
    assert "A screen without names" in visitor.http.get("/log").text


@pytest.mark.requirement("C18")
def test_the_pictures_of_an_exam_are_seen_together_and_those_ticked_are_released(
    gateway: Gateway, visitor: Visitor, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    pacs.send(captures(tmp_path / "exam", 2), "127.0.0.1", gateway.receive_port, "TRIAL1")
    visitor.sign_in("Otto")
    page = re.search(r"/quarantine/exams/[0-9a-f-]{36}", visitor.http.get("/quarantine").text)
    assert page

    sheet = visitor.post(page.group(), data={"boxes": "0, 0, 16, 16"}).text
    looks = re.findall(r'name="look_id" value="([^"]+)"', sheet)
    told = visitor.post(
        page.group() + "/release", data={"look_id": looks[0], "reason": "I looked at this one."}
    ).text
    until(lambda: len(server.receipted) == 1)

    assert (len(looks), sheet.count("data:image/png")) == (2, 2)
    assert "Released." in told
    assert len(gateway.quarantine.objects()) == 1


@pytest.mark.requirement("C18")
def test_an_object_is_given_up_only_when_the_word_is_typed(
    gateway: Gateway, visitor: Visitor, screen: str
) -> None:
    visitor.sign_in("Otto")
    reason = {"reason": "Sent by mistake, the PACS keeps it."}

    refused = visitor.post(f"/quarantine/{screen}/delete", data=reason)
    still = len(gateway.quarantine.objects())
    done = visitor.post(f"/quarantine/{screen}/delete", data={**reason, "typed": "delete"})

    assert (refused.status_code, still) == (409, 1)
    assert "Deleted." in done.text
    assert gateway.quarantine.objects() == []
    assert "There is no such object" in visitor.http.get(f"/quarantine/{screen}").text


def group_page(visitor: Visitor) -> httpx.Response:
    """The page of the only group, as the list links it."""
    found = re.search(r'href="(/quarantine/group[^"]*)"', visitor.http.get("/quarantine").text)
    assert found
    return visitor.http.get(html.unescape(found.group(1)))


def confirmed(page: httpx.Response, typed: str = "delete") -> dict[str, str]:
    """The form of that page, filled in."""
    names = ("channel", "exam", "code", "shown")
    return {name: field(page, name) for name in names} | {
        "reason": "The trial has no use for them.", "typed": typed,
    }  # fmt: skip


@pytest.mark.requirement("C18")
def test_what_is_set_aside_together_is_shown_and_given_up_when_the_word_is_typed(
    gateway: Gateway, visitor: Visitor, tmp_path: Path, until: Until
) -> None:
    pacs.send(captures(tmp_path / "exam", 3), "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: [group.objects for group in gateway.groups.listed()] == [3])
    visitor.sign_in("Otto")

    page = group_page(visitor)
    refused = visitor.post("/quarantine/group/delete", data=confirmed(page, typed=""))
    still = len(gateway.quarantine.objects())
    done = visitor.post("/quarantine/group/delete", data=confirmed(page))
    again = visitor.post("/quarantine/group/delete", data=confirmed(page))

    assert "Give up 3 objects of one exam" in page.text
    assert "deid.release" in page.text
    assert gateway.status().exams[0].exam_id in page.text
    assert page.text.index("Keep them") < page.text.index("Delete 3 objects")
    assert (refused.status_code, still, again.status_code) == (409, 3, 409)
    assert "Deleted: 3 objects." in done.text
    assert gateway.quarantine.objects() == []


@pytest.mark.requirement("C18")
def test_what_comes_while_a_person_thinks_is_not_given_up_with_the_rest(
    gateway: Gateway, visitor: Visitor, tmp_path: Path, until: Until
) -> None:
    files = captures(tmp_path / "exam", 3)
    pacs.send(files[:2], "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: [group.objects for group in gateway.groups.listed()] == [2])
    visitor.sign_in("Ada")
    page = group_page(visitor)
    pacs.send(files[2:], "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: [group.objects for group in gateway.groups.listed()] == [3])

    answer = visitor.post("/quarantine/group/delete", data=confirmed(page))

    assert answer.status_code == 409
    assert "not the objects that were shown" in answer.text
    assert len(gateway.quarantine.objects()) == 3


def test_one_object_alone_is_no_group(visitor: Visitor, screen: str) -> None:
    visitor.sign_in("Otto")

    page = visitor.http.get("/quarantine").text

    assert screen in page
    assert "/quarantine/group" not in page


@pytest.mark.parametrize("boxes", ["here", "1, 2, 3", "9, 9, 1, 1", "1, 1, 1, 5"])
def test_a_line_that_is_no_box_is_told_and_nothing_is_shown(
    visitor: Visitor, screen: str, boxes: str
) -> None:
    visitor.sign_in("Ada")

    answer = visitor.post(f"/quarantine/{screen}", data={"boxes": boxes})

    assert answer.status_code == 409
    assert "A box is one line" in answer.text


@pytest.mark.requirement("C18")
def test_what_was_released_by_mistake_is_taken_back_before_it_is_sent(
    gateway: Gateway, server: FakeServer, visitor: Visitor, screen: str, until: Until
) -> None:
    server.channels = (replace(server.channels[0], quiet_time_s=600),)
    until(lambda: gateway.status().channels[0].setup.quiet_time_s == 600)
    visitor.sign_in("Otto")
    seen = visitor.http.get(f"/quarantine/{screen}")
    released = visitor.post(
        f"/quarantine/{screen}/release",
        data={"look_id": field(seen, "look_id"), "reason": "A screen without names, looked at."},
    )

    back = visitor.post(f"/quarantine/{screen}/take-back", data={"reason": "There is a name in the corner."})

    assert f"/quarantine/{screen}/take-back" in released.text
    assert "Taken back." in back.text
    assert [item.object_id for item in gateway.quarantine.objects()] == [screen]
    assert not server.deliveries


@pytest.mark.requirement("C20")
def test_a_dry_run_shows_both_headers_and_keeps_sends_and_numbers_nothing(
    gateway: Gateway, server: FakeServer, visitor: Visitor, tmp_path: Path
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=1, size=64)
    visitor.sign_in("Otto")

    answer = visitor.post(
        "/dry-run",
        data={"channel_id": "ch-1"},
        files={"file": ("one.dcm", exam.files[0].read_bytes())},
    )

    assert exam.patient.patient_id in answer.text
    assert "DRY-RUN" in answer.text
    assert gateway.status().exams == ()
    assert gateway.shown.links.numberings()[0].subjects == 0
    assert not server.deliveries


def test_exams_are_found_by_subject_and_state(
    gateway: Gateway, server: FakeServer, visitor: Visitor, tmp_path: Path, until: Until
) -> None:
    server.faults = [Fault("manifest", "status", status=503, times=1000)]
    exam = phantoms.ct_exam(tmp_path / "exam", slices=1, size=64)
    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: [line.state for line in gateway.status().exams] == ["retrying"])
    visitor.sign_in("Otto")

    found = visitor.http.get("/exams?q=lg-001&state=retrying").text
    none = visitor.http.get("/exams?state=delivered").text
    (exam_id,) = re.findall(r"/exams/([0-9a-f-]{36})/retry", found)
    server.faults = []
    visitor.post(f"/exams/{exam_id}/retry")
    until(lambda: [line.state for line in gateway.status().exams] == ["delivered"])

    assert "LG-001" in found
    assert "No exam is like that." in none


@pytest.mark.requirement("C27")
def test_the_doctor_tells_what_it_found(visitor: Visitor) -> None:
    visitor.sign_in("Otto")

    answer = visitor.post("/doctor")

    assert "Examine again" in answer.text
    assert "Needed" in answer.text


def test_the_doctors_report_is_a_page_to_keep(visitor: Visitor) -> None:
    visitor.sign_in("Otto")

    answer = visitor.post("/doctor", data={"as_report": "yes"})

    assert answer.headers["Content-Disposition"] == 'attachment; filename="compatibility-report.html"'
    assert "Compatibility report of Larkspur General" in answer.text
    assert "SHA-256" in answer.text
