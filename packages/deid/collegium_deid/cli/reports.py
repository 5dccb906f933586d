"""One report per exam: what was done to it, as JSON, free of any identifier of the input."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from collegium_deid.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from collegium_deid.cli.journal import Entry
    from collegium_deid.rules.recipe import Recipe

FOLDER: Final = "reports"


def write_reports(folder: Path, recipe: Recipe, entries: Iterable[Entry]) -> int:
    """Write `reports/<study>.json` for every exam below an output folder; returns how many.

    An output counts once, however often its original was among the inputs.
    """
    exams: dict[str, list[Entry]] = defaultdict(list)
    for entry in {entry.output: entry for entry in entries}.values():
        exams[entry.study].append(entry)
    if exams:
        (folder / FOLDER).mkdir(exist_ok=True)
    for study, files in exams.items():
        text = json.dumps(_report(recipe, study, files), indent=2) + "\n"
        part = folder / FOLDER / f"{study}.part"
        part.write_text(text, "utf-8")
        part.replace(folder / FOLDER / f"{study}.json")
    return len(exams)


def _report(recipe: Recipe, study: str, files: list[Entry]) -> dict[str, Any]:  # Any: JSON
    files = sorted(files, key=lambda file: file.output)
    total = Report.merged(
        Report(recipe.name, recipe.version, recipe.digest, file.counts, file.seconds, len(file.areas))
        for file in files
    )
    return {
        "report": "collegium-deid exam 1",
        "engine": metadata.version("collegium-deid"),
        "recipe": {
            "name": total.recipe_name,
            "version": total.recipe_version,
            "digest": total.recipe_digest,
        },
        "study_uid": study,
        "subjects": sorted({file.subject for file in files}),
        "series": len({file.series for file in files}),
        "instances": total.objects,
        "attributes": total.counts,
        "pixels": dict(Counter(file.pixels for file in files)),
        "redacted_areas": total.areas,
        "redacted": [{"instance": _instance(file), "areas": file.areas} for file in files if file.areas],
        "look_at": [_instance(file) for file in files if file.look_at],
        "verified_against_input": True,
        "seconds": round(total.seconds, 3),
    }


def _instance(file: Entry) -> str:
    return file.output.rpartition("/")[2].removesuffix(".dcm")
