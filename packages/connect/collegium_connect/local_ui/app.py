"""Serve the local page from a thread: loopback only, strict headers, nothing from elsewhere."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collegium_connect import SOFTWARE, metrics
from collegium_connect.actor import Role
from collegium_connect.channels import Channels
from collegium_connect.configuration import Configuration
from collegium_connect.doctor import Finding
from collegium_connect.errors import JournalDamaged
from collegium_connect.links import LinkList
from collegium_connect.listening import listen
from collegium_connect.local_ui.configuration_pages import ConfigurationPages
from collegium_connect.local_ui.desk import Desk
from collegium_connect.local_ui.dry_run_pages import MOST_BYTES as MOST_FILE_BYTES
from collegium_connect.local_ui.dry_run_pages import DryRunPages
from collegium_connect.local_ui.exam_pages import ExamPages
from collegium_connect.local_ui.exam_sheet import ExamSheetPages
from collegium_connect.local_ui.frame import HEADERS, Frame
from collegium_connect.local_ui.group_pages import GroupPages
from collegium_connect.local_ui.link_pages import MOST_BYTES as MOST_LIST_BYTES
from collegium_connect.local_ui.link_pages import LinkPages
from collegium_connect.local_ui.overview import OverviewPages
from collegium_connect.local_ui.quarantine_pages import QuarantinePages
from collegium_connect.local_ui.sessions import Sessions
from collegium_connect.local_ui.sign_in import SignInPages
from collegium_connect.local_ui.status import GatewayStatus
from collegium_connect.local_ui.trail_pages import TrailPages
from collegium_connect.local_ui.uploads import FORM_BYTES
from collegium_connect.log import EventLog
from collegium_connect.people import People
from collegium_connect.quarantine import AsideGroups, Quarantine, TwoPatients, UnmetExams, Viewer
from collegium_connect.send import Sender
from collegium_connect.settings import LocalSettings
from collegium_connect.trail import Trail

if TYPE_CHECKING:
    import socket

log = EventLog("local_ui")

_PAGES: Final = (
    ("/", "Overview"),
    ("/exams", "Exams"),
    ("/quarantine", "Quarantine"),
    ("/links", "Link table"),
    ("/dry-run", "Dry run"),
    ("/configuration", "Configuration"),
    ("/doctor", "Doctor"),
    ("/log", "Log"),
)


@dataclass(frozen=True)
class Parts:
    """What of the gateway the local page shows and works on."""

    name: str
    clock: Callable[[], datetime]
    status: Callable[[], GatewayStatus]
    metrics: Callable[[], str]
    people: People
    links: LinkList
    trail: Trail
    quarantine: Quarantine
    groups: AsideGroups
    two_patients: TwoPatients
    unmet: UnmetExams
    viewer: Viewer
    channels: Channels
    configuration: Configuration
    pins: Callable[[], str]
    """Which version may be installed, in words."""
    sender: Sender
    examine: Callable[[], Sequence[Finding]]
    report: Callable[[Sequence[Finding]], str]
    """The findings as a dated page to keep."""


def make_app(parts: Parts) -> Starlette:
    """All local pages. What they read and do runs in worker threads."""
    desk = Desk(Frame(parts.name, SOFTWARE), Sessions(parts.clock), parts.people, _PAGES)
    return Starlette(
        routes=[
            *_open_routes(parts, desk),
            *_quarantine_routes(parts, desk),
            *_link_routes(parts, desk),
            *_exam_routes(parts, desk),
            *_configuration_routes(parts, desk),
            *_log_routes(parts, desk),
            Route("/metrics", _metrics(parts)),
            Route("/style.css", _asset("style.css", "text/css")),
            Route("/live.js", _asset("live.js", "text/javascript")),
            Route("/boxes.js", _asset("boxes.js", "text/javascript")),
            Route("/drop.js", _asset("drop.js", "text/javascript")),
        ],
        # A foreign name that resolves to this machine must not read the page through someone's browser.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])],
        exception_handlers={JournalDamaged: _told(desk)},
    )


def _told(desk: Desk) -> Callable[[Request, Exception], Response]:
    """No page can be read: each says why, in words."""

    def answer(request: Request, error: Exception) -> Response:
        return desk.refusal(request, str(error), status=503)

    return answer


def _open_routes(parts: Parts, desk: Desk) -> list[Route]:
    overview, sign_in = OverviewPages(desk, parts.status), SignInPages(desk, parts.people)
    return [
        Route("/", desk.open(overview.whole)),
        Route("/overview/part", desk.open(overview.part)),
        Route("/status.json", overview.as_json),
        Route("/health", overview.health),
        Route("/sign-in", desk.open(sign_in.sign_in), methods=["GET", "POST"]),
        Route("/sign-out", desk.signed_in(sign_in.sign_out), methods=["POST"]),
    ]


def _quarantine_routes(parts: Parts, desk: Desk) -> list[Route]:
    pages = QuarantinePages(desk, parts.quarantine, parts.groups, parts.two_patients)
    groups, sheet = GroupPages(desk, parts.groups), ExamSheetPages(desk, parts.quarantine)
    place, exam = "/quarantine/{object_id:uuid}", "/quarantine/exams/{exam_id:uuid}"
    return [
        Route("/quarantine", desk.signed_in(pages.listed)),
        Route("/quarantine/group", desk.signed_in(groups.show)),
        Route("/quarantine/group/delete", desk.signed_in(groups.delete), methods=["POST"]),
        Route(place, desk.signed_in(pages.look), methods=["GET", "POST"]),
        Route(place + "/release", desk.signed_in(pages.release), methods=["POST"]),
        Route(place + "/take-back", desk.signed_in(pages.take_back), methods=["POST"]),
        Route(place + "/delete", desk.signed_in(pages.delete), methods=["POST"]),
        Route(exam, desk.signed_in(sheet.look), methods=["GET", "POST"]),
        Route(exam + "/release", desk.signed_in(sheet.release), methods=["POST"]),
        Route(exam + "/confirm", desk.signed_in(pages.confirm), methods=["POST"]),
        Route(exam + "/split", desk.signed_in(pages.split), methods=["POST"]),
        Route(exam + "/take-back", desk.signed_in(pages.take_back_decision), methods=["POST"]),
    ]


def _exam_routes(parts: Parts, desk: Desk) -> list[Route]:
    exams = ExamPages(desk, parts.status, parts.sender, parts.unmet)
    dry_run = DryRunPages(desk, parts.channels, parts.viewer)
    return [
        Route("/exams", desk.signed_in(exams.listed)),
        Route("/exams/{exam_id:uuid}/retry", desk.signed_in(exams.retry), methods=["POST"]),
        Route("/exams/{exam_id:uuid}/let-go", desk.signed_in(exams.let_go), methods=["POST"]),
        Route("/dry-run", desk.signed_in(dry_run.empty)),
        Route(
            "/dry-run",
            desk.signed_in(dry_run.run, most_bytes=MOST_FILE_BYTES + FORM_BYTES),
            methods=["POST"],
        ),
    ]


def _configuration_routes(parts: Parts, desk: Desk) -> list[Route]:
    pages = ConfigurationPages(desk, parts.configuration, parts.examine, parts.report, parts.pins)
    return [
        Route("/configuration", desk.signed_in(pages.listed)),
        Route(
            "/configuration/confirm",
            desk.signed_in(pages.confirm, role=Role.ADMINISTRATOR),
            methods=["POST"],
        ),
        Route("/doctor", desk.signed_in(pages.doctor), methods=["GET", "POST"]),
    ]


def _link_routes(parts: Parts, desk: Desk) -> list[Route]:
    pages, place = LinkPages(desk, parts.links), "/links/{scope_id:int}"
    return [
        Route("/links", desk.signed_in(pages.numberings)),
        Route(place, desk.signed_in(pages.links)),
        Route(place + "/find", desk.signed_in(pages.find), methods=["POST"]),
        Route(
            place + "/import",
            desk.signed_in(pages.take_list, role=Role.ADMINISTRATOR, most_bytes=MOST_LIST_BYTES + FORM_BYTES),
            methods=["POST"],
        ),
        Route(place + "/export", desk.signed_in(pages.give_list, role=Role.ADMINISTRATOR), methods=["POST"]),
    ]


def _log_routes(parts: Parts, desk: Desk) -> list[Route]:
    pages = TrailPages(desk, parts.trail)
    return [
        Route("/log", desk.signed_in(pages.lines)),
        Route("/log/verify", desk.signed_in(pages.verify), methods=["POST"]),
    ]


def _metrics(parts: Parts) -> Callable[[Request], Response]:
    def answer(_request: Request) -> Response:
        return Response(parts.metrics(), headers={**HEADERS, "Content-Type": metrics.CONTENT_TYPE})

    return answer


def _asset(name: str, media_type: str) -> Callable[[Request], Response]:
    content = files("collegium_connect.local_ui").joinpath("static", name).read_bytes()

    def asset(_request: Request) -> Response:
        return Response(content, media_type=media_type, headers=HEADERS)

    return asset


class LocalPage:
    """The page's server: `start` binds and serves in a thread, `stop` ends it."""

    def __init__(self, settings: LocalSettings, parts: Parts) -> None:
        self._settings = settings
        config = uvicorn.Config(
            make_app(parts), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        assert self._socket is not None
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        self._socket = listen(self._settings.host, self._settings.port, "local.port")
        sockets = [self._socket]
        self._thread = threading.Thread(
            target=lambda: self._server.run(sockets=sockets), name="local page", daemon=True
        )
        self._thread.start()
        log.info("local_page.listening", host=self._settings.host, port=self.port)

    def stop(self, timeout_s: float = 3.0) -> None:
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout_s)
        if self._socket is not None:
            self._socket.close()
