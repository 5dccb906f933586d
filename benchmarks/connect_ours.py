"""Gateways to measure: enrolled with a server that only listens, or with a real one behind TLS.

Run as a script, this module is a gateway that inspects nothing, and with `stores` also cleans nothing: the
same door, spool and journal, to tell what de-identifying in flight costs.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
import uuid
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from collegium_connect import deidentify
from collegium_connect.deidentify import Rewritten
from collegium_connect.inspection import Inspector
from collegium_deid import load_recipe
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.gateways import GatewayProcess
from collegium_wire import ChannelSetup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collegium_connect.channels import Channel
    from collegium_connect.deidentify import Codes

CALLED, CALLING = "BENCH", "BENCHPACS"
NEVER_S = 86_400


def recipe(look: str) -> str:
    """The shipped `trial`, or the same with the look at pixels only where the header gives a reason."""
    return load_recipe("trial").text.replace("look: all", f"look: {look}")


def channel(look: str) -> ChannelSetup:
    """A channel whose exams are never complete, so that only receiving is measured."""
    text = recipe(look)
    return ChannelSetup(
        channel_id="bench", name="Bench", called_ae=CALLED, project_name="Bench", site_name="Bench",
        site_code="BE", recipe_yaml=text, recipe_digest=hashlib.sha256(text.encode()).hexdigest(),
        quiet_time_s=NEVER_S,
    )  # fmt: skip


@contextmanager
def receiving(folder: Path, *, look: str = "doubtful", only: str = "") -> Iterator[GatewayProcess]:
    """A gateway process that takes, cleans and inspects, and keeps it all; or only `cleans`, only `stores`."""
    with FakeServer([channel(look)]) as server:
        made = GatewayProcess(folder, server.url, callers=((CALLING, "127.0.0.1"),))
        if only:
            made.program = [sys.executable, __file__, only]
        with made:
            made.enrol(server.url, server.code)
            made.start()
            yield made


def peak_mb(pid: int) -> float:
    """The largest resident size that a process has had, in MB."""
    return _status_kb(pid, "VmHWM") / 1000


def resident_mb(pid: int) -> float:
    """The resident size of a process now, in MB."""
    return _status_kb(pid, "VmRSS") / 1000


def forget_peak(pid: int) -> None:
    """Let the peak begin again at what is resident now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def await_receipts(gateway: GatewayProcess, objects: int, timeout_s: float = 300.0) -> None:
    """Until the receipts of so many objects came since the start."""
    ends = time.monotonic() + timeout_s
    while receipted(gateway) < objects:
        if time.monotonic() > ends:
            raise SystemExit(f"No receipt came.\n{gateway.log_text[-3000:]}")
        time.sleep(0.02)


def receipted(gateway: GatewayProcess) -> int:
    """Objects of all receipts so far, as the gateway's log counts them."""
    lines = (json.loads(line) for line in gateway.log_text.splitlines() if "delivery.receipted" in line)
    return sum(line["objects"] for line in lines)


def _status_kb(pid: int, key: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1])
    return 0


def _only(what: str) -> None:
    """`collegium-connect` with parts of it left out."""
    setattr(Inspector, "_take", lambda _self: [])  # noqa: B010 - a method, for this process
    if what == "stores":
        _store_as_it_came()
    from collegium_connect.cli import main

    sys.exit(main(sys.argv[2:]))


def _store_as_it_came() -> None:
    """One object is cleaned, the others borrow its result."""
    real, first = deidentify.rewrite, list[Rewritten]()

    def rewrite(channel: Channel, data: memoryview, links: Codes) -> Rewritten:
        if not first:
            first.append(real(channel, data, links))
        done = first[0]
        start, head = done.cleaned.pixel_start, done.cleaned.head
        # Known by its UID: each needs one of its own.
        cleaned = replace(done.cleaned, sop_instance_uid=f"2.25.{uuid.uuid4().int}", head=head)
        return Rewritten(cleaned, [data[start:]], data[:start], is_whole=False, seconds=0.0)

    deidentify.rewrite = rewrite


if __name__ == "__main__":
    _only(sys.argv[1])
