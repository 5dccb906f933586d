"""Speak with the service manager of Windows: what it asks, and in which state this program is.

The gateway itself runs in the main thread, as everywhere; this runs beside it. When the gateway ends
without having been asked to (for a new version), that is reported as a failure, so that the recovery
action which the installation sets starts it again.
"""

import ctypes
import threading
from collections.abc import Callable
from typing import Any, Final

_OWN_PROCESS: Final = 0x10
_STOPPED, _STOP_PENDING, _RUNNING = 1, 3, 4
_CONTROL_STOP, _CONTROL_SHUTDOWN = 1, 5
_ACCEPT_STOP_AND_SHUTDOWN: Final = 0x1 | 0x4
_SPECIFIC_ERROR: Final = 1066  # ERROR_SERVICE_SPECIFIC_ERROR
_START_AGAIN: Final = 75
_STOP_HINT_MS: Final = 15_000

# 64-bit Windows has one calling convention, so these are right there and work elsewhere for tests.
_Main: Final = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_void_p)
_Handler: Final = ctypes.CFUNCTYPE(
    ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p
)


def _declare(system: Any) -> None:  # Any: a system library, or a test's stand-in
    """Say what the functions take and give: a handle is as wide as a pointer, and would be cut to an int."""
    system.RegisterServiceCtrlHandlerExW.restype = ctypes.c_void_p
    system.RegisterServiceCtrlHandlerExW.argtypes = (ctypes.c_wchar_p, _Handler, ctypes.c_void_p)
    system.SetServiceStatus.argtypes = (ctypes.c_void_p, ctypes.c_void_p)


class _Entry(ctypes.Structure):
    """SERVICE_TABLE_ENTRYW of the Windows API."""

    _fields_ = (("name", ctypes.c_wchar_p), ("main", _Main))


class Status(ctypes.Structure):
    """SERVICE_STATUS of the Windows API."""

    _fields_ = (
        ("kind", ctypes.c_uint32), ("state", ctypes.c_uint32), ("accepts", ctypes.c_uint32),
        ("code", ctypes.c_uint32), ("specific_code", ctypes.c_uint32), ("step", ctypes.c_uint32),
        ("hint_ms", ctypes.c_uint32),
    )  # fmt: skip


class Service:
    """One service of this process; `run` is called from the main thread and returns when it is over."""

    def __init__(
        self, name: str, library: Callable[[str], Any]
    ) -> None:  # Any: a system library, or a test's stand-in
        self._name, self._system = name, library("advapi32")
        _declare(self._system)
        self._handle: Any = None  # Any: what the system gave
        self._over, self._is_asked = threading.Event(), False
        self._main, self._handler = _Main(self._begin), _Handler(self._control)  # kept: the system calls them
        self._ask: Callable[[], None] = lambda: None

    def on_stop(self, ask: Callable[[], None]) -> None:
        """Call `ask` when the service manager wants the end; at once if it did already."""
        self._ask = ask
        if self._is_asked:
            ask()

    def run(self, body: Callable[[], int]) -> int:
        """Do `body` as this service."""
        talking = threading.Thread(target=self._talk, name="service manager", daemon=True)
        talking.start()
        try:
            return body()
        finally:
            self._over.set()
            talking.join(5.0)

    def _talk(self) -> None:
        table = (_Entry * 2)(_Entry(self._name, self._main), _Entry())
        self._system.StartServiceCtrlDispatcherW(table)

    def _begin(self, _count: int, _arguments: object) -> None:
        """The service's own thread, made by the system."""
        self._handle = self._system.RegisterServiceCtrlHandlerExW(self._name, self._handler, None)
        self._report(_RUNNING)
        self._over.wait()
        self._report(_STOPPED)

    def _control(self, control: int, _event: int, _data: object, _context: object) -> int:
        if control in (_CONTROL_STOP, _CONTROL_SHUTDOWN):
            self._is_asked = True
            self._report(_STOP_PENDING)
            self._ask()
        return 0

    def _report(self, state: int) -> None:
        is_failure = state == _STOPPED and not self._is_asked
        status = Status(
            kind=_OWN_PROCESS,
            state=state,
            accepts=_ACCEPT_STOP_AND_SHUTDOWN if state == _RUNNING else 0,
            code=_SPECIFIC_ERROR if is_failure else 0,
            specific_code=_START_AGAIN if is_failure else 0,
            hint_ms=_STOP_HINT_MS if state == _STOP_PENDING else 0,
        )
        self._system.SetServiceStatus(self._handle, ctypes.byref(status))
