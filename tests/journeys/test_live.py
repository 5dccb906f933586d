"""Open pages hear of changes at once, each person only of what is theirs; and every process forgets at once."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest

from collegium.kit.postgres import EmbeddedPostgres
from collegium_testkit.installation import InstallationProcess
from collegium_testkit.patience import PATIENCE_S, until
from collegium_testkit.prepared import Prepared
from tests.journeys.second import second_web_process

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]

_TOKEN = re.compile(r'csrfmiddlewaretoken" value="([^"]+)')
_LAST_WORD = "last_word_"
_words = itertools.product("abcdefghij", repeat=4)


class House:
    """A running installation with two projects of two organisations. `close` ends what a test has open in it."""

    def __init__(self, server: InstallationProcess) -> None:
        self.server = server
        self.made: dict[str, str] = json.loads(self.act("make"))
        self._open = ExitStack()

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
        self._notify({"t": "tasks", "s": self.made[space]})

    def browser(self, url: str = "", cookies: dict[str, str] | None = None) -> httpx.Client:
        return self._open.enter_context(
            httpx.Client(base_url=url or self.server.url, cookies=cookies, timeout=PATIENCE_S)
        )

    def close(self) -> None:
        """End every stream and connection of a test."""
        self._open.close()

    def client(self, who: str) -> httpx.Client:
        client = self.browser()
        token = _TOKEN.search(client.get("/accounts/login/").text)
        assert token, self.server.log_text[-3000:]
        form = {"login": self.made[who], "password": self.made["password"], "csrfmiddlewaretoken": token[1]}
        assert client.post("/accounts/login/", data=form).status_code == 302
        return client

    def listen(self, who: str, query: str = "", *, client: httpx.Client | None = None) -> Listening:
        """A stream that is open and listened to."""
        stream = Listening(client or self.client(who), f"/live{query}", self.made[f"{who}_id"])
        self._open.callback(stream.end)
        until(lambda: stream.status, "the stream to open")
        assert stream.status == 200
        return stream

    def silent(self, client: httpx.Client) -> socket.socket:
        """A stream that is open and never read; let in once the streams of an earlier test have ended."""
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        asked = f"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\n\r\n".encode()
        opened: list[socket.socket] = []

        def is_let_in() -> bool:
            line = self.line()
            line.sendall(asked)
            if b"200 OK" in line.recv(64):
                opened.append(line)
            else:
                line.close()
            return bool(opened)

        until(is_let_in, "a stream that is let in")
        return opened[0]

    def line(self) -> socket.socket:
        """A connection to the server, as yet without a word."""
        address = ("127.0.0.1", self.server.port)
        return self._open.enter_context(socket.create_connection(address, timeout=PATIENCE_S))

    def let_tell(self, *streams: Listening) -> None:
        """Until these streams have told all that was sent before: their last word is sent, and told, behind it."""
        word = _LAST_WORD + "".join(next(_words))
        for stream in streams:
            until(partial(self._has_told, stream, word), "the last word")

    def await_listening(self) -> None:
        """Until a stream that opens has nothing to tell: the server has listened for longer than any page is old."""
        client = self.client("administrator")

        def begins_with_nothing() -> bool:
            stream = self.listen("administrator", "?age=2", client=client)
            self.let_tell(stream)
            stream.end()
            return stream.told == []

        until(begins_with_nothing, "the server to listen")

    def has_database(self) -> bool:
        """Whether the database answers now."""
        try:
            self._notify({"t": "nothing", "s": self.made["space"]})
        except psycopg.OperationalError:
            return False
        return True

    def database_pid(self) -> int:
        """The database's first process; 0 while there is none."""
        listing = subprocess.run(
            ["ps", "-ww", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True
        ).stdout
        lines = [line.split(None, 2) for line in listing.splitlines()[1:]]
        below = [
            int(pid)
            for pid, above, command in lines
            if int(above) == self.server.pid and "postgres -D" in command
        ]
        return below[0] if below else 0

    def _notify(self, message: dict[str, str]) -> None:
        address = EmbeddedPostgres(self.server.data_dir).addresses.app
        with psycopg.connect(address) as connection:
            connection.execute("select pg_notify('collegium_live', %s)", [json.dumps(message)])

    def _has_told(self, stream: Listening, word: str) -> bool:
        """Said again each time: what is sent while the process does not listen is lost."""
        if word not in stream.last_words:
            self._notify({"t": word, "p": stream.person})
        return word in stream.last_words


class Listening(threading.Thread):
    """One stream; `told` is what it said, but for the last words, which only the tests send."""

    def __init__(self, client: httpx.Client, address: str, person: str) -> None:
        super().__init__(daemon=True)
        self._client, self._address, self.person = client, address, person
        self.told: list[dict[str, Any]] = []  # Any: JSON
        self.last_words: set[str] = set()
        self.status, self.is_over, self.was_ended_by_server = 0, False, False
        self._socket: socket.socket | None = None
        self.start()

    @property
    def things(self) -> set[str]:
        return {str(one["thing"]) for one in self.told}

    def run(self) -> None:
        try:
            with self._client.stream("GET", self._address) as response:
                self._socket = response.extensions["network_stream"].get_extra_info("socket")
                self.status = response.status_code
                for line in response.iter_lines():
                    if line.startswith("data: "):
                        self._hear(json.loads(line.removeprefix("data: ")))
            self.was_ended_by_server = True  # by its last chunk, not by a line that broke
        except (httpx.HTTPError, OSError, RuntimeError):
            self.status = self.status or -1
        self.is_over = True

    def end(self) -> None:
        """Hang up, and wait until nobody reads any more."""
        if self._socket:
            with suppress(OSError):  # it is over already
                self._socket.shutdown(socket.SHUT_RDWR)
        self.join(PATIENCE_S)

    def hears(self, *things: str) -> None:
        until(lambda: self.things & set(things), f"{' or '.join(things)} on the stream")

    def _hear(self, told: dict[str, Any]) -> None:  # Any: JSON
        if told["thing"].startswith(_LAST_WORD):
            self.last_words.add(told["thing"])
        else:
            self.told.append(told)


@pytest.fixture
def house(running: House) -> Iterator[House]:
    yield running
    running.close()


@pytest.fixture(scope="module")
def running() -> Iterator[House]:
    place = Path(tempfile.mkdtemp(prefix="collegium-live-"))
    place.chmod(0o755)
    with InstallationProcess(place / "server", copied=Prepared.EMPTY) as server:
        with closing(House(server)) as made:
            made.await_listening()
        yield made
    shutil.rmtree(place, ignore_errors=True)


@pytest.mark.requirement("R89")
def test_a_change_is_heard_by_those_who_may_see_all_tasks_and_by_nobody_else(house: House) -> None:
    editor, reader, stranger = (house.listen(who) for who in ("editor", "reader", "stranger"))

    house.change()
    house.change("foreign")
    house.let_tell(editor, reader, stranger)

    assert {(one["thing"], one["space"]) for one in editor.told} == {("tasks", house.made["space"])}
    assert {(one["thing"], one["space"]) for one in stranger.told} == {("tasks", house.made["foreign"])}
    assert reader.told == []


@pytest.mark.requirement("R89")
def test_a_person_hears_of_the_own_tasks_and_nothing_of_where(house: House) -> None:
    reader, editor = house.listen("reader"), house.listen("editor")

    house.act("tell", house.made["space"], house.made["administrator"], house.made["reader"])
    house.let_tell(reader, editor)

    assert {"notifications", "tasks"} <= reader.things
    assert {tuple(one) for one in reader.told} == {("thing",)}
    assert "notifications" not in editor.things


def test_what_changed_between_the_page_and_its_stream_is_heard(house: House) -> None:
    house.change()

    late = house.listen("editor", "?age=20")
    house.let_tell(late)
    # A stream goes back to a second before its page; the change, which was heard by now, must be older than that.
    time.sleep(1.1)
    fresh = house.listen("editor", "?age=0")
    house.let_tell(fresh)

    assert late.told  # the change, or "everything" if the process began to listen after the page was loaded
    assert fresh.told == []


def test_nobody_listens_without_a_session(house: House) -> None:
    assert house.browser().get("/live").status_code == 401


def test_a_person_has_only_so_many_streams_and_gets_them_back(house: House) -> None:
    client = house.client("administrator")
    open_ones = [house.silent(client) for _ in range(8)]
    until(lambda: status_of(client) == 503, "a refusal")

    for one in open_ones:
        one.close()

    until(lambda: status_of(client) == 200, "a stream that is let in again")


def test_signing_out_ends_the_stream(house: House) -> None:
    client = house.client("editor")
    stream = house.listen("editor", client=client)
    token = _TOKEN.search(client.get("/").text)
    assert token

    client.post("/accounts/logout/", data={"csrfmiddlewaretoken": token[1]})

    # That it is asked at once and not at its next heartbeat: packages/platform/tests/kit/test_live.py.
    until(lambda: stream.is_over, "the stream to end")
    assert stream.was_ended_by_server


@pytest.mark.requirement("R02")
def test_who_was_dismissed_hears_nothing_more(house: House) -> None:
    leaver, editor = house.listen("leaver"), house.listen("editor")
    house.change()
    house.let_tell(leaver, editor)
    assert "tasks" in leaver.things
    leaver.told.clear()
    editor.told.clear()

    house.act("leave", house.made["space"], house.made["administrator"], house.made["leaver"])
    house.change()
    house.let_tell(leaver, editor)

    assert leaver.told == []
    assert "tasks" in editor.things


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

        # The other process would keep what it decided for ever: it was told, at the commit.
        until(lambda: elsewhere.get(archive).status_code == 401, "the refusal")


def test_a_killed_database_is_listened_to_again(house: House) -> None:
    editor = house.client("editor")
    stream = house.listen("editor", client=editor)
    killed = house.database_pid()
    assert killed

    try:
        kill(killed)
        until(lambda: house.database_pid() not in {0, killed}, "another database")
        until(house.has_database, "the database to answer")
        until(lambda: status_of(editor) == 200, "a stream to open again")
        again = house.listen("editor", client=editor)
        house.change()
        # What changes before the process listens again it cannot know; then it says that it may have missed anything.
        again.hears("tasks", "everything")
        house.let_tell(again)
        until(lambda: stream.is_over or stream.things & {"tasks", "everything"}, "the stream of before")
    finally:
        house.server.stop()  # other tests need no pool of broken connections
        house.server.start()
        house.await_listening()


def test_ctrl_c_waits_neither_for_open_streams_nor_for_slow_clients() -> None:
    place = Path(tempfile.mkdtemp(prefix="collegium-stop-"))
    place.chmod(0o755)
    with (
        InstallationProcess(place / "server", copied=Prepared.EMPTY) as server,
        closing(House(server)) as house,
    ):
        client = house.client("administrator")
        streams = [house.listen("administrator", client=client) for _ in range(3)]
        silent = [house.silent(client) for _ in range(3)]
        half = house.line()
        half.sendall(b"POST /gateway/v1/enrol HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{")

        code = server.stop()

        # It ended by itself, though half a request is for ever on its way; and it did not cut the streams, for which
        # it could have waited as long: each has its last chunk, also where nobody reads.
        assert code == 0
        until(lambda: all(stream.is_over for stream in streams), "the streams to end")
        assert [stream.was_ended_by_server for stream in streams] == [True] * 3
        assert [rest_of(one)[-5:] for one in silent] == [b"0\r\n\r\n"] * 3
    shutil.rmtree(place, ignore_errors=True)


def status_of(client: httpx.Client) -> int:
    try:
        with client.stream("GET", "/live") as answer:
            return answer.status_code
    except httpx.HTTPError:
        return 0


def rest_of(line: socket.socket) -> bytes:
    """What came and was not read."""
    pieces = []
    while piece := line.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def kill(pid: int) -> None:
    subprocess.run(["kill", "-9", str(pid)], check=True)
