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
    began = time.monotonic()

    for one in inputs:
        ONE_INPUT(one)

    assert time.monotonic() - began < 30, "something nearly hangs"
