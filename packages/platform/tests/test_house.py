"""What keeps the house tidy: keys point down, settings are told, nothing unknown starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.apps import apps
from django.core.management import call_command

from collegium.settings.installation import Installation

if TYPE_CHECKING:
    from collections.abc import Iterator

LAYERS = (
    ("web",),
    ("research", "teaching", "collective"),
    ("cases",),
    ("ai", "notifications", "plans", "help"),
    ("forms",),
    ("imaging",),
    ("trust",),
    ("kit",),
)
INSIDE = {
    "trust": ("signatures", "access", "tenancy", "identity", "audit"),
    "imaging": ("release", "dicomweb", "ingest", "grants", "marks", "archive", "connections"),
    "research": ("oversight", "results", "reads", "data_queries", "pipeline", "projects"),
}


def height(app_label: str) -> tuple[int, int]:
    """How high a room stands: layer, then place inside it; lower numbers are higher."""
    layer, _, area = app_label.partition("_")
    level = next(i for i, rooms in enumerate(LAYERS) if layer in rooms)
    inside = INSIDE.get(layer, (area,))
    return level, inside.index(area)


def foreign_keys() -> Iterator[tuple[str, str]]:
    for model in apps.get_models():
        if not model.__module__.startswith("collegium."):
            continue
        for field in model._meta.get_fields():
            if field.many_to_one and field.concrete and field.related_model:
                yield model._meta.app_label, field.related_model._meta.app_label


def test_foreign_keys_point_down() -> None:
    upward = [(here, there) for here, there in foreign_keys() if height(there) < height(here)]

    assert upward == []


def test_no_model_differs_from_its_migrations() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Installation.model_fields.items() if not field.description] == []


@pytest.mark.requirement("U09")
def test_every_setting_is_in_the_operators_page() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "operate" / "server.md").read_text("utf-8")

    names = [
        name.upper() if name == "database_url" else f"COLLEGIUM_{name.upper()}"
        for name in Installation.model_fields
    ]

    assert [name for name in names if name not in page] == []


@pytest.mark.parametrize("command", ["doctor", "up"])
def test_an_unknown_setting_stops_the_start(command: str, tmp_path: object) -> None:
    environment = {**os.environ, "COLLEGIUM_DATA_DIR": str(tmp_path), "COLLEGIUM_PROT": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "collegium.cli", command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "COLLEGIUM_PROT" in done.stderr
    assert "Traceback" not in done.stderr
