"""One way from a frozen dataclass to canonical JSON and back; strict both ways.

Canonical: sorted keys, no spaces, UTF-8, every value written by its declared type, so that the same
message always has the same bytes and therefore the same digest. Strict: an unknown, missing or
repeated key, another type, a number that JSON does not know (NaN) or a value out of form is a
`WireError` that names the field. Nothing here knows what a message means.

An addition is a field that came after the first release of its message (`added`). While it holds its
default it is left out, so a message without it has the bytes and the digest it always had; where it is
missing it holds its default. Whoever speaks an earlier protocol is told the message `as_of` that.
"""

from __future__ import annotations

import hashlib
import json
import math
import types
from dataclasses import field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self, Union, get_args, get_origin, get_type_hints

from collegium_wire.errors import WireError
from collegium_wire.versions import require_protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

# What json.loads gives; `_decode` checks it before anything else sees it.
Json = Any  # Any: JSON has no static type


class Message:
    """Base of every message: a frozen dataclass whose fields say its JSON."""

    def to_json(self) -> bytes:
        """The canonical bytes of this message.

        Raises:
            WireError: a field holds a value of another type than it declares.
        """
        text = json.dumps(
            _encode(self, type(self), type(self).__name__),
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
            allow_nan=False,
        )
        try:
            return text.encode()
        except UnicodeEncodeError as error:
            raise WireError(
                "wire.field.value", "A text holds half a character (a lone surrogate)."
            ) from error

    def digest(self) -> str:
        """SHA-256 of the canonical bytes, as 64 lower-case hex digits."""
        return hashlib.sha256(self.to_json()).hexdigest()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a message; refuse whatever is not exactly one.

        Raises:
            WireError: not JSON, another protocol, a key or a value that does not belong there.
        """
        value = read_json(data)
        message = _decode(value, cls, cls.__name__)
        assert isinstance(message, cls)
        return message

    def as_of(self, protocol: int) -> Self:
        """The same without what this protocol does not know, all the way down."""
        return type(self)(**{name: _as_of(self, name, protocol) for name in _fields(type(self))})


def added(*, since: int, default: Any, repr: bool = True) -> Any:  # noqa: A002 - Any, and its names: what `field` takes and gives
    """An addition that the protocol `since` brought; its default says nothing."""
    return field(default=default, repr=repr, metadata={"since": since})


def _as_of(message: Message, name: str, protocol: int) -> object:
    addition = _additions(type(message)).get(name)
    if addition is not None and addition.since > protocol:
        return addition.default
    value = getattr(message, name)
    if isinstance(value, Message):
        return value.as_of(protocol)
    if isinstance(value, tuple):
        return tuple(item.as_of(protocol) if isinstance(item, Message) else item for item in value)
    return value


def read_json(data: bytes) -> Json:
    """Parse JSON, refusing repeated keys and the constants that are not JSON."""
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant)
    except WireError:
        raise
    except (ValueError, RecursionError) as error:
        raise WireError("wire.json.invalid", "The message is not JSON in UTF-8.") from error


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise WireError("wire.json.invalid", "A key of the message is repeated.")
    return result


def _refuse_constant(_name: str) -> Json:
    raise WireError("wire.json.invalid", "The message holds a number that JSON does not know.")


_FIELDS: Final[dict[type, dict[str, object]]] = {}


def _fields(cls: type) -> dict[str, object]:
    """Name and declared type of every field; kept, because reading type hints is slow."""
    if cls not in _FIELDS:
        _FIELDS[cls] = get_type_hints(cls)
    return _FIELDS[cls]


class _Addition(NamedTuple):
    since: int
    default: object


_ADDITIONS: Final[dict[type, dict[str, _Addition]]] = {}


def _additions(cls: type[Message]) -> dict[str, _Addition]:
    """By name; kept like the hints."""
    if cls not in _ADDITIONS:
        _ADDITIONS[cls] = {
            one.name: _Addition(one.metadata["since"], one.default)
            for one in fields(cls)  # type: ignore[arg-type]  # every message is a dataclass; its base is none
            if "since" in one.metadata
        }
    return _ADDITIONS[cls]


def _wrong(path: str, expected: str) -> WireError:
    return WireError("wire.field.type", f"{path} must be {expected}.")


def _plain(value: Json, declared: object, path: str) -> Json:
    """A str, int, bool or float that is exactly of its declared type."""
    if declared is float and type(value) in (int, float):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    if type(value) is not declared or declared is float:
        raise _wrong(path, _NAMES.get(declared, "of another kind"))
    return value


_NAMES: Final[dict[object, str]] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    float: "a number",
}


def _optional(declared: object) -> object:
    """X of `X | None`, else None."""
    if get_origin(declared) in (Union, types.UnionType):
        return next(iter(option for option in get_args(declared) if option is not type(None)), None)
    return None


def _encode(value: object, declared: object, path: str) -> Json:
    inner = _optional(declared)
    if inner is not None:
        return None if value is None else _encode(value, inner, path)
    if get_origin(declared) is tuple:
        if not isinstance(value, tuple):
            raise _wrong(path, "a tuple")
        return [_encode(item, get_args(declared)[0], f"{path}[{n}]") for n, item in enumerate(value)]
    if get_origin(declared) is dict:
        return _mapping(value, declared, path)
    return _encode_one(value, declared, path)


def _encode_one(value: object, declared: object, path: str) -> Json:
    if not isinstance(declared, type) or not issubclass(declared, (Message, StrEnum, datetime)):
        return _plain(value, declared, path)
    if not isinstance(value, declared):
        raise _wrong(path, declared.__name__)
    if isinstance(value, Message):
        additions = _additions(type(value))
        return {
            name: _encode(getattr(value, name), hint, f"{path}.{name}")
            for name, hint in _fields(declared).items()
            if name not in additions or getattr(value, name) != additions[name].default
        }
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise _wrong(path, "a time with its zone")
        return value.astimezone(UTC).isoformat()
    return str(value)


def _mapping(value: object, declared: object, path: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise _wrong(path, "an object")
    item = get_args(declared)[1]
    return {_plain(key, str, path): _plain(content, item, f"{path}.*") for key, content in value.items()}


def _decode(value: Json, declared: object, path: str) -> object:
    inner = _optional(declared)
    if inner is not None:
        return None if value is None else _decode(value, inner, path)
    if get_origin(declared) is tuple:
        if not isinstance(value, list):
            raise _wrong(path, "a list")
        return tuple(_decode(item, get_args(declared)[0], f"{path}[{n}]") for n, item in enumerate(value))
    if get_origin(declared) is dict:
        return _mapping(value, declared, path)
    return _decode_one(value, declared, path)


def _decode_one(value: Json, declared: object, path: str) -> object:
    if isinstance(declared, type):
        if issubclass(declared, Message):
            return _decode_message(value, declared, path)
        if issubclass(declared, StrEnum):
            return _decode_choice(_plain(value, str, path), declared, path)
        if declared is datetime:
            return _decode_time(_plain(value, str, path), path)
    return _plain(value, declared, path)


def _decode_message(value: Json, declared: type[Message], path: str) -> Message:
    if not isinstance(value, dict):
        raise _wrong(path, "an object")
    hints = _fields(declared)
    # Before the keys: another protocol may have other keys, and its number is the better answer.
    if "protocol" in hints and type(value.get("protocol")) is int:
        require_protocol(value["protocol"])
    for name in hints:
        if name not in value and name not in _additions(declared):
            raise WireError("wire.field.missing", f"{path}.{name} is missing.")
    for name in value:
        if name not in hints:
            raise WireError("wire.field.unknown", f"{path} has a field that this protocol does not know.")
    decoded = {name: _decode(value[name], hints[name], f"{path}.{name}") for name in hints if name in value}
    return declared(**decoded)


def _decode_choice(value: str, declared: type[StrEnum], path: str) -> StrEnum:
    for choice in declared:
        if choice.value == value:
            return choice
    raise WireError("wire.field.value", f"{path} must be one of: {', '.join(declared)}.")


def _decode_time(value: str, path: str) -> datetime:
    try:
        time = datetime.fromisoformat(value)
    except ValueError as error:
        raise WireError("wire.field.value", f"{path} must be a time in ISO 8601.") from error
    if time.tzinfo is None:
        raise WireError("wire.field.value", f"{path} must be a time with its zone.")
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise WireError("wire.field.value", f"{path} must be a time that UTC knows.") from error


def require_unique(values: Iterable[str], what: str) -> None:
    """Refuse a list that names the same thing twice."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise WireError("wire.field.value", f"{what} is named twice.")
        seen.add(value)
