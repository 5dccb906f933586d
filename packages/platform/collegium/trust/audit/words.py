"""Audit entries in words, for history panels: who did what to what, when and why, and what followed by itself."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from django.utils.translation import gettext as _

from collegium.kit.principals import Principal
from collegium.trust.audit.actions import Action
from collegium.trust.audit.consequences import causes, passive
from collegium.trust.audit.phrases import PHRASES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from collegium.trust.audit.queries import HistoryLine


class Scene(Protocol):
    """What a room above can say of the things in the trail."""

    def thing(self, line: HistoryLine) -> tuple[str, str]:
        """What an entry is about, in words, and its page; empty when it says enough itself."""

    def value(self, key: str, text: str) -> str:
        """A recorded code in words; the text itself when there are none."""


@dataclass(frozen=True, slots=True)
class Told:
    """One line of a history panel."""

    who: str
    what: str
    at: datetime
    detail: str
    reason: str
    about: str = ""
    address: str = ""
    is_automatic: bool = False
    """It followed by itself; `who` is then empty and `what` a whole sentence."""
    after: str = ""
    """What it followed from, in words."""
    folded: tuple[Told, ...] = ()
    """Lines that stand behind this one."""


_FOLD_FROM = 3
_FOLD_AUTOMATIC_FROM = 2
"""So many lines of one kind in a row are folded; of what followed by itself, fewer."""


def tell(
    lines: Sequence[HistoryLine],
    names: Mapping[UUID, str],
    *,
    scene: Scene | None = None,
    nearby: Iterable[HistoryLine] = (),
    here: Collection[str] = (),
) -> list[Told]:
    """Lines as a person reads them, newest first, long runs folded.

    Args:
        lines: what is told, newest first.
        names: full names by account id (`people_in`).
        scene: what things and codes are called; without it, entries speak for themselves.
        nearby: entries round about, among which causes are found (`queries.around`).
        here: ids of the objects whose page this is: they need no naming.
    """
    known = causes([*lines, *nearby])
    told = [(line, _told(line, names, scene, known, here)) for line in lines]
    return _folded(told, known)


def people_in(lines: Iterable[HistoryLine]) -> set[UUID]:
    """Ids of the accounts whose names `tell` needs."""
    lines = list(lines)
    values = [value for line in lines for side in (line.old, line.new) for value in (side or {}).values()]
    texts = [line.principal for line in lines] + [text for text in values if _PERSON.fullmatch(str(text))]
    principals = (Principal.parse(text) for text in texts)
    return {principal.id for principal in principals if principal.kind == "person"}


def _told(
    line: HistoryLine,
    names: Mapping[UUID, str],
    scene: Scene | None,
    known: Mapping[UUID, HistoryLine | None],
    here: Collection[str],
) -> Told:
    about, address = scene.thing(line) if scene and line.object_id not in here else ("", "")
    detail = _detail(line, names, scene, has_about=bool(about) or line.object_id in here)
    if line.id not in known:
        return Told(
            _who(line.principal, names), _what(line.action), line.at, detail, line.reason, about, address
        )
    cause = known[line.id]
    after = _sentence(cause, names, scene, known) if cause else ""
    return Told("", passive(line.action), line.at, detail, line.reason, about, address, True, after)


def _sentence(
    line: HistoryLine,
    names: Mapping[UUID, str],
    scene: Scene | None,
    known: Mapping[UUID, HistoryLine | None],
) -> str:
    """An act as the cause of others: "Rosa Invented signed the read (Reading, 01-001)"."""
    about = scene.thing(line)[0] if scene else ""
    said = passive(line.action) if line.id in known else f"{_who(line.principal, names)} {_what(line.action)}"
    return f"{said} ({about})" if about else said


def _folded(told: Sequence[tuple[HistoryLine, Told]], known: Mapping[UUID, HistoryLine | None]) -> list[Told]:
    """Runs of what followed from one act, and of one person doing one thing, as one line each."""
    found: list[Told] = []
    run: list[Told] = []
    last: object = None
    for line, one in told:
        cause = known.get(line.id)
        key = (
            (True, cause.id if cause else line.principal)
            if one.is_automatic
            else (False, line.principal, line.action)
        )
        if run and key != last:
            found += _fold(run)
            run = []
        last = key
        run.append(one)
    return found + _fold(run)


def _fold(run: list[Told]) -> list[Told]:
    if len(run) < (_FOLD_AUTOMATIC_FROM if run and run[0].is_automatic else _FOLD_FROM):
        return run
    number, newest = len(run), run[0]
    what = _("%(what)s, %(n)d times") % {"what": newest.what, "n": number}
    if newest.is_automatic:
        counts = Counter(one.what for one in reversed(run))
        what = ", ".join(f"{said} ({times})" if times > 1 else said for said, times in counts.items())
    return [replace(newest, what=what, detail="", reason="", about="", address="", folded=tuple(run))]


def _who(text: str, names: Mapping[UUID, str]) -> str:
    principal = Principal.parse(text)
    name = names.get(
        principal.id, _("The installation") if principal.kind == "system" else principal.kind.capitalize()
    )
    return _("%(name)s (automatically)") % {"name": name} if principal.job else name


def _what(action: str) -> str:
    """The action's phrase; an action that only a later version knows is shown as it was recorded."""
    return str(PHRASES[Action(action)]) if action in _KNOWN else action


