"""Take a multipart/related body apart while it arrives (RFC 2046, RFC 2387).

Chunks may be cut anywhere. A part with a Content-Length is taken by that length and
must then end at a boundary; one without is searched for it. Memory: one chunk, the
length of a boundary and one part's headers. Form data is not read here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003 - read by the dataclass
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from collegium.kit.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")  # RFC 2046, 5.1.1
_PARAMETER = re.compile(r';\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;"]+)')
_LINES = 1024
"""So much is copied to look for what stands between two parts of known length."""
_LENGTH = re.compile(r"[0-9]{1,18}")


class MultipartError(Invalid):
    """A body that is not what its Content-Type says; `code` says in which way."""

    code: ClassVar[str] = "multipart.invalid"
    message: ClassVar[str] = "The request body is not a valid multipart message."


class MultipartCut(MultipartError):
    code = "multipart.cut"
    message = "The request ended in the middle. Parts that had arrived whole were kept where that is safe."


class MultipartLimit(MultipartError):
    code = "multipart.limit"
    message = "The request holds more parts, or longer part headers, than this server accepts."


class MultipartLies(MultipartError):
    """A part is longer or shorter than its Content-Length."""

    code = "multipart.length"
    message = "A part of the request does not have the length it declares."


@dataclass(frozen=True, slots=True)
class PartBegins:
    """A part's headers, names in lower case."""

    headers: Mapping[str, str]
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class PartBytes:
    """Some of a part's bytes. The view is valid until the parser goes on."""

    piece: memoryview


@dataclass(frozen=True, slots=True)
class PartEnds:
    """The part is complete."""


