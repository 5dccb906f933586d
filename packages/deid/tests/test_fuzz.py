"""The corpus of the fuzzer, and seeded changes of it, never break the de-identifier."""

from __future__ import annotations

import importlib.util
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

FUZZ = Path(__file__).parents[1] / "fuzz"
CORPUS = sorted((FUZZ / "corpus").iterdir())
CHANGES = 120
ENDLESS_S = 120.0
"""Of a processor, a slow one too: what nearly hangs takes far longer, what is right a second or so."""


def target() -> Callable[[bytes], None]:
    spec = importlib.util.spec_from_file_location("fuzz_target", FUZZ / "target.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[bytes], None] = module.one_input
    return found


ONE_INPUT = target()


def changed(data: bytes, rng: random.Random) -> bytes:
    """A few bytes flipped, cut out, put in, or taken from elsewhere in the file."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(out) + 1)
        size = rng.choice((1, 1, 2, 4, 8, 40))
        kind = rng.randrange(5)
        if kind == 0:
            out[at : at + size] = rng.randbytes(size)
        elif kind == 1:
            del out[at : at + size]
        elif kind == 2:
            out[at:at] = rng.randbytes(size)
        elif kind == 3:
            source = rng.randrange(len(out) + 1)
            out[at : at + size] = out[source : source + size]
        else:
            out[at : at + 4] = rng.choice(
                (b"\xff\xff\xff\xff", b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\0\0\0\0")
            )
    return bytes(out)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_any_bytes_are_cleaned_or_refused_with_a_reason(path: Path) -> None:
    data, rng = path.read_bytes(), random.Random(path.name)
    inputs = [data, *(changed(data, rng) for _ in range(CHANGES))]
    began = time.process_time()

    for one in inputs:
        ONE_INPUT(one)

    assert time.process_time() - began < ENDLESS_S, "something nearly hangs"


@pytest.mark.parametrize("piece", ["a", "1", "A.", "1.", "日", "+1 ", "a@", "Dr ", "aA"])
def test_a_long_value_takes_no_long(piece: str) -> None:
    text = (piece * 8000)[:8000].encode()
    values = [
        (0x00080016, b"UI", b"1.2.840.10008.5.1.4.1.1.66.4"),
        (0x00080018, b"UI", b"1.2.3.41"),
        (0x00080005, b"CS", b"ISO_IR 192"),
        (0x00081030, b"LO", text),
        (0x00100020, b"LO", b"MRN-4471123\0"),
        (0x00104000, b"LT", text),
        (0x00180050, b"DS", text),
        (0x0020000D, b"UI", b"1.2.3.42"),
        (0x0020000E, b"UI", b"1.2.3.43"),
    ]
    body = b"".join(
        tag.to_bytes(4, "big")[1::-1]
        + tag.to_bytes(4, "big")[:1:-1]
        + vr
        + len(value).to_bytes(2, "little")
        + value
        for tag, vr, value in sorted(values)
    )
    began = time.process_time()

    ONE_INPUT(b"\0" + body)

    assert time.process_time() - began < ENDLESS_S
