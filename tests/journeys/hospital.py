"""A server and a gateway that belong together, both real, with ways to break them and to count what arrived."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import urllib.request
from collections import Counter
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg

from collegium.kit.postgres import EmbeddedPostgres
from collegium_testkit import pacs
from collegium_testkit.gateways import GatewayProcess
from collegium_testkit.installation import InstallationProcess
from collegium_testkit.patience import PATIENCE_S, until
from collegium_testkit.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from collegium_testkit.seed import Seeded


class Hospital:
    """`start`, then push to the gateway and ask the server. Leaving the context ends both."""

    def __init__(self, place: Path, *, settings: dict[str, str] | None = None, limits: str = "") -> None:
        """Prepare; nothing runs yet.

        Args:
            place: an empty folder that the database's account can reach.
            settings: environment of the server, above the usual.
            limits: TOML put behind the gateway's configuration.
        """
        self.place, self._limits = place, limits
        self.server = InstallationProcess(place / "server", more=settings, copied=Prepared.SEEDED)
        self.gateway: GatewayProcess
        self.line: Line
        self.seeded: Seeded
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as begun:
            begun.enter_context(self.server)
            self.seeded = self.server.seed()
            self.line = begun.enter_context(closing(Line(self.server.port)))
            self.gateway = begun.enter_context(
                GatewayProcess(
                    self.place / "hospital",
                    self.line.url,
                    callers=((self.seeded.calling_ae, "127.0.0.1"),),
                    more=self._limits,
                )
            )
            self.gateway.enrol(self.line.url, self.seeded.gateway_code)
            self.gateway.start()
            self._running = begun.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def push(self, files: Sequence[Path], called_ae: str = "") -> list[pacs.Sent]:
        """Send files over one association, as a PACS does."""
        title = called_ae or self.seeded.called_ae
        port = self.gateway.receive_port
        return pacs.send(files, "127.0.0.1", port, title, self.seeded.calling_ae, timeout_s=PATIENCE_S)

    def status(self) -> dict[str, Any]:  # Any: JSON
        return self.gateway.status()

    def local_page(self) -> str:
        """What the hospital's IT sees."""
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.gateway.local_port}/", timeout=PATIENCE_S
        ) as answer:
            return str(answer.read().decode())

    def delivered(self) -> int:
        """Objects that the gateway holds a receipt for."""
        return sum(exam["delivered"] for exam in self.status()["exams"])

    def await_delivered(self, count: int) -> None:
        until(lambda: self.delivered() >= count, f"{count} receipted objects", story=self.story)

    def await_words(self, words: str) -> None:
        """Until the local page says so."""
        until(lambda: words in self.local_page(), f"'{words}' on the local page", story=self.local_page)

    def restart_server(self, **settings: str) -> None:
        """Stop the server as Ctrl-C does and start it with these settings added."""
        self.server.stop()
        self.server._more.update(settings)
        self.server.start()

    @contextmanager
    def altered(self, table: str, column: str, value: object) -> Iterator[None]:
        """One column of the project's one row of a table as somebody else would have it, until the block ends."""
        space = self.seeded.space_id
        ((before,),) = self.ask(f"select {column} from {table} where space_id = %s", space)
        self.ask(f"update {table} set {column} = %s where space_id = %s", value, space)
        try:
            yield
        finally:
            self.ask(f"update {table} set {column} = %s where space_id = %s", before, space)

    def used_bytes(self) -> int:
        """What the archive holds."""
        ((used,),) = self.ask("select coalesce(sum(size_bytes), 0) from imaging_archive_blob")
        return int(used)

    def story(self) -> str:
        return self.gateway.log_text[-1500:] + self.server.log_text[-2500:]

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:  # Any: whatever the columns hold
        """Rows, read (or changed) as the database's owner."""
        with self.owner() as owner:
            answer = owner.execute(sql, values)
            return answer.fetchall() if answer.description else []

    def owner(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection as the owner; the database may be coming up again."""
        address = EmbeddedPostgres(self.server.data_dir).addresses.owner
        made: list[psycopg.Connection[tuple[Any, ...]]] = []

        def is_open() -> bool:
            with suppress(psycopg.OperationalError):
                made.append(psycopg.connect(address, autocommit=True))
            return bool(made)

        until(is_open, "the database", story=self.story)
        return made[0]

    def instances(self) -> Counter[str]:
        """How often the archive has each instance."""
        return Counter(uid for (uid,) in self.ask("select sop_instance_uid from imaging_archive_instance"))

    def receipts(self) -> Counter[str]:
        """How often each instance was receipted as stored."""
        texts = self.ask("select receipt_text from imaging_ingest_delivery where receipt_text <> ''")
        items = [item for (text,) in texts for item in json.loads(text)["items"]]
        return Counter(item["sop_instance_uid"] for item in items if item["outcome"] == "stored")

    def tasks(self) -> Counter[str]:
        """How many tasks each exam has, also those with none."""
        rows = self.ask(
            "select exam.id::text, count(task.id) from imaging_archive_exam exam "
            "left join research_pipeline_readingunit unit on unit.exam_id = exam.id or unit.visit_id in "
            "(select visit_id from research_pipeline_examplacement place where place.exam_id = exam.id) "
            "left join research_pipeline_task task on task.unit_id = unit.id group by 1"
        )
        return Counter(dict(rows))

    def verify_trail(self) -> subprocess.CompletedProcess[str]:
        return self.server.run("audit", "verify")

    def processes(self, name: str) -> list[int]:
        """Processes below the server whose command holds `name`, parents first."""
        listing = subprocess.run(
            ["ps", "-ww", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True
        ).stdout
        children: dict[int, list[tuple[int, str]]] = {}
        for line in listing.splitlines()[1:]:
            pid, parent, command = line.split(None, 2)
            children.setdefault(int(parent), []).append((int(pid), command))
        found, todo = [], [self.server.pid]
        while todo:
            below = children.get(todo.pop(0), [])
            todo += [number for number, _ in below]
            found += [number for number, command in below if name in command]
        return found

    def kill(self, name: str) -> None:
        """`kill -9` every process of a part of the server: granian, collegium.cli.worker or postgres."""
        found = self.processes(name)
        assert found, name
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # its parent took it along


class Line(threading.Thread):
    """A TCP relay between gateway and server that records every byte and can act at one of them."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._target, self._lock = port, threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._streams: list[bytearray] = []
        self._at, self._act = 0, _nothing
        self._total = 0
        self._may_pass = threading.Event()
        self._may_pass.set()
        self.start()

    @property
    def streams(self) -> list[bytes]:
        """Every connection's bytes from the gateway, whole."""
        with self._lock:
            return [bytes(stream) for stream in self._streams]

    def once_after(self, size: int, act: Callable[[], None]) -> None:
        """Do something once `size` more bytes went from gateway to server."""
        with self._lock:
            self._at, self._act = self._total + size, act

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing passes from gateway to server until the block ends; it arrives afterwards."""
        self._may_pass.clear()
        try:
            yield
        finally:
            self._may_pass.set()

    def run(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(near,), daemon=True).start()

    def close(self) -> None:
        self._may_pass.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # what waits for a connection ends by this alone
        self._listener.close()

    def _relay(self, near: socket.socket) -> None:
        stream = bytearray()
        with self._lock:
            self._streams.append(stream)
        with near, suppress(OSError), socket.create_connection(("127.0.0.1", self._target)) as far:
            back = threading.Thread(target=_pump, args=(far, near, _nothing_with), daemon=True)
            back.start()
            _pump(near, far, lambda piece: self._note(stream, piece))
            back.join(PATIENCE_S)

    def _note(self, stream: bytearray, piece: bytes) -> None:
        with self._lock:
            stream += piece
            self._total += len(piece)
            act = self._act if self._total >= self._at else _nothing
            if act is not _nothing:
                self._act = _nothing
        act()
        self._may_pass.wait()


def _pump(source: socket.socket, target: socket.socket, note: Callable[[bytes], None]) -> None:
    try:
        while piece := source.recv(1 << 16):
            note(piece)
            target.sendall(piece)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue


def _nothing() -> None:
    return


def _nothing_with(_piece: bytes) -> None:
    return