def _detail(line: HistoryLine, names: Mapping[UUID, str], scene: Scene | None, *, has_about: bool) -> str:
    """The recorded values that mean something to a person, those that need no name first."""
    before, after = line.old or {}, line.new or {}
    bare, named = [], []
    for key in sorted(
        {*before, *after} - _HIDDEN | ({*before, *after} & _SHOWN.get(line.action, frozenset()))
    ):
        was, now = (_in_words(line, key, side.get(key), names, scene) for side in (before, after))
        text = now or was
        if key in before and key in after and before[key] != after[key]:
            text = f"{was or _none(before[key])} → {now or _none(after[key])}"
        if (has_about and key in _ABOUT) or (key, now or was) == ("version", "1"):
            continue
        if text and key in _BARE:
            bare.append((_BARE.index(key), text))
        elif text:
            named.append(f"{_KEYS.get(key, key.replace('_', ' '))}: {text}")
    return ", ".join([text for _place, text in sorted(bare)] + named)


def _in_words(
    line: HistoryLine, key: str, value: object, names: Mapping[UUID, str], scene: Scene | None
) -> str:
    text = _value(value, names)
    if key == "value" and line.new and line.new.get("unit"):
        text = f"{text} {line.new['unit']}"
    return scene.value(key, text) if scene and isinstance(value, str) and text else text


def _value(value: object, names: Mapping[UUID, str]) -> str:
    """A recorded value as a person reads it: names for accounts, the head of long ids."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value is None or value == 0:
        return ""
    if isinstance(value, list):
        return "; ".join(_value(part, names) for part in value)
    if isinstance(value, dict):
        return "; ".join(f"{_value(key, names)}: {_value(part, names)}" for key, part in value.items())
    text = str(value)
    return (
        _who(text, names) if _PERSON.fullmatch(text) else _LONG_ID.sub(lambda found: f"{found[0][:8]}…", text)
    )


def _none(value: object) -> str:
    """What stands on one side of a change where alone it would not be told: a count of nothing, or no value."""
    return "0" if value == 0 else _("empty")


_KNOWN = frozenset(action.value for action in Action)
_PERSON = re.compile(r"(?:job:[a-z_.]+\|)?person:[0-9a-f-]{36}")
_LONG_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64}|2\.25\.[0-9]{20,}")
_BARE = (
    "assignee", "principal", "person", "role", "code", "subject", "step", "visit", "site", "name", "outcome",
    "value",
)  # fmt: skip
"""Values that say by themselves what they are, in the order in which they are told."""
_ABOUT = frozenset({"code", "step", "subject"})
"""Values that what an entry is about says already."""
_KEYS = {
    "acquisition": "acquisition requirements", "ae": "AE title",
    "asked_of": "put to", "attempts_limit": "most attempts",
    "duplicate": "sent before", "finished_tasks": "finished tasks", "instances": "images",
    "max_mbps": "most Mbps", "objects": "images", "quiet_time_s": "quiet time (s)",
    "refuses_earlier": "refuses what was cleaned before", "retention_days": "days kept", "send_window": "sends from",
    "stored": "images", "when_unmet": "an exam that lacks something",
    "selected_only": "only what an export manifest names", "why": "because",
}  # fmt: skip
_HIDDEN = frozenset(
    {"among", "cause", "changes", "digest", "door", "entry", "entry_revision", "exam", "expires_at", "fields", "frame",
     "fresh", "from", "grant", "from_revision", "how", "instance", "kept", "key", "kind", "manifest", "meaning", "mode",
     "owner", "points",
     "reads", "recipe", "revision", "run", "seal", "seed", "series", "settles", "share", "sha256", "shown", "signature",
     "signed", "slot", "state", "study_uid", "task", "tasks", "to_revision", "unit", "uids"}
)  # fmt: skip
"""Kept in the trail for whoever checks it; words for nobody."""
_SHOWN: dict[str, frozenset[str]] = {
    Action.CHANNEL_CHANGED: frozenset({"recipe"}),
    Action.PROJECT_PUBLISHED: frozenset({"digest"}),
    Action.RESULTS_EXPORTED: frozenset({"sha256"}),
    Action.SPACE_CREATED: frozenset({"kind"}),
}
