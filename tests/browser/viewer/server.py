"""A small DICOMweb and marks server for the viewer's tests: studies in memory, faults on demand.

It speaks only what the viewer asks, with the policy headers that the product sends. Marks follow the
published rules: one revision a save, idempotent by `op_id`, 409 for a stale base.
"""

from __future__ import annotations

import json
import math
import mimetypes
import re
import sys
import threading
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pydicom import Dataset, dcmread
from pydicom.encaps import generate_frames

from collegium_testkit.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pydicom.dataset import FileDataset

POLICY: Final = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; "
    "worker-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
DICOMWEB: Final = "/dicom-web/grants/1"
MARKS: Final = "/api/v1/grants/1/marks"
FRAME = re.compile(r"/instances/([\d.]+)/frames/(\d+)$")


def _open_gate() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate


@dataclass
class Instance:
    dataset: FileDataset
    metadata: dict[str, Any]
    frames: list[bytes]
    syntax: str


@dataclass
class Study:
    """The images by series, and everything a test may turn: delays, failures, marks, pages."""

    built: Path
    series: dict[str, list[Instance]] = field(default_factory=dict)
    marks: dict[str, dict[str, Any]] = field(default_factory=dict)
    layers: list[dict[str, Any]] = field(default_factory=list)
    ops: dict[str, dict[str, Any]] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    most_parallel_puts: int = 0
    puts_at_once: dict[str, int] = field(default_factory=dict)
    frame_delay_s: float = 0.0
    gate: threading.Event = field(default_factory=_open_gate)
    """While it is closed (`clear`), no image but `let_through` is answered, and no change of a mark."""
    let_through: str = ""
    """The SOP instance UID of one image that is answered all the same."""
    loses_next_answer: bool = False
    failing: dict[str, int] = field(default_factory=dict)
    """Substring of the path: status to answer; 0 closes the connection."""
    fails_first: str = ""
    """Substring of paths of which each is cut off when it is asked for the first time."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    base: str = ""

    def add(
        self,
        *files: Path,
        syntax: str | None = None,
        alone: bool = False,
        change: Callable[[FileDataset], None] | None = None,
    ) -> None:
        """Serve these files.

        Args:
            files: in any order.
            syntax: tell this transfer syntax instead of the true one.
            alone: make each file a series of its own, named as the file.
            change: edits each object before it is served.
        """
        for file in files:
            with warnings.catch_warnings():
                # Real files break small rules of their VRs; that is not what is tested here.
                warnings.simplefilter("ignore")
                dataset = dcmread(file)
                if alone:
                    number = len(self.series) + 1
                    dataset.SeriesInstanceUID, dataset.SOPInstanceUID = f"2.25.{number}", f"2.25.{number}.1"
                    dataset.StudyInstanceUID, dataset.SeriesNumber = "2.25.99", number
                    dataset.SeriesDescription = file.stem
                if change:
                    change(dataset)
                metadata = _metadata(dataset)
            told = syntax or str(dataset.file_meta.TransferSyntaxUID)
            frames = _frames(dataset)
            instance = Instance(dataset, metadata, frames, told)
            self.series.setdefault(str(dataset.SeriesInstanceUID), []).append(instance)

    def hold_all_but(self, series_uid: str, number: int) -> None:
        """Close the gate for every image but one of a series, by its instance number."""
        (self.let_through,) = (
            str(each.dataset.SOPInstanceUID)
            for each in self.series[series_uid]
            if each.dataset.InstanceNumber == number
        )
        self.gate.clear()

    def page(self, body: str, *, head: str = "", attributes: str = "") -> str:
        """Register a page and tell its address."""
        name = f"/pages/{len(self.pages)}"
        self.pages[name] = _PAGE.format(head=head, body=body, attributes=attributes, **self.assets())
        return f"{self.base}{name}"

    def viewer_page(
        self, *, mode: str = "read", has_marks: bool = True, label: str = "S-001", more: str = ""
    ) -> str:
        marks = f'marks="{MARKS}"' if has_marks else ""
        attributes = f'dicomweb="{DICOMWEB}" {marks} label="{label}" mode="{mode}" {more}'
        element = f"<collegium-viewer {attributes}></collegium-viewer>"
        return self.page(
            f'<main class="reading-image">{element}</main>',
            attributes='data-theme-fixed data-bs-theme="dark"',
        )

    def studies(self) -> list[str]:
        """Study UIDs in the order in which they were added: the order of the timepoints."""
        found = (str(all_of[0].dataset.StudyInstanceUID) for all_of in self.series.values())
        return list(dict.fromkeys(found))

    def assets(self) -> dict[str, str]:
        listed = json.loads((self.built / "assets.json").read_text("utf-8"))
        return {name.replace(".", "_"): file for name, file in listed.items()}

    def instance(self, sop_uid: str) -> Instance:
        return next(
            each
            for all_of in self.series.values()
            for each in all_of
            if each.dataset.SOPInstanceUID == sop_uid
        )


_PAGE = """<!doctype html>
<html lang="en" {attributes}><head><meta charset="utf-8"><title>Viewer</title>
<meta name="csrf-token" content="token-of-the-test">
<script src="/static/{theme_js}"></script>
<link rel="stylesheet" href="/static/{shell_css}"><link rel="stylesheet" href="/static/{viewer_css}">
<link rel="stylesheet" href="/page.css">
<script type="module" src="/static/{shell_js}"></script><script type="module" src="/static/{viewer_js}"></script>
{head}</head><body>{body}</body></html>"""
_PAGE_STYLE = b"html,body{margin:0;height:100%}body>.reading-image{position:relative;height:100vh}"


def _frames(dataset: FileDataset) -> list[bytes]:
    if "PixelData" not in dataset:
        return []
    count = int(dataset.get("NumberOfFrames", 1) or 1)
    if dataset.file_meta.TransferSyntaxUID.is_compressed:
        return list(generate_frames(dataset.PixelData, number_of_frames=count))
    size = len(dataset.PixelData) // count
    return [dataset.PixelData[i * size : (i + 1) * size] for i in range(count)]


def _metadata(dataset: FileDataset) -> dict[str, Any]:
    kept = Dataset()
    for element in dataset:
        if not element.tag.is_private and element.keyword != "PixelData":
            kept.add(element)
    found: dict[str, Any] = kept.to_json_dict(bulk_data_threshold=1 << 20)
    return found


def measured(points: list[list[float]]) -> dict[str, str | None]:
    """The values of a mark as the product's server would tell them."""
    value, *short = [f"{math.dist(*points[at : at + 2]):.2f}" for at in range(0, len(points), 2)]
    return {"value": value, "short_value": short[0] if short else None, "unit": "mm"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    study: Study

    def log_message(self, *_: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if self._fails(path):
            return
        if path in self.study.pages:
            self._answer(self.study.pages[path].encode(), "text/html; charset=utf-8")
        elif path == "/favicon.ico":
            self._answer(b"", "image/x-icon")
        elif path == "/page.css":
            self._answer(_PAGE_STYLE, "text/css")
        elif path.startswith("/static/"):
            self._static(path.removeprefix("/static/"))
        elif path.startswith(DICOMWEB):
            self._dicomweb(path.removeprefix(DICOMWEB))
        elif path == MARKS:
            live = [mark for mark in self.study.marks.values() if not mark.get("struck_out")]
            self._json({"marks": live, "layers": self.study.layers})
        else:
            self._json({"code": "not_found", "message": "Not found."}, HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """Say back which token came."""
        path = urlsplit(self.path).path
        if not self._fails(path):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._answer((self.headers.get("X-CSRFToken") or "none").encode(), "text/html")

    def do_PUT(self) -> None:
        self._write(strikes_out=False)

    def do_DELETE(self) -> None:
        self._write(strikes_out=True)

    def _fails(self, path: str) -> bool:
        is_first = f"{self.command} {path}" not in self.study.asked
        self.study.asked.append(f"{self.command} {path}")
        if is_first and self.study.fails_first and self.study.fails_first in path:
            self.close_connection = True
            return True
        for part, status in self.study.failing.items():
            if part in path:
                if self.command != "GET":
                    self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if status == 0:
                    self.close_connection = True
                else:
                    self._json({"code": "fault", "message": "The test made this fail."}, HTTPStatus(status))
                return True
        return False

    def _write(self, *, strikes_out: bool) -> None:
        path = urlsplit(self.path).path
        if self._fails(path):
            return
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers.get("X-CSRFToken") != "token-of-the-test":
            self._json({"code": "csrf", "message": "No token."}, HTTPStatus.FORBIDDEN)
            return
        mark_id = path.rsplit("/", 1)[-1]
        study = self.study
        with study.lock:
            study.puts_at_once[mark_id] = study.puts_at_once.get(mark_id, 0) + 1
            study.most_parallel_puts = max(study.most_parallel_puts, study.puts_at_once[mark_id])
        try:
            study.gate.wait(PATIENCE_S)
            status, answer = self._save(mark_id, body, strikes_out=strikes_out)
        finally:
            with study.lock:
                study.puts_at_once[mark_id] -= 1
        if study.loses_next_answer:
            study.loses_next_answer = False
            self.close_connection = True
            return
        self._json(answer, status)

    def _save(
        self, mark_id: str, body: dict[str, Any], *, strikes_out: bool
    ) -> tuple[HTTPStatus, dict[str, Any]]:
        with self.study.lock:
            if body["op_id"] in self.study.ops:
                return HTTPStatus.OK, self.study.ops[body["op_id"]]
            there = self.study.marks.get(mark_id)
            revision = there["revision"] if there else 0
            if body["base_revision"] != revision:
                message = "This mark was changed elsewhere."
                return HTTPStatus.CONFLICT, {"code": "imaging.marks.stale", "message": message, "mark": there}
            mark = {**(there or {}), **body, "mark_id": mark_id, "revision": revision + 1}
            mark.pop("op_id")
            mark.pop("base_revision")
            mark["saved_at"] = "2026-11-22T10:42:00Z"
            if strikes_out:
                mark["struck_out"] = True
            else:
                mark |= measured(mark["points"])
            self.study.marks[mark_id] = self.study.ops[body["op_id"]] = mark
            return HTTPStatus.OK, mark

    def _static(self, name: str) -> None:
        file = self.study.built / name
        if "/" in name or not file.is_file():
            self._json({}, HTTPStatus.NOT_FOUND)
            return
        kind = "application/wasm" if name.endswith(".wasm") else mimetypes.guess_type(name)[0]
        self._answer(file.read_bytes(), kind or "application/octet-stream")

    def _dicomweb(self, path: str) -> None:
        series = self.study.series
        parts = path.strip("/").split("/")
        frame = FRAME.search(path)
        if frame:
            self._frame(frame[1], int(frame[2]))
        elif parts == ["studies"]:
            self._json([{"0020000D": {"vr": "UI", "Value": [uid]}} for uid in self.study.studies()])
        elif len(parts) == 3 and parts[2] == "series":
            of_study = {k: v for k, v in series.items() if v[0].dataset.StudyInstanceUID == parts[1]}
            self._json([_series(uid, all_of) for uid, all_of in of_study.items()])
        elif parts[-1] == "metadata" and parts[3] in series:
            self._json([instance.metadata for instance in series[parts[3]]])
        else:
            self._json({"code": "not_found", "message": "Not found."}, HTTPStatus.NOT_FOUND)

    def _frame(self, sop_uid: str, number: int) -> None:
        time.sleep(self.study.frame_delay_s)
        if sop_uid != self.study.let_through:
            self.study.gate.wait(PATIENCE_S)
        instance = self.study.instance(sop_uid)
        boundary = "frame-boundary"
        head = f"--{boundary}\r\nContent-Type: application/octet-stream; transfer-syntax={instance.syntax}\r\n\r\n"
        body = head.encode() + instance.frames[number - 1] + f"\r\n--{boundary}--\r\n".encode()
        self._answer(body, f'multipart/related; type="application/octet-stream"; boundary={boundary}')

    def _json(self, value: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._answer(json.dumps(value).encode(), "application/json", status)

    def _answer(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        try:
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


def _series(uid: str, instances: list[Instance]) -> dict[str, Any]:
    first = instances[0].metadata
    kept: dict[str, Any] = {tag: first[tag] for tag in ("00080060", "0008103E", "00200011") if tag in first}
    return {
        **kept,
        "0020000E": {"vr": "UI", "Value": [uid]},
        "00201209": {"vr": "IS", "Value": [len(instances)]},
    }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:  # Any: as the base class
        """A browser that closes early is no error of the test; anything else is."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(study: Study) -> Iterator[Study]:
    """Serve on a free loopback port until the block ends."""
    handler = type("Handler", (_Handler,), {"study": study})
    server = _Server(("127.0.0.1", 0), handler)
    study.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield study
    finally:
        study.gate.set()
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE_S)
