"""Listen, with and without TLS, and give each association a thread; stop at once, or once all are done."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Protocol

from collegium_connect.log import EventLog
from collegium_connect.receive.association import Association, Committer, Gate
from collegium_connect.receive.certificate import Certificate
from collegium_connect.receive.crowd import Crowd, CrowdedGate
from collegium_connect.receive.errors import AssociationEnded
from collegium_connect.receive.listeners import listeners
from collegium_connect.receive.reception import Memory, Reception, Taker
from collegium_connect.receive.strangers import Strangers
from collegium_connect.receive.stream import Stream
from collegium_connect.receive.threshold import Visit, one_too_many
from collegium_connect.receive.upper_layer import UpperLayer
from collegium_connect.settings import LimitSettings, ReceiveSettings

log = EventLog("receive")

_MOMENT_S: Final = 1.0
_LOOK_S: Final = 0.25


class Helpers(Protocol):
    """Other processes that accept on our sockets."""

    def start(self, sockets: Sequence[tuple[socket.socket, bool]]) -> None: ...

    def stop(self, timeout_s: float) -> None: ...


class Door:
    """The DICOM listeners. `start` binds; `stop` closes them and every association; `drain` lets these end."""

    def __init__(
        self,
        settings: ReceiveSettings,
        limits: LimitSettings,
        gate: Gate,
        taker: Taker,
        committer: Committer | None = None,
    ) -> None:
        self._settings, self._limits, self._taker, self._committer = settings, limits, taker, committer
        self._crowd = Crowd(settings.max_associations, settings.max_associations_per_caller)
        self._gate, self._strangers = gate, Strangers(settings.allowed_callers)
        self._memory = Memory(settings.memory_bytes)
        self.certificate = Certificate(settings) if settings.tls_certificate_file is not None else None
        """Of the TLS port, if there is one."""
        self._helpers: Helpers | None = None
        self._listeners: list[tuple[socket.socket, bool]] = []  # each with: is it for TLS
        self._open: dict[Visit, None] = {}  # in the order in which they came
        self._lock, self._closing, self._stopping = threading.Lock(), threading.Event(), threading.Event()
        self._accepting: list[threading.Thread] = []
        self._threads: list[threading.Thread] = []

    def let_help(self, helpers: Callable[[Crowd], "Helpers"]) -> None:
        """Let other processes accept, from `start` on; who is in there is counted here."""
        self._helpers = helpers(self._crowd)

    @property
    def port(self) -> int:
        """The port without TLS; where that is closed, the other."""
        return int(self._listeners[0][0].getsockname()[1])

    @property
    def tls_port(self) -> int | None:
        return next((int(sock.getsockname()[1]) for sock, is_tls in self._listeners if is_tls), None)

    @property
    def associations(self) -> int:
        """How many peers are in just now."""
        return self._crowd.total

    def start(self, sockets: Sequence[tuple[socket.socket, bool]] = ()) -> None:
        """Listen on the gateway's sockets, or on those that another process of this gateway has them from."""
        self._listeners = list(sockets or listeners(self._settings, with_tls=self.certificate is not None))
        if self._helpers is not None:
            self._helpers.start(self._listeners)
            return
        for listener, is_tls in self._listeners:
            thread = threading.Thread(
                target=partial(self._accept, listener, is_tls=is_tls), name="door", daemon=True
            )
            thread.start()
            self._accepting.append(thread)

    def stop(self, timeout_s: float = 3.0) -> None:
        """Close everything, after a moment for what is nearly done; what was not answered stays the sender's."""
        self._closing.set()
        self._crowd.is_leaving = True
        for thread in self._accepting:
            thread.join(timeout_s)  # whoever it accepts last is still answered
        if self._helpers is not None:
            self._helpers.stop(timeout_s)
        self.drain(min(_MOMENT_S, timeout_s))
        self._wait_while(self._owes_an_answer, timeout_s)  # what is ours alone to do is done
        self._stopping.set()
        with self._lock:
            for visit in self._open:
                _shut(visit.connection)
            threads = list(self._threads)
        ends = time.monotonic() + timeout_s
        for thread in threads:
            thread.join(max(0.0, ends - time.monotonic()))
        for listener, _ in self._listeners:
            listener.close()

    def drain(self, timeout_s: float) -> bool:
        """Refuse whoever comes, ask whoever is in to release after the message under way; whether all did."""
        self._crowd.is_leaving = True
        with self._lock:
            inside = [visit.association for visit in self._open if visit.association is not None]
        for association in inside:
            with contextlib.suppress(AssociationEnded):
                association.upper.ask_release()
        return self._wait_while(self._is_needed, timeout_s)

    def _wait_while(self, is_so: Callable[[], bool], timeout_s: float) -> bool:
        """Whether it ended in time."""
        ends = time.monotonic() + timeout_s
        while is_so() and time.monotonic() < ends:
            self._stopping.wait(0.05)
        return not is_so()

    def _is_needed(self) -> bool:
        """Whether somebody is in, or has knocked and has no answer yet."""
        with self._lock:
            associations = [visit.association for visit in self._open]
        is_waited_for = any(
            association is None or not association.is_answered for association in associations
        )
        return is_waited_for or self._crowd.total > 0

    def _owes_an_answer(self) -> bool:
        """Whether somebody has asked to come in and was not answered."""
        with self._lock:
            associations = [visit.association for visit in self._open if visit.association is not None]
        return any(item.request is not None and not item.is_answered for item in associations)

    def _accept(self, listener: socket.socket, *, is_tls: bool) -> None:
        # Never shut down to wake this: the service manager may hold the same socket for the next start.
        listener.settimeout(_LOOK_S)
        while not self._closing.is_set():
            try:
                connection, (host, *_) = listener.accept()
            except TimeoutError:
                self._strangers.tell()
                continue
            except OSError:
                if self._closing.is_set():
                    return
                self._closing.wait(0.1)  # out of file handles, or the like: it may pass
                continue
            address = host.removeprefix("::ffff:")
            if self._strangers.turns_away(address):
                connection.close()
            else:
                self._let_wait(
                    Visit(connection, address, CrowdedGate(self._gate, self._crowd)), is_tls=is_tls
                )

    def _let_wait(self, visit: Visit, *, is_tls: bool) -> None:
        """Hear what a peer asks, in a thread of its own."""
        thread = threading.Thread(
            target=partial(self._serve, visit, is_tls=is_tls), name="association", daemon=True
        )
        with self._lock:
            if self._stopping.is_set():
                visit.connection.close()
                return
            self._open[visit] = None
            self._threads = [item for item in self._threads if item.is_alive()] + [thread]
            if gone := one_too_many(list(self._open)):
                del self._open[gone]
                _shut(gone.connection)
        thread.start()

    def _serve(self, visit: Visit, *, is_tls: bool) -> None:
        try:
            visit.connection.settimeout(self._settings.artim_s)
            visit.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if is_tls:
                assert self.certificate is not None
                if not _secured(visit, self.certificate.context):
                    return
            association = visit.association = self._associate(visit)
            try:
                ending = association.serve()
            finally:
                visit.gate.leave()
            if not association.is_refused:
                _log_end(association, visit.address, ending)
            association.upper.linger()
        except Exception as error:  # noqa: BLE001 - one association's fault is no other's; what was not answered is the sender's
            log.fault("association.failed", error, address=visit.address)
        finally:
            with self._lock:
                self._open.pop(visit, None)
            _shut(visit.connection)
            visit.connection.close()

    def _associate(self, visit: Visit) -> Association:
        settings, stream = self._settings, Stream(visit.connection)
        return Association(
            UpperLayer(
                stream, artim_s=settings.artim_s, idle_s=settings.idle_timeout_s, max_pdu=settings.max_pdu
            ),
            stream,
            visit.gate,
            Reception(self._taker, self._memory, self._limits.object_bytes),
            address=visit.address,
            object_timeout_s=settings.object_timeout_s,
            committer=self._committer,
        )


def _secured(visit: Visit, tls: ssl.SSLContext) -> bool:
    """Go over to TLS; false, and told, where the peer does not."""
    try:
        # Wrapped before the handshake, so that a silent peer can be hung up on during it.
        visit.connection = secured = tls.wrap_socket(
            visit.connection, server_side=True, do_handshake_on_connect=False
        )
        secured.do_handshake()
    except (ssl.SSLError, TimeoutError, ConnectionError) as error:
        reason = f"TLS: {getattr(error, 'reason', None) or 'the handshake broke off'}"
        log.warning("association.refused", address=visit.address, reason=reason)
        return False
    return True


def _log_end(association: Association, address: str, ending: str) -> None:
    tally, channel = association.tally, association.channel
    log.info(
        "association.ended",
        address=address,
        channel=channel.channel_id if channel else "",
        ending=ending,
        stored=tally.stored,
        refused=tally.refused,
        echoes=tally.echoes,
        bytes=tally.bytes_received,
    )


def _shut(connection: socket.socket) -> None:
    """Wake whoever waits on this socket; closing alone would not."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
