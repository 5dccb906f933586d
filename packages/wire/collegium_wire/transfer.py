"""The small answers while a delivery is under way."""

from __future__ import annotations

from dataclasses import dataclass

from collegium_wire import forms
from collegium_wire.errors import WireError
from collegium_wire.message import Message, read_json
from collegium_wire.receipt import Receipt


@dataclass(frozen=True, kw_only=True)
class Missing(Message):
    """Digests of the manifest that the server does not hold yet."""

    missing: tuple[str, ...]

    def __post_init__(self) -> None:
        for digest in self.missing:
            forms.require_sha256(digest, "missing")


@dataclass(frozen=True, kw_only=True)
class RefusedObject(Message):
    sha256: str
    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class ObjectsAnswer(Message):
    """What became of the parts of one upload; `stored` is on the server's disk for good."""

    stored: tuple[str, ...]
    refused: tuple[RefusedObject, ...]


def delivery_state(data: bytes) -> Missing | Receipt:
    """Read the answer to GET of a delivery: what is missing, or the receipt once it is complete."""
    value = read_json(data)
    if not isinstance(value, dict):
        raise WireError("wire.field.type", "The state of a delivery must be an object.")
    return Missing.from_json(data) if "missing" in value else Receipt.from_json(data)
