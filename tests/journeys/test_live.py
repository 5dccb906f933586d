"""Open pages hear of changes at once, each person only of what is theirs; and every process forgets at once."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest

from collegium.kit.postgres import EmbeddedPostgres
from collegium_testkit.installation import InstallationProcess
from collegium_testkit.prepared import Prepared
from tests.journeys.hospital import until
from tests.journeys.second import second_web_process

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]

_TOKEN = re.compile(r'csrfmiddlewaretoken" value="([^"]+)')


class House:
    """A running installation with two projects of two organisations."""

    def __init__(self, server: InstallationProcess) -> None:
        self.server = server
        self.made: dict[str, str] = json.loads(self.act("make"))
        self._clients: list[httpx.Client] = []

    def act(self, *arguments: str) -> str:
        """Something done in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.journeys.live_acts", *arguments],
            env=self.server.environment, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def change(self, space: str = "space") -> None:
        """The message of `live.changed`, at the commit of somebody's transaction."""
        message = json.dumps({"t": "tasks", "s": self.made[space]})
        address = EmbeddedPostgres(self.server.data_dir).addresses.app
        with psycopg.connect(address) as connection:
            connection.execute("select pg_notify('collegium_live', %s)", [message])

    def browser(self, url: str = "", cookies: dict[str, str] | None = None) -> httpx.Client:
        client = httpx.Client(base_url=url or self.server.url, cookies=cookies, timeout=30)
        self._clients.append(client)
        return client

    def close(self) -> None:
        """End every stream and connection of a test."""
        for client in self._clients:
            client.close()
        self._clients.clear()

    def client(self, who: str) -> httpx.Client:
        client = self.browser()
        token = _TOKEN.search(client.get("/accounts/login/").text)
        assert token, self.server.log_text[-3000:]
        form = {"login": self.made[who], "password": self.made["password"], "csrfmiddlewaretoken": token[1]}
        assert client.post("/accounts/login/", data=form).status_code == 302
        return client


