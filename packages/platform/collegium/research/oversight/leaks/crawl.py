"""Ask everything as one person: every route with every value this person can learn, and with some they cannot."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

from collegium.research.oversight.leaks.judging import Judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collegium.research.oversight.leaks.asking import Answer, Asker
    from collegium.research.oversight.leaks.facts import Facts, Member, OwnTask
    from collegium.research.oversight.leaks.hidden import Needle
    from collegium.research.oversight.leaks.plan import Route
    from collegium.research.oversight.leaks.report import Report

_LINK = re.compile(r'(?:href|src|action|hx-get|data-[\w-]+)="(/[^"#]*)"')
_GRANT = re.compile(r"/grants/([0-9a-f-]{36})")
_MARK = re.compile(r'"mark_id": ?"([0-9a-f-]{36})"')
_NOT_FOLLOWED = ("/static/", "/accounts/")
_IMAGES = 3
"""Instances of a series whose frames are fetched: the first, the middle and the last."""
_TRIED = 2
"""Values asked of a page that does not search."""
_FAULT, _NOT_NOW = 500, 503

Values = dict[str, str]


@dataclass
class Limits:
    """How far a crawl goes."""

    tasks: int = 25
    """Tasks opened for each person: some of every step and state."""
    links: int = 300
    """Links followed for each person."""
    until_found: bool = False
    """Stop at the first leak."""


@dataclass
class Crawl:
    """One person's crawl."""

    asker: Asker
    facts: Facts
    member: Member
    routes: Sequence[Route]
    report: Report
    limits: Limits
    judge: Judge = field(init=False)
    _asked: set[str] = field(default_factory=set)
    _followed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        own = self.facts.tasks_of(self.member)
        self.judge = Judge(self.facts, self.member, own, self.report)
        self._own = own
        others = [task for task in self.facts.tasks if task.assignee != self.member.principal.text]
        self._foreign: Values = {
            "task_id": str(others[0].id) if others else str(uuid4()),
            **self.facts.foreign,
            "frame": "1",
            "rest": "nothing/here",
        }

    def run(self) -> None:
        """Ask everything; findings go into the report."""
        for task in self._sample():
            if self._is_enough:
                return
            self._asked.clear()
            with self.asker.as_person(self.member.account):
                self._task(task)
        with self.asker.as_person(self.member.account):
            self._everywhere()
            self._searches()

    @property
    def _is_enough(self) -> bool:
        return self.limits.until_found and not self.report.is_clean

    def _sample(self) -> list[OwnTask]:
        """Own tasks, as many as allowed, taken in turn from every step and state; the same subjects for everybody."""
        groups: dict[tuple[str, str], list[OwnTask]] = defaultdict(list)
        for task in sorted(self._own, key=lambda one: (one.subject, one.visit, str(one.id))):
            groups[task.step, task.state].append(task)
        found: list[OwnTask] = []
        while len(found) < self.limits.tasks and any(groups.values()):
            found += [group.pop() for group in groups.values() if group]
        return found[: self.limits.tasks]

    def _task(self, task: OwnTask) -> None:
        """A task, its grant, its images and every other route that names one of them."""
        self.judge.look_at(task)
        values = {"space_id": str(self.facts.space_id), "task_id": str(task.id)}
        opened = self._get(f"/tasks/{task.id}/read")
        found = _GRANT.search(_text(opened))
        if found:
            values |= {"grant_id": found[1], "door_id": found[1]}
        contexts = [values, *self._images(values)] if found else [values]
        self._routes(contexts)
        self.judge.look_at(None)

    def _images(self, values: Values) -> Iterator[Values]:
        """The studies, series and some instances below a grant."""
        root = f"/dicom-web/grants/{values['door_id']}/studies"
        for study in _uids(self._get(root), "0020000D"):
            for series in _uids(self._get(f"{root}/{study}/series"), "0020000E"):
                inside = f"{root}/{study}/series/{series}"
                instances = _uids(self._get(f"{inside}/instances"), "00080018")
                yield from (
                    {**values, "study": study, "series": series, "instance": uid, "frame": "1"}
                    for uid in dict.fromkeys(
                        instances[at] for at in (0, len(instances) // 2, -1) if instances
                    )
                )
        marks = _MARK.findall(_text(self._get(f"/api/v1/grants/{values['grant_id']}/marks")))
        yield from ({**values, "mark_id": mark} for mark in marks[:_IMAGES])

    def _everywhere(self) -> None:
        """Every route once, with the project, with what somebody else has and with what nobody has."""
        space = str(self.facts.space_id)
        for route in self.routes:
            door = str(uuid4()) if "grants/" in route.address else space
            self._fill(route, {**self._invented(), **self._foreign, "space_id": space, "door_id": door})
        self._follow()

    def _routes(self, contexts: list[Values]) -> None:
        """Every route that tells tasks apart, with every context that fills it."""
        for route in self.routes:
            if set(route.parts) - {"space_id"} and "spaces/{door_id}" not in route.address:
                for values in contexts:
                    if set(route.parts) <= values.keys():
                        self._fill(route, values)
        self._follow()

    def _fill(self, route: Route, values: Values) -> None:
        if not self._is_enough:
            self._get(route.path({name: quote(value, safe="/") for name, value in values.items()}), route)

    def _invented(self) -> Values:
        names = {name for route in self.routes for name in route.parts}
        return {name: str(uuid4()) if name.endswith("_id") else "1.2.3" for name in names}

    def _follow(self) -> None:
        """The links that answers held and that nothing has led to yet."""
        for target in [link for link in self.judge.links if link not in self._followed]:
            self._followed.add(target)
            if (
                target in self._asked
                or target.startswith(_NOT_FOLLOWED)
                or len(self._followed) > self.limits.links
            ):
                continue
            if not self._is_enough:
                self._get(target)

    def _searches(self) -> None:
        """Ask lists for values that the person may not know: the answer must be that to any nonsense."""
        words = self.judge.samples()
        for route in self.routes:
            if set(route.parts) - {"space_id"} or self._is_enough:
                continue
            path = route.path({"space_id": str(self.facts.space_id)})
            if self._get(path, route).status == 200:
                self._compare(route, path, words)

    def _compare(self, route: Route, path: str, words: list[Needle]) -> None:
        nonsense = _shape(self._get(f"{path}?q={uuid4().hex}", route, learn=False))
        is_searchable = nonsense != _shape(self._get(path, route, learn=False))
        for needle in words if is_searchable else words[:_TRIED]:
            if self._is_enough:
                return
            if _shape(self._get(f"{path}?q={quote(needle.value)}", route, learn=False)) != nonsense:
                self.judge.tell(route.address, needle, "result of a search", path)

    def _get(self, target: str, route: Route | None = None, *, learn: bool = True) -> Answer:
        known = route or self._route_of(target)
        answer = self.asker.ask(target)
        self.report.requests += 1
        address = known.address if known else urlsplit(target).path
        if answer.status >= _FAULT and answer.status != _NOT_NOW:
            self.report.broken.append(f"{address}: {answer.status}")
        if target not in self._asked:
            self._asked.add(target)
            self.judge.judge(address, target, answer, learn=learn)
        return answer

    def _route_of(self, target: str) -> Route | None:
        path = urlsplit(target).path
        return next((route for route in self.routes if route.pattern.fullmatch(path)), None)


def _text(answer: Answer) -> str:
    return answer.body.decode("utf-8", "replace")


def _uids(answer: Answer, name: str) -> list[str]:
    try:
        lines: list[dict[str, Any]] = json.loads(answer.body)  # Any: DICOM JSON
        return [line[name]["Value"][0] for line in lines]
    except (ValueError, KeyError, TypeError, IndexError):
        return []


def _shape(answer: Answer) -> tuple[int, list[str]]:
    """What an answer lists, without what it says of the question."""
    links = [link.partition("?")[0] for link in _LINK.findall(_text(answer))]
    return answer.status, sorted(links)
