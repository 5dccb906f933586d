"""Listen, accept, and give each association a thread; refuse what is too much; stop at once when asked."""

import socket
import threading
import time
from collections.abc import Callable

from collegium_connect.channels import Channel
from collegium_connect.log import EventLog
from collegium_connect.receive import pdu
from collegium_connect.receive.admission import TOO_MANY, Refusal
from collegium_connect.receive.association import Association, Gate, Taker
from collegium_connect.receive.errors import ObjectTooLarge, PeerGone, ProtocolViolation
from collegium_connect.receive.stream import Stream
from collegium_connect.settings import LimitSettings, ReceiveSettings

log = EventLog("receive")


class Door:
    """The DICOM listener. `start` binds, `stop` closes it and every association."""

    def __init__(self, settings: ReceiveSettings, limits: LimitSettings, gate: Gate, taker: Taker) -> None:
        self._settings, self._limits, self._gate, self._taker = settings, limits, gate, taker
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._lock, self._stopping = threading.Lock(), threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def port(self) -> int:
        assert self._listener is not None
        return int(self._listener.getsockname()[1])

    def start(self) -> None:
        self._listener = socket.create_server((self._settings.host, self._settings.port), backlog=64)
        thread = threading.Thread(target=self._accept, name="door", daemon=True)
        thread.start()
        self._threads.append(thread)
        log.info("receive.listening", host=self._settings.host, port=self.port)

    def stop(self, timeout_s: float = 3.0) -> None:
        """Close everything; objects that were not answered stay the sender's."""
        self._stopping.set()
        assert self._listener is not None
        _shut(self._listener)
        with self._lock:
            for connection in self._open:
                _shut(connection)
            threads = list(self._threads)
        ends = time.monotonic() + timeout_s
        for thread in threads:
            thread.join(max(0.0, ends - time.monotonic()))
        self._listener.close()

    def _accept(self) -> None:
        assert self._listener is not None
        while not self._stopping.is_set():
            try:
                connection, address = self._listener.accept()
            except OSError:
                if self._stopping.is_set():
                    return
                self._stopping.wait(0.1)  # out of file handles, or the like: it may pass
                continue
            thread = threading.Thread(
                target=self._serve, args=(connection, address[0]), name="association", daemon=True
            )
            with self._lock:
                if self._stopping.is_set():
                    connection.close()
                    return
                self._open.add(connection)
                self._threads = [item for item in self._threads if item.is_alive()] + [thread]
            thread.start()

    def _serve(self, connection: socket.socket, address: str) -> None:
        try:
            connection.settimeout(self._settings.idle_timeout_s)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._associate(Stream(connection), address)
        except OSError as error:
            log.fault("association.failed", error, address=address)
        finally:
            with self._lock:
                self._open.discard(connection)
            _shut(connection)
            connection.close()

    def _associate(self, stream: Stream, address: str) -> None:
        association = Association(
            stream,
            _Crowd(self._gate, self._is_crowded),
            self._taker,
            max_pdu=self._settings.max_pdu,
            object_limit=self._limits.object_bytes,
        )
        ending = "released"
        try:
            refusal = association.open(address)
            if refusal is not None:
                self._log_refusal(association, address, refusal)
                return
            association.run()
        except PeerGone:
            ending = "lost"
        except ProtocolViolation as violation:
            ending = violation.message
            _abort(stream, violation.reason)
        except ObjectTooLarge:
            ending = "an object is larger than limits.object_bytes"
            _abort(stream, 0)
        self._log_end(association, address, ending)

    def _is_crowded(self) -> bool:
        with self._lock:
            return len(self._open) > self._settings.max_associations

    @staticmethod
    def _log_refusal(association: Association, address: str, refusal: Refusal) -> None:
        request = association.request
        log.warning(
            "association.refused",
            address=address,
            calling=request.calling_ae if request else "",
            called=request.called_ae if request else "",
            reason=refusal.words,
        )

    @staticmethod
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


class _Crowd:
    """The gate, with the number of associations looked at first."""

    def __init__(self, gate: Gate, is_crowded: Callable[[], bool]) -> None:
        self._gate, self._is_crowded = gate, is_crowded

    def decide(self, request: pdu.AssociateRequest, address: str) -> Channel | Refusal:
        return TOO_MANY if self._is_crowded() else self._gate.decide(request, address)


def _abort(stream: Stream, reason: int) -> None:
    try:
        stream.send(pdu.abort(reason))
    except PeerGone:
        return


def _shut(connection: socket.socket) -> None:
    """Wake whoever waits on this socket; closing alone would not."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