class Listening(threading.Thread):
    """One open stream; `told` is what it said."""

    def __init__(self, client: httpx.Client, query: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(daemon=True)
        self._client, self._address, self._headers = client, f"/live{query}", headers or {}
        self.told: list[dict[str, Any]] = []  # Any: JSON
        self.status, self.is_over = 0, False
        self.start()
        until(lambda: self.status, "the stream to open")

    def run(self) -> None:
        try:
            with self._client.stream("GET", self._address, headers=self._headers) as response:
                self.status = response.status_code
                for line in response.iter_lines():
                    if line.startswith("data: "):
                        self.told.append(json.loads(line.removeprefix("data: ")))
        except (httpx.HTTPError, OSError, RuntimeError):
            self.status = self.status or -1  # the client was closed
        self.is_over = True

    def hears(self, thing: str, patience_s: float = 5.0) -> None:
        until(lambda: thing in {one["thing"] for one in self.told}, f"'{thing}' on the stream", patience_s)


@pytest.fixture
def house(running: House) -> Iterator[House]:
    yield running
    running.close()


@pytest.fixture(scope="module")
def running() -> Iterator[House]:
    place = Path(tempfile.mkdtemp(prefix="collegium-live-"))
    place.chmod(0o755)
    with InstallationProcess(place / "server", copied=Prepared.EMPTY) as server:
        yield House(server)
    shutil.rmtree(place, ignore_errors=True)


@pytest.mark.requirement("R89")
def test_a_change_is_heard_by_those_who_may_see_all_tasks_and_by_nobody_else(house: House) -> None:
    editor, reader, stranger = (Listening(house.client(who)) for who in ("editor", "reader", "stranger"))

    house.change()
    house.change("foreign")
    editor.hears("tasks")
    stranger.hears("tasks")
    time.sleep(1)

    assert {one["space"] for one in editor.told} == {house.made["space"]}
    assert {one["space"] for one in stranger.told} == {house.made["foreign"]}
    assert reader.told == []


@pytest.mark.requirement("R89")
def test_a_person_hears_of_the_own_tasks_and_nothing_of_where(house: House) -> None:
    reader, editor = Listening(house.client("reader")), Listening(house.client("editor"))

    house.act("tell", house.made["space"], house.made["administrator"], house.made["reader"])
    reader.hears("notifications")
    reader.hears("tasks")

    assert {tuple(one) for one in reader.told} == {("thing",)}
    assert "notifications" not in {one["thing"] for one in editor.told}


def test_what_changed_between_the_page_and_its_stream_is_heard(house: House) -> None:
    house.change()
    time.sleep(1)

    late = Listening(house.client("editor"), "?age=20")
    fresh = Listening(house.client("editor"), "?age=0")
    # A process that began to listen after the page was loaded says "everything" instead.
    until(lambda: late.told, "what was missed")

    assert fresh.told == []


def test_nobody_listens_without_a_session(house: House) -> None:
    assert httpx.get(f"{house.server.url}/live").status_code == 401


def test_a_person_has_only_so_many_streams_and_gets_them_back(house: House) -> None:
    client = house.client("administrator")
    open_ones = [socket_of(client) for _ in range(8)]
    until(lambda: status_of(client) == 503, "a refusal")

    for one in open_ones:
        one.close()

    until(lambda: status_of(client) == 200, "a stream that is let in again")


def test_signing_out_ends_the_stream(house: House) -> None:
    client = house.client("editor")
    stream = Listening(client)
    token = _TOKEN.search(client.get("/").text)
    assert token

    client.post("/accounts/logout/", data={"csrfmiddlewaretoken": token[1]})

    until(lambda: stream.is_over, "the stream to end", 2.0)


@pytest.mark.requirement("R02")
def test_who_was_dismissed_hears_nothing_more(house: House) -> None:
    leaver, editor = Listening(house.client("leaver")), Listening(house.client("editor"))
    house.change()
    leaver.hears("tasks")
    time.sleep(2)
    before = len(leaver.told)

    house.act("leave", house.made["space"], house.made["administrator"], house.made["leaver"])
    editor.told.clear()
    house.change()
    editor.hears("tasks")
    time.sleep(2)

    assert len(leaver.told) == before


@pytest.mark.requirement("R02")
def test_a_sign_out_at_one_web_process_closes_the_other_within_a_second(house: House) -> None:
    client = house.client("editor")
    archive = f"/dicom-web/spaces/{house.made['space']}/studies"
    token = _TOKEN.search(client.get("/").text)
    assert token
    with second_web_process(house.server) as url:
        elsewhere = house.browser(url, dict(client.cookies))
        assert elsewhere.get(archive).status_code == 200

        client.post("/accounts/logout/", data={"csrfmiddlewaretoken": token[1]})

        until(lambda: elsewhere.get(archive).status_code == 401, "the refusal", 1.0)


def test_a_killed_database_is_listened_to_again(house: House) -> None:
    editor = house.client("editor")
    stream = Listening(editor)
    killed = [pid for pid in children(house.server.pid) if "postgres" in command_of(pid)]
    assert killed

    try:
        kill(killed[0])
        until(house.server.answers, "the database to be back", 60)
        until(lambda: status_of(editor) == 200, "a stream to open again", 30)
        again = Listening(editor)
        house.change()
        again.hears("tasks", 15)
    finally:
        house.server.stop()  # other tests need no pool of broken connections
        house.server.start()

    assert stream.is_over or stream.told


def test_ctrl_c_ends_within_three_seconds_with_open_streams_and_slow_clients() -> None:
    place = Path(tempfile.mkdtemp(prefix="collegium-stop-"))
    place.chmod(0o755)
    with InstallationProcess(place / "server", copied=Prepared.EMPTY) as server:
        house = House(server)
        client = house.client("administrator")
        streams = [Listening(client) for _ in range(3)]
        sleeping = [socket_of(client) for _ in range(3)]  # they never read a byte
        half = socket.create_connection(("127.0.0.1", server.port))
        half.sendall(b"POST /gateway/v1/enrol HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{")

        took_s = server.stop()

        assert took_s < 3.0
        until(lambda: all(stream.is_over for stream in streams), "the streams to end", 3.0)
        for one in (*sleeping, half):
            one.close()
        house.close()
    shutil.rmtree(place, ignore_errors=True)


def status_of(client: httpx.Client) -> int:
    try:
        with client.stream("GET", "/live") as answer:
            return answer.status_code
    except httpx.HTTPError:
        return 0


def socket_of(client: httpx.Client) -> socket.socket:
    """A stream that is opened and then never read; let in once the streams of an earlier test have ended."""
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    asked = f"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\n\r\n".encode()
    opened: list[socket.socket] = []

    def is_let_in() -> bool:
        line = socket.create_connection((client.base_url.host, client.base_url.port or 80))
        line.sendall(asked)
        if b"200 OK" in line.recv(64):
            opened.append(line)
        else:
            line.close()
        return bool(opened)

    until(is_let_in, "a stream that is let in")
    return opened[0]


def children(parent: int) -> list[int]:
    listing = subprocess.run(["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True).stdout
    return [
        int(pid) for pid, above in (line.split() for line in listing.splitlines()[1:]) if int(above) == parent
    ]


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def kill(pid: int) -> None:
    subprocess.run(["kill", "-9", str(pid)], check=True)
