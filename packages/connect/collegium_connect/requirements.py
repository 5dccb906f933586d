"""Whether an exam meets what its project asks of the acquisition, and in words what it lacks.

Pure: facts of closed lists in, words out. For each modality that the project names, the exam must fit the
entry of at least one visit; of those it does not fit, the nearest is told. Which visit it is only the server
knows.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from collegium_connect.journal.exams import Acquired
from collegium_connect.journal.facts import Facts
from collegium_wire import AcquisitionRequirement, AcquisitionRequirements

WORDS: Final = 300
"""Characters of one text at most: a manifest takes no more."""
_NAMED: Final = 5


@dataclass(frozen=True)
class Judgement:
    """What is unmet, in words; empty: everything is met."""

    unmet: tuple[str, ...] = ()
    is_short: bool = False
    """Whether there are fewer images or series than asked for, so that more may be on their way."""


@dataclass(frozen=True)
class _Series:
    """What a series is as a whole."""

    body_parts: frozenset[str]
    images: int
    thickness_mm: float | None
    spacing_mm: float | None
    has_contrast: bool


@dataclass(frozen=True)
class _Limit:
    """One thing that is asked of a series."""

    keeps: Callable[[_Series], bool]
    words: Callable[[Sequence[_Series]], str]
    """What is needed and what came, where none of these keeps it."""


def judge(asked: AcquisitionRequirements, objects: Sequence[Acquired]) -> Judgement:
    """Judge one exam by all of its objects."""
    series: dict[str, list[_Series]] = defaultdict(list)
    for modality, facts in _by_series(objects):
        series[modality].append(_series(facts))
    entries: dict[str, list[AcquisitionRequirement]] = defaultdict(list)
    for entry in asked.items:
        entries[entry.modality].append(entry)
    judged = sorted(series.keys() & entries.keys())
    if not judged:
        return _of_another_kind(asked, sorted(series.keys()), sorted(entries))
    found = [_nearest(entries[modality], series[modality]) for modality in judged]
    return Judgement(
        tuple(words[:WORDS] for one in found for words in one.unmet), any(one.is_short for one in found)
    )


def _of_another_kind(
    asked: AcquisitionRequirements, found: Sequence[str], needed: Sequence[str]
) -> Judgement:
    if asked.takes_others or not needed:
        return Judgement()
    is_there = f"{' and '.join(found)} came" if found else "none of these came"
    return Judgement((f"{' or '.join(needed)} is needed; {is_there}.",), is_short=True)


def _nearest(entries: Sequence[AcquisitionRequirement], series: Sequence[_Series]) -> Judgement:
    """Nothing where one visit's entry is met; else what the one lacks that lacks least."""
    found = [(entry, _lacks(entry, series)) for entry in entries]
    if any(not lacks.unmet for _, lacks in found):
        return Judgement()
    nearest, lacks = min(found, key=lambda one: len(one[1].unmet))
    visits = _listed([entry.visit for entry, other in found if other == lacks])
    return Judgement(
        tuple(f"{nearest.modality} for {visits}: {words}" for words in lacks.unmet),
        any(other.is_short for _, other in found),
    )


def _lacks(entry: AcquisitionRequirement, series: Sequence[_Series]) -> Judgement:
    """What of one entry is unmet. Each limit is asked of the series that keep the limits before it."""
    unmet: list[str] = []
    left = list(series)
    for limit in _limits(entry):
        kept = [one for one in left if limit.keeps(one)]
        if kept:
            left = kept
        else:
            unmet.append(limit.words(left))
    images = 0 if unmet else sum(one.images for one in left)
    count = 0 if unmet else len(left)
    if not unmet and images < entry.images:
        unmet.append(f"at least {entry.images} images are needed; {images} came.")
    if not unmet and count < entry.series:
        unmet.append(f"at least {entry.series} series are needed; {count} came.")
    return Judgement(tuple(unmet), images < entry.images or count < entry.series)


def _limits(entry: AcquisitionRequirement) -> Iterator[_Limit]:
    """What one entry asks of each series, in the order in which it is told."""
    if entry.body_part:
        yield _Limit(
            lambda one: entry.body_part in one.body_parts,
            lambda left: f"{entry.body_part} is needed; {_body_parts(left)}.",
        )
    if entry.contrast:
        yield _Limit(
            lambda one: one.has_contrast, lambda _: "a series with contrast is needed; none says so."
        )
    if entry.slice_thickness_mm:
        yield _at_most(
            entry.slice_thickness_mm, lambda one: one.thickness_mm,
            "slices of at most {} mm are needed", "the thinnest series has {} mm",
        )  # fmt: skip
    if entry.slice_spacing_mm:
        yield _at_most(
            entry.slice_spacing_mm, lambda one: one.spacing_mm,
            "slices at most {} mm apart are needed", "the densest series has {} mm",
        )  # fmt: skip


def _at_most(limit: float, value: Callable[[_Series], float | None], needed: str, least: str) -> _Limit:
    def keeps(one: _Series) -> bool:
        stated = value(one)
        return stated is not None and stated <= limit

    def words(left: Sequence[_Series]) -> str:
        stated = [found for one in left if (found := value(one)) is not None]
        there = least.format(f"{min(stated):g}") if stated else "no series says its"
        return f"{needed.format(f'{limit:g}')}; {there}."

    return _Limit(keeps, words)


def _body_parts(series: Sequence[_Series]) -> str:
    parts = sorted(frozenset().union(*(one.body_parts for one in series)))
    return f"{_listed(parts)} was found" if parts else "no series names one"


def _listed(names: Sequence[str]) -> str:
    """A few by name, so that the words stay a line."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _by_series(objects: Sequence[Acquired]) -> Iterable[tuple[str, list[Facts]]]:
    """The images of each series with its modality; what is no image of a known modality is left out."""
    found: dict[tuple[str, str], list[Facts]] = defaultdict(list)
    for one in objects:
        if one.facts.modality:
            found[one.facts.modality, one.series_uid].append(one.facts)
    return ((modality, facts) for (modality, _), facts in found.items())


def _series(facts: Sequence[Facts]) -> _Series:
    thickness = [one.thickness_mm for one in facts if one.thickness_mm is not None]
    return _Series(
        body_parts=frozenset(one.body_part for one in facts if one.body_part),
        images=sum(one.images for one in facts),
        thickness_mm=max(thickness, default=None),
        spacing_mm=_spacing_mm(facts),
        has_contrast=any(one.has_contrast for one in facts),
    )


def _spacing_mm(facts: Sequence[Facts]) -> float | None:
    """As stated; else the middle of the gaps between neighbours of the most common direction."""
    stated = [one.spacing_mm for one in facts if one.spacing_mm is not None]
    if stated:
        return max(stated)
    places: dict[tuple[float, ...], set[float]] = defaultdict(set)
    for one in facts:
        if one.position_mm is not None:
            places[one.normal].add(one.position_mm)
    stacks: list[list[float]] = [sorted(found) for found in places.values()]
    along = max(stacks, key=len) if stacks else []
    gaps = [later - earlier for earlier, later in pairwise(along)]
    return round(median(gaps), 3) if gaps else None
