"""Judge one answer: what stands in it that this person may not be told."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from pydicom import dcmread
from pydicom.datadict import keyword_for_tag

from collegium.imaging.archive.attributes import DESCRIPTIVE, KEYWORDS, fields, key_of
from collegium.imaging.dicomweb.rewritten import IMPLEMENTATION_UID
from collegium.research.oversight.leaks.facts import DESCRIPTION, OF_AN_EXAM, allowed_fields
from collegium.research.oversight.leaks.hidden import Hidden, Needle
from collegium.research.oversight.leaks.looking import files, texts
from collegium.research.oversight.leaks.report import Leak

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydicom import Dataset

    from collegium.research.oversight.leaks.asking import Answer
    from collegium.research.oversight.leaks.facts import Facts, Member, OwnTask
    from collegium.research.oversight.leaks.report import Report

_VALIDATORS = frozenset({"etag", "last-modified", "content-disposition", "content-location", "content-md5", "digest",
                         "repr-digest", "server-timing", "link"})  # fmt: skip
"""Headers of images that would tell two readers that they look at the same thing, or name it."""
_LINK = re.compile(r'(?:href|src|action|hx-get)="(/[^"#]*)"')
_OURS = re.compile(r"2\.25\.[0-9]{20,39}")
_TASK = re.compile(r"/tasks/([0-9a-f-]{36})")
_ALWAYS = frozenset({
    "00100010", "00100020", "00120042", "00080061", "00201206", "00201208", "00201209", "00080056", "00081190",
    "00100021",
})  # fmt: skip
"""What answers to searches hold beyond metadata: the label, counts, availability."""
_DESCRIPTIVE = frozenset(map(key_of, DESCRIPTIVE)) - _ALWAYS
_TIMES = frozenset({"DA", "TM", "DT", "AS"})
_FEWEST = 8
"""Shorter lists stand in the order of arrival by chance too often."""


@dataclass
class Judge:
    """Knows what one person may see, and now and then which task they look at."""

    facts: Facts
    member: Member
    own: Sequence[OwnTask]
    report: Report
    links: dict[str, None] = field(default_factory=dict)
    task: OwnTask | None = None
    shown: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """UIDs of ours by the task under which they were seen."""

    def __post_init__(self) -> None:
        own = list(self.own)
        self._hidden = Hidden(
            self.facts.kept_from(self.member, own), seen=self.facts.seen_by(self.member, own)
        )
        self.report.unsearchable.update(needle.kind for needle in self._hidden.unsearchable)
        self.report.values.update(needle.kind for needle in self._hidden.needles)

    def look_at(self, task: OwnTask | None) -> None:
        self.task = task

    def samples(self) -> list[Needle]:
        """One value of each kind that a search could be asked for; of an exam's attributes only its description."""
        found = {needle.kind: needle for needle in self._hidden.needles}
        return [one for kind, one in found.items() if kind == DESCRIPTION or not kind.endswith(OF_AN_EXAM)]

    def judge(self, route: str, target: str, answer: Answer, *, learn: bool = True) -> None:
        """Add what leaks to the report; remember links and names."""
        leaks = [*self._values(route, target, answer), *self._order(route, target, answer)]
        if "/grants/" in target and answer.status < 400:
            leaks += self._headers(route, target, answer)
            leaks += self._attributes(route, target, answer)
            if self.task:
                self.shown[str(self.task.id)] |= set(_OURS.findall(answer.body.decode("latin-1"))) - {
                    IMPLEMENTATION_UID
                }
        self.report.add(leaks)
        if learn and "html" in answer.header("content-type"):
            self.links |= dict.fromkeys(_LINK.findall(answer.body.decode("utf-8", "replace")))

    def tell(self, route: str, needle: Needle, where: str, target: str) -> None:
        self.report.add([self._leak(route, needle.kind, where, needle.value, target)])

    def _values(self, route: str, target: str, answer: Answer) -> Iterator[Leak]:
        asked = self._hidden.find(unquote_plus(target))
        for where, text in texts(answer):
            for needle in self._hidden.find(text) - asked:
                yield self._leak(route, needle.kind, where, needle.value, target)

    def _headers(self, route: str, target: str, answer: Answer) -> Iterator[Leak]:
        for name, value in answer.headers:
            if name in _VALIDATORS:
                yield self._leak(route, "header that compares or names", f"header {name}", value, target)

    def _order(self, route: str, target: str, answer: Answer) -> Iterator[Leak]:
        """Tasks listed as they arrived tell which exam came first."""
        if "html" not in answer.header("content-type") or "{" in route:
            return
        born = {str(task.id): task.born for task in self.own}
        listed = [
            born[one]
            for one in dict.fromkeys(_TASK.findall(answer.body.decode("utf-8", "replace")))
            if one in born
        ]
        if len(listed) >= _FEWEST and listed in (sorted(listed), sorted(listed, reverse=True)):
            yield self._leak(route, "order of arrival", "order of a list", "", target)

    def _attributes(self, route: str, target: str, answer: Answer) -> Iterator[Leak]:
        granted = allowed_fields([self.task] if self.task else self.own)
        granted &= set(KEYWORDS.values())
        allowed = fields(list(granted)) | _ALWAYS
        if "dicom+json" in answer.header("content-type"):
            lines = json.loads(_plain(answer))
            names = {name for line in lines for name in _names(line)}
            named = fields(list(granted)) - fields([])
            for name in sorted((names - allowed) | (names & _DESCRIPTIVE - named)):
                keyword = keyword_for_tag(int(name, 16)) or name
                yield self._leak(route, "attribute that was not granted", f"JSON {keyword}", "", target)
            yield from self._label(route, target, lines)
        for file in files(answer):
            for tag, value in _telling(dcmread(io.BytesIO(file), force=True), granted):
                yield self._leak(route, "attribute that was not granted", f"DICOM {tag}", value, target)

    def _label(
        self, route: str, target: str, lines: list[dict[str, Any]]
    ) -> Iterator[Leak]:  # Any: DICOM JSON
        labels = {task.label for task in ([self.task] if self.task else self.own)}
        for line in lines:
            for name in ("00100010", "00100020", "00120042"):
                for value in line.get(name, {}).get("Value", ()):
                    said = value.get("Alphabetic", "") if isinstance(value, dict) else str(value)
                    if said not in labels:
                        yield self._leak(
                            route, "subject by another name than its label", f"JSON {name}", said, target
                        )

    def _leak(self, route: str, kind: str, where: str, value: str, target: str) -> Leak:
        return Leak("/" + route.lstrip("/"), self.member.title, kind, where, value, target)


def shared_names(judges: Sequence[Judge]) -> Iterator[Leak]:
    """UIDs that stood under two tasks: whoever compares screens can match subjects (R42)."""
    seen: dict[str, tuple[str, Judge]] = {}
    for judge in judges:
        for task, uids in judge.shown.items():
            for uid in uids:
                before = seen.setdefault(uid, (task, judge))
                if before[0] != task:
                    people = " and ".join(sorted({before[1].member.title, judge.member.title}))
                    yield Leak("/dicom-web/grants/", people, "one UID under two tasks", "body", uid)


def _plain(answer: Answer) -> bytes:
    return gzip.decompress(answer.body) if answer.header("content-encoding") == "gzip" else answer.body


def _names(attributes: dict[str, Any]) -> Iterator[str]:  # Any: DICOM JSON
    for name, element in attributes.items():
        yield name
        if element.get("vr") == "SQ":
            for item in element.get("Value", ()):
                yield from _names(item)


def _telling(dataset: Dataset, granted: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Elements of a file that say something nobody granted: times, private ones, described things."""
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _telling(item, granted)
        elif element.tag.is_private or (
            element.VR in _TIMES and element.value and element.keyword not in granted
        ):
            yield str(element.tag), str(element.value)
