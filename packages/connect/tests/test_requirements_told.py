"""What a trial asks, through a whole gateway: told by the server, checked, told to the site's people and the server."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from collegium_connect.actor import CONSOLE, Role
from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.patience import PATIENCE_S
from collegium_wire import NEWEST, PROTOCOL, AcquisitionRequirement, AcquisitionRequirements, Unmet

Until = Callable[..., None]
THIN = AcquisitionRequirements(
    items=(AcquisitionRequirement(visit="V1", modality="CT", slice_thickness_mm=1.0),), takes_others=False
)
WORDS = "CT for V1: slices of at most 1 mm are needed; the thinnest series has 2.5 mm."
REASON = "The trial agreed by telephone."
PASSWORD = "a long enough password"


def ask(server: FakeServer, when_unmet: Unmet) -> None:
    server.channels = (replace(server.channels[0], requirements=THIN, when_unmet=when_unmet),)


def send(gateway: Gateway, folder: Path, until: Until) -> None:
    until(lambda: all(setup.requirements == THIN for setup in gateway.configuration.in_force()))
    exam = phantoms.ct_exam(folder, slices=2, size=64)
    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")


def text_of(gateway: Gateway, path: str = "/") -> str:
    return httpx.get(f"http://127.0.0.1:{gateway.local_port}{path}", timeout=PATIENCE_S).text


@pytest.fixture
def ada(gateway: Gateway) -> Iterator[httpx.Client]:
    """A signed-in operator's browser."""
    gateway.shown.people.add(actor=CONSOLE, name="Ada", role=Role.OPERATOR, password=PASSWORD)
    with httpx.Client(
        base_url=f"http://127.0.0.1:{gateway.local_port}",
        follow_redirects=True,
        trust_env=False,
        timeout=PATIENCE_S,
    ) as http:
        http.post("/sign-in", data={"name": "Ada", "password": PASSWORD, "next": "/"})
        yield http


@pytest.mark.requirement("I05")
def test_an_exam_that_lacks_something_is_sent_and_told_to_both_sides(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    ask(server, Unmet.TELL)
    send(gateway, tmp_path / "exam", until)

    until(lambda: [line.state for line in gateway.status().exams] == ["delivered"])

    (delivery,) = server.deliveries.values()
    assert (delivery.manifest.protocol, delivery.manifest.unmet) == (NEWEST, (WORDS,))
    assert WORDS in text_of(gateway)
    until(lambda: any(alarm.code == "connect.requirements.unmet" for alarm in gateway.alarms.standing))
    assert "2.5" not in next(alarm.message for alarm in gateway.alarms.standing)


@pytest.mark.requirement("I05")
def test_an_exam_that_is_held_is_let_go_on_the_page_by_a_person(
    gateway: Gateway, server: FakeServer, ada: httpx.Client, tmp_path: Path, until: Until
) -> None:
    ask(server, Unmet.HOLD)
    send(gateway, tmp_path / "exam", until)
    until(lambda: [line.state for line in gateway.status().exams] == ["held"])
    page = ada.get("/exams").text
    assert WORDS in page
    token = page.split('name="form_token" value="')[1].split('"')[0]
    (line,) = gateway.status().exams

    refused = ada.post(f"/exams/{line.exam_id}/let-go", data={"form_token": token, "reason": "no"})
    assert (refused.status_code, server.deliveries) == (409, {})
    ada.post(f"/exams/{line.exam_id}/let-go", data={"form_token": token, "reason": REASON})

    until(lambda: [one.state for one in gateway.status().exams] == ["delivered"])
    (delivery,) = server.deliveries.values()
    assert delivery.manifest.unmet == (WORDS,)


def test_the_configuration_page_says_what_is_asked_and_what_is_pinned(
    gateway: Gateway, server: FakeServer, ada: httpx.Client, until: Until
) -> None:
    server.pinned_software = "9.0.0"
    ask(server, Unmet.HOLD)
    until(lambda: all(setup.requirements == THIN for setup in gateway.configuration.in_force()))

    until(lambda: "The server pins version 9.0.0" in ada.get("/configuration").text)

    page = ada.get("/configuration").text
    assert "V1: CT, slices of at most 1 mm" in page
    assert "held for a person" in page
    until(lambda: "updates.pin.received" in {entry.action for entry in server.trail})


def test_a_server_of_before_is_spoken_to_as_it_speaks(
    start: Callable[..., Gateway], settings: Settings, server: FakeServer, until: Until
) -> None:
    server.newest = PROTOCOL
    gateway = start(settings)

    until(lambda: len(server.heartbeats) >= 2)

    assert {beat.protocol for beat in server.heartbeats} == {PROTOCOL}
    until(lambda: gateway.status().problem == "")
