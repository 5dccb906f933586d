"""A change in the reading form, from the click to the judged answer: real server, real HTTP, one reader.

The peer is the classic way on the same server: post the change, then load the whole page again.

    python benchmarks/form_change.py [--changes 150]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from collegium_testkit.installation import InstallationProcess

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from collegium.kit.principals import Principal
    from collegium_testkit.seed import Seeded

TARGET_MS = 40.0
ITEMS = 60


def main() -> None:
    """Measure both forms, print the table, keep the rows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--changes", type=int, default=150)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="collegium-bench-"))
    folder.chmod(0o755)
    server = InstallationProcess(folder)
    try:
        server.start()
        seeded = server.seed()
        rows = measure(server, seeded, asked.changes)
    finally:
        server.stop()
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{'ms':58} {'ours':>7} {'peer':>7} {'ratio':>6} {'target':>7}")
    for row in rows:
        told = "" if row["holds"] else "  MISSED"
        print(
            f"{row['metric']:58} {row['ours']:7.1f} {row['peer']:7.1f} {row['ratio']:6.1f} {row['target']:7.1f}{told}"
        )
    out = Path(__file__).parent / "out" / "form_change.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


def measure(server: InstallationProcess, seeded: Seeded, changes: int) -> list[dict[str, object]]:
    """Rows for the shipped form of 3 items and for one of 60 items with a rule each."""
    small, large = _tasks(server, seeded)
    rows = []
    with httpx.Client(base_url=server.url, timeout=30, follow_redirects=True) as client:
        sign_in(client, seeded.reader, seeded.password)
        for name, task, items in (
            ("3 items", small, ["quality"]),
            (f"{ITEMS} items, {ITEMS} rules", large, _names()),
        ):
            ours, peer = _times(client, task, items, changes)
            for quantile, at in (("p50", 0.5), ("p95", 0.95)):
                rows.append(_row(f"form change, {name}, {quantile}, beside save and reload", ours, peer, at))
    return rows


def _row(metric: str, ours: list[float], peer: list[float], at: float) -> dict[str, object]:
    mine, theirs = (statistics.quantiles(times, n=100)[round(at * 100) - 1] for times in (ours, peer))
    target = TARGET_MS if at == 0.5 else 3 * TARGET_MS
    return {
        "metric": metric,
        "ours": round(mine, 2),
        "peer": round(theirs, 2),
        "ratio": round(theirs / mine, 2),
        "target": target,
        "holds": mine <= target,
    }


def _times(
    client: httpx.Client, task: UUID, items: list[str], changes: int
) -> tuple[list[float], list[float]]:
    """Milliseconds of each change alone, and of a change followed by the whole page, in alternation."""
    from collegium.kit import ids

    address, page = f"/api/v1/tasks/{task}/changes", f"/tasks/{task}/read"
    client.get(page).raise_for_status()
    token = {"X-CSRFToken": client.cookies["collegium_csrf"], "Referer": str(client.base_url)}
    revision, value = 0, 0

    def change() -> None:
        nonlocal revision, value
        value += 1
        item = items[value % len(items)]
        body = {
            "op_id": str(ids.uuid7()),
            "base_revision": revision,
            "changes": {item: {"text": str(value // len(items) % 5 + 1)}},
        }
        revision = client.post(address, json=body, headers=token).raise_for_status().json()["revision"]

    def change_and_reload() -> None:
        change()
        client.get(page).raise_for_status()

    for _ in range(10):
        change()
    ours, peer = [], []
    for number in range(changes):
        ours.append(_timed(change))
        if number % 5 == 0:
            peer.append(_timed(change_and_reload))
    return ours, peer


def _timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def sign_in(client: httpx.Client, email: str, password: str) -> None:
    """Leave a session's cookie with the client."""
    client.get("/accounts/login/").raise_for_status()
    form = {
        "csrfmiddlewaretoken": client.cookies["collegium_csrf"],
        "login": email,
        "password": password,
    }
    client.post("/accounts/login/", data=form, headers={"Referer": str(client.base_url)}).raise_for_status()


def _names() -> list[str]:
    return [f"score_{number}" for number in range(1, ITEMS)]


def _large_project(text: str) -> str:
    """The example project with a form of many items, each checked against the one before."""
    items = "".join(
        f"""      - name: score_{number}
        type: number
        label: {{en: Score {number}, sv: Poäng {number}}}
        unit: points
        min: 1
        max: 5
        checks:
          - rule: score_{number} - score_{max(number - 1, 0)} <= 4
            message: {{en: Too far from the one before., sv: För långt från föregående.}}
"""
        for number in range(ITEMS)
    )
    head, _, tail = text.partition("    items:\n")
    return f"{head}    items:\n{items}\npipeline:{tail.partition('pipeline:')[2]}"


def _tasks(server: InstallationProcess, seeded: Seeded) -> tuple[UUID, UUID]:
    """A task of the shipped project and one of a project with a large form, made beside the server."""
    os.environ |= server.environment
    import django

    django.setup()
    from importlib.resources import files

    from collegium.kit.database import acting_as
    from collegium.research.pipeline import queries, services
    from collegium.research.pipeline.publishing import publish_project
    from collegium.trust.access.queries import actor_in
    from collegium.trust.identity.queries import account_by_email
    from collegium.trust.tenancy.models import SpaceKind
    from collegium.trust.tenancy.queries import spaces_of
    from collegium_testkit.study import stored_exam
    from collegium_testkit.world import Person, World

    with acting_as(_system()):
        admin, reader = (account_by_email(email) for email in (seeded.administrator, seeded.reader))
    assert admin
    assert reader
    with acting_as(admin.principal):
        space = spaces_of(admin.principal, SpaceKind.PROJECT).get()
    world = World(space.organisation_id, space.id, Person(admin.principal, admin.email, admin.full_name))
    text = files("collegium.research").joinpath("examples/ct-lesion.yaml").read_text("utf-8")
    for subject, file in (("BENCH-1", text), ("BENCH-2", _large_project(text))):
        with acting_as(admin.principal, [space.id]):
            actor = actor_in(admin.principal, space.id)
            publish_project(actor=actor, text=file)
            exam_id = stored_exam(world, subject, "20240105")
            services.place_exam(actor=actor, exam_id=exam_id, subject_code=subject)
    with acting_as(reader.principal):
        made = {task.unit.subject.code: task.id for task in queries.my_tasks(reader.principal)}
    return made["BENCH-1"], made["BENCH-2"]


def _system() -> Principal:
    from collegium.kit.principals import Principal

    return Principal.system()


if __name__ == "__main__":
    main()
