"""Clean one input of a run, in a worker: from a source to a part that still needs its name."""

from __future__ import annotations

import errno
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from collegium_deid.cli.journal import Entry, patient_id
from collegium_deid.cli.sources import why_skipped
from collegium_deid.errors import DeidError, Rejected
from collegium_deid.files import Task, write_cleaned

if TYPE_CHECKING:
    from pathlib import Path

    from collegium_deid.cli.sources import Source
    from collegium_deid.pixels import Area


NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
"""What a system says when nothing more can be written where the output lies."""


@dataclass(frozen=True, slots=True)
class Job:
    """One input and its place in the run."""

    number: int
    source: Source
    id: str


@dataclass(frozen=True)
class Outcome:
    """Either an entry, whose bytes lie in the job's part, or code and reason why not."""

    entry: Entry | None
    code: str = ""
    reason: str = ""
    is_skipped: bool = False
    """No image at all: no failure."""
    is_full: bool = False
    """There is no room for the output: nobody's fault, and the next file will fare no better."""
    device: str = ""
    """Whose masks the hidden areas belong to."""
    areas: tuple[Area, ...] = ()


@dataclass(frozen=True)
class Cleaner:
    """Picklable; never raises."""

    task: Task
    parts: Path
    fsync: bool = False

    def __call__(self, job: Job) -> Outcome:
        try:
            return self._cleaned(job)
        except Rejected as error:
            skip = why_skipped(job.source)
            return Outcome(None, *skip, is_skipped=True) if skip else Outcome(None, error.code, error.message)
        except DeidError as error:
            return Outcome(None, error.code, error.message)
        except OSError as error:
            if error.errno in NO_ROOM:
                return Outcome(None, is_full=True)
            return Outcome(None, "deid.file", f"It cannot be read or written ({error.strerror}).")
        except Exception as error:  # noqa: BLE001 - one bad file never stops the rest; it is refused, by name of its fault
            return Outcome(None, "deid.failed", f"It could not be processed ({type(error).__name__}).")

    def _cleaned(self, job: Job) -> Outcome:
        with job.source.open() as file:
            written = write_cleaned(self.task, file, part_of(self.parts, job), fsync=self.fsync)
        cleaned, policy = written.cleaned, self.task.recipe.pixels
        return Outcome(
            Entry(
                id=job.id,
                who=patient_id(self.task.key, cleaned.local_id),
                subject=cleaned.subject_code,
                output=written.name,
                size=written.size,
                study=cleaned.study_uid,
                series=cleaned.series_uid,
                counts=cleaned.report.counts,
                seconds=round(written.seconds, 6),
                pixels=written.pixels,
                look_at=policy is not None and policy.waits_for_a_person(cleaned.sop_class_uid),
                areas=[asdict(area) for area in written.areas],
            ),
            device=written.device,
            areas=written.areas if written.device else (),
        )


def lost(_job: Job) -> Outcome:
    """The outcome of a job whose worker died."""
    return Outcome(None, "deid.crashed", "The process that worked on it died.")


def part_of(parts: Path, job: Job) -> Path:
    """Where a job's bytes lie until they get their name."""
    return parts / f"{job.number}.part"