Happening: TypeAlias = PartBegins | PartBytes | PartEnds


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may hold."""

    parts: int = 10_000
    header_bytes: int = 8_192
    headers: int = 32


class _At(Enum):
    PREAMBLE = auto()
    DELIMITER = auto()
    HEADERS = auto()
    COUNTED = auto()
    COUNTED_END = auto()
    SEARCHED = auto()
    EPILOGUE = auto()


def parameters_of(content_type: str) -> tuple[str, dict[str, str]]:
    """Media type in lower case and its parameters, quotes undone."""
    media, _, _ = content_type.partition(";")
    found = {
        name.lower(): re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        for name, value in _PARAMETER.findall(content_type)
    }
    return media.strip().lower(), found


def boundary_of(content_type: str) -> bytes:
    """The boundary a multipart/related Content-Type names.

    Raises:
        MultipartError: another type, or no usable boundary.
    """
    media, parameters = parameters_of(content_type)
    boundary = parameters.get("boundary", "").encode("utf-8", "replace")
    if media != "multipart/related" or not _BOUNDARY.fullmatch(boundary):
        raise MultipartError("The request must be multipart/related with a boundary.")
    return boundary


class MultipartParser:
    """Feed it chunks; it says what happens. `close` says whether the body was whole."""

    def __init__(self, boundary: bytes, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._delimiter = b"\r\n--" + boundary
        self._at = _At.PREAMBLE
        # A body may begin with its first delimiter; the line break before it is then imagined.
        self._buffer = bytearray(b"\r\n")
        self._left = 0
        self._parts = 0
        # Each step goes one step forward, or gives None when more bytes are needed.
        self._steps: dict[_At, Callable[[], tuple[Happening, ...] | None]] = {
            _At.PREAMBLE: self._preamble,
            _At.DELIMITER: self._after_delimiter,
            _At.HEADERS: self._headers,
            _At.COUNTED: self._counted,
            _At.COUNTED_END: self._counted_end,
            _At.SEARCHED: self._searched,
            _At.EPILOGUE: self._epilogue,
        }

    def feed(self, chunk: bytes) -> Iterator[Happening]:
        """What `chunk` brings. Take everything before feeding the next.

        Raises:
            MultipartError: the body is not multipart, lies or breaks a limit.
        """
        view = memoryview(chunk)
        while view:
            if self._at is _At.COUNTED and not self._buffer:  # the hot path: content goes through uncopied
                taken = min(self._left, len(view))
                self._left -= taken
                if not self._left:
                    self._at = _At.COUNTED_END
                yield PartBytes(view[:taken])
            else:
                taken = len(view) if self._at is _At.SEARCHED else _LINES
                self._buffer += view[:taken]
                while (happening := self._steps[self._at]()) is not None:
                    yield from happening
            view = view[taken:]

    def close(self) -> None:
        """Say that no more comes.

        Raises:
            MultipartCut: the closing delimiter is missing.
        """
        if self._at is not _At.EPILOGUE:
            raise MultipartCut

    def _epilogue(self) -> tuple[Happening, ...] | None:
        self._buffer.clear()
        return None

    def _preamble(self) -> tuple[Happening, ...] | None:
        found = self._buffer.find(self._delimiter)
        if found < 0:
            if len(self._buffer) > self._limits.header_bytes:
                raise MultipartError("The request does not begin with its boundary.")
            return None
        del self._buffer[: found + len(self._delimiter)]
        self._at = _At.DELIMITER
        return ()

    def _after_delimiter(self) -> tuple[Happening, ...] | None:
        line_end = self._buffer.find(b"\r\n")
        if self._buffer.startswith(b"--"):
            self._at = _At.EPILOGUE
            return ()
        if line_end < 0:
            if len(self._buffer) > 2 and self._buffer.strip(b" \t\r"):
                raise MultipartError("A boundary of the request is followed by other bytes.")
            if len(self._buffer) > self._limits.header_bytes:
                raise MultipartLimit
            return None
        if self._buffer[:line_end].strip(b" \t"):
            raise MultipartError("A boundary of the request is followed by other bytes.")
        self._parts += 1
        if self._parts > self._limits.parts:
            raise MultipartLimit
        del self._buffer[:line_end]  # keep the line break: headers may be empty
        self._at = _At.HEADERS
        return ()

    def _headers(self) -> tuple[Happening, ...] | None:
        end = self._buffer.find(b"\r\n\r\n")
        if max(end, len(self._buffer) if end < 0 else 0) > self._limits.header_bytes:
            raise MultipartLimit
        if end < 0:
            return None
        headers = self._parsed(bytes(self._buffer[2:end]))
        del self._buffer[: end + 4]
        size = headers.get("content-length")
        if size is None:
            self._at = _At.SEARCHED
            return (PartBegins(headers, None),)
        if not _LENGTH.fullmatch(size):
            raise MultipartLies
        self._left = int(size)
        self._at = _At.COUNTED if self._left else _At.COUNTED_END
        return (PartBegins(headers, self._left),)

    def _parsed(self, raw: bytes) -> dict[str, str]:
        headers: dict[str, str] = {}
        for line in raw.split(b"\r\n") if raw else ():
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon or not name or name != name.strip() or "\n" in line.decode("latin-1"):
                raise MultipartError("A part of the request has a malformed header.")
            if name.lower() in headers:
                raise MultipartError("A part of the request repeats a header.")
            headers[name.lower()] = value.strip()
        if len(headers) > self._limits.headers:
            raise MultipartLimit
        return headers

    def _counted(self) -> tuple[Happening, ...] | None:
        if not self._buffer:
            return None
        piece = memoryview(self._buffer[: self._left])
        del self._buffer[: len(piece)]
        self._left -= len(piece)
        if not self._left:
            self._at = _At.COUNTED_END
        return (PartBytes(piece),)

    def _counted_end(self) -> tuple[Happening, ...] | None:
        if len(self._buffer) < len(self._delimiter):
            if not self._delimiter.startswith(self._buffer):
                raise MultipartLies
            return None
        if not self._buffer.startswith(self._delimiter):
            raise MultipartLies
        del self._buffer[: len(self._delimiter)]
        self._at = _At.DELIMITER
        return (PartEnds(),)

    def _searched(self) -> tuple[Happening, ...] | None:
        found = self._buffer.find(self._delimiter)
        if found < 0:
            keep = len(self._delimiter) - 1
            if len(self._buffer) <= keep:
                return None
            piece = memoryview(self._buffer[:-keep])
            del self._buffer[:-keep]
            return (PartBytes(piece),)
        piece = memoryview(self._buffer[:found])
        del self._buffer[: found + len(self._delimiter)]
        self._at = _At.DELIMITER
        return (PartBytes(piece), PartEnds()) if piece else (PartEnds(),)
