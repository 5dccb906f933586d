"""Audited changes a second: 40 writers at once in one space, every change committed with its entry in one chain.

The peer is the obvious design beside ours: a row trigger that locks the chain's head
from the insert to the commit. A transaction here holds 5 ms of other work, as a page does.

    python benchmarks/audited_changes.py [--seconds 5] [--writers 40]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collegium_testkit.world import World

TARGET = 200.0
WORK_S = 0.005


def main() -> None:
    """Run both designs in turn and print their medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--writers", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="collegium-bench-"))
    folder.chmod(0o755)
    try:
        rates = measure(folder, asked)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    ours, peer = (statistics.median(rates[name]) for name in ("ours", "peer"))
    print(
        f"{'audited changes a second, ' + str(asked.writers) + ' writers':45} {'ours':>8} {'peer':>8} {'ratio':>6}"
    )
    print(f"{'linked at commit against locked at insert':45} {ours:8.0f} {peer:8.0f} {ours / peer:6.1f}")
    row = {
        "metric": "audited changes a second, one space",
        "ours": ours,
        "peer": peer,
        "ratio": ours / peer,
        "target": TARGET,
        "holds": ours >= TARGET,
    }
    out = Path(__file__).parent / "out" / "audited_changes.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps([row], indent=1) + "\n", "utf-8")


def measure(folder: Path, asked: argparse.Namespace) -> dict[str, list[float]]:
    """Rates of both designs, alternating, on one durable database."""
    from collegium_testkit.database import clone_of_durable

    with clone_of_durable(folder) as (app_url, owner_url):
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "collegium.settings.django",
            "COLLEGIUM_DATA_DIR": str(folder / "data"),
            "COLLEGIUM_DATABASE_URL": app_url,
            "COLLEGIUM_OWNER_DATABASE_URL": owner_url,
            "COLLEGIUM_POOL_SIZE": str(asked.writers + 2),
        }
        from collegium.kit import keyring

        keyring.create(folder / "data" / "keys")
        import django

        django.setup()
        from collegium_testkit.world import new_world

        world = new_world()
        rates: dict[str, list[float]] = {"ours": [], "peer": []}
        for _ in range(asked.rounds):
            rates["ours"].append(_rate(world, asked, locks_early=False))
            rates["peer"].append(_rate(world, asked, locks_early=True))
        return rates


def _rate(world: World, asked: argparse.Namespace, *, locks_early: bool) -> float:
    from django.db import connection

    from collegium.kit.database import acting_as
    from collegium.trust.audit.actions import Action
    from collegium.trust.audit.services import record

    counts = [0] * asked.writers
    stop = time.perf_counter() + asked.seconds

    def write(number: int) -> None:
        principal, space = world.administrator.principal, world.space_id
        while time.perf_counter() < stop:
            with acting_as(principal, [space]):
                if locks_early:
                    with connection.cursor() as cursor:
                        cursor.execute("select pg_advisory_xact_lock(42)")
                record(world.actor(), Action.MEMBER_ADDED, "tenancy.membership", "bench")
                time.sleep(WORK_S)
            counts[number] += 1
        connection.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(asked.writers)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
