"""One run of `apply`: every input through the workers, every result placed in the order of the inputs.

Only this process gives files their names, so which of two equal or contradicting inputs wins does not
depend on how many workers there are.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from collegium_deid.cli.cleaner import Cleaner, Job, Outcome, lost, part_of
from collegium_deid.cli.workers import Workers
from collegium_deid.errors import DeidError
from collegium_deid.files import place

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from collegium_deid.cli.journal import Entry, Journal
    from collegium_deid.cli.progress import Progress
    from collegium_deid.cli.quarantine import Quarantine
    from collegium_deid.cli.workers import Stop
    from collegium_deid.files import Task


@dataclass(frozen=True)
class Problem:
    """An input that has no output, and why."""

    source: str
    code: str
    reason: str


@dataclass
class Tally:
    """What became of the inputs."""

    cleaned: int = 0
    again: int = 0
    """The same bytes were there already: done by an earlier run, or twice in the input."""
    look_at: int = 0
    """Of the cleaned ones: a person must see them before they leave."""
    skipped: list[Problem] = field(default_factory=list)
    rejected: list[Problem] = field(default_factory=list)
    is_full: bool = False
    """There was no room for more, so the run was stopped."""

    @property
    def has_images(self) -> bool:
        """There is an output, by this run or an earlier one."""
        return bool(self.cleaned or self.again)


class Patients:
    """One patient has one subject code, and one code one patient, over the whole output folder."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._codes: dict[str, str] = {}
        self._patients: dict[str, str] = {}
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """Remember who has which code.

        Raises:
            DeidError: somebody else has it, or this patient has another one.
        """
        if self._patients.get(entry.subject, entry.who) != entry.who:
            raise DeidError(
                "deid.subject.second_patient",
                "This is another patient than the one who has this subject code. Use --subjects or --allocate.",
            )
        if self._codes.get(entry.who, entry.subject) != entry.subject:
            raise DeidError(
                "deid.subject.changed", "This patient has another subject code in the output folder."
            )
        self._patients[entry.subject], self._codes[entry.who] = entry.who, entry.subject


class Run:
    """Cleans jobs into a folder that has a journal."""

    def __init__(self, task: Task, target: Path, journal: Journal, *, fsync: bool = False) -> None:
        self._target, self._journal = target, journal
        self._parts = journal.folder / "parts"
        self._cleaner = Cleaner(task, self._parts, fsync)
        self._fsync = fsync and os.name == "posix"
        self._masks = task.masks
        self._patients = Patients(journal.entries.values())
        self.tally = Tally()

    def knows(self, id_: str) -> bool:
        """Done by an earlier run, and still there."""
        return id_ in self._journal.entries

    def clean(  # noqa: PLR0913 - each is one independent part of a run
        self,
        jobs: list[Job],
        *,
        processes: int,
        stop: Stop,
        progress: Progress,
        quarantine: Quarantine | None,
        strict: bool,
    ) -> None:
        """Clean the jobs; `strict`: what is no image is refused too."""
        shutil.rmtree(self._parts, ignore_errors=True)
        self._parts.mkdir()
        workers = Workers(self._cleaner, lost, jobs=processes, stop=stop)
        try:
            for job, outcome in workers.run(jobs):
                if outcome.is_full:
                    self.tally.is_full = True
                    stop.ask()
                    continue
                problem = self._settle(job, outcome)
                if problem is not None and outcome.is_skipped and not strict:
                    self.tally.skipped.append(problem)
                elif problem is not None:
                    self.tally.rejected.append(problem)
                    progress.say(f"rejected {problem.source}: {problem.reason} [{problem.code}]")
                    if quarantine is not None:
                        quarantine.keep(job, problem.code, problem.reason)
                progress.step()
        finally:
            shutil.rmtree(self._parts, ignore_errors=True)

    def _settle(self, job: Job, outcome: Outcome) -> Problem | None:
        """Give a cleaned file its name and write that down; the problem when there is one."""
        if outcome.entry is None:
            return Problem(str(job.source), outcome.code, outcome.reason)
        part = part_of(self._parts, job)
        try:
            self._patients.add(outcome.entry)
            output = self._target / outcome.entry.output
            is_new = place(part, output)
            if self._fsync and is_new:
                _sync(output.parent)
        except DeidError as error:
            part.unlink(missing_ok=True)
            return Problem(str(job.source), error.code, error.message)
        except OSError as error:
            return Problem(str(job.source), "deid.file", f"It cannot be written ({error.strerror}).")
        self._journal.add(outcome.entry)
        if self._masks is not None and outcome.device:
            self._masks.learn_for(outcome.device, outcome.areas)
        self.tally.cleaned += is_new
        self.tally.again += not is_new
        self.tally.look_at += is_new and outcome.entry.look_at
        return None


def _sync(folder: Path) -> None:
    """Make the new name in a folder last."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
