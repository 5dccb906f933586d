"""Histories speak plain words: every act has a phrase, and what is unknown is shown as it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from collegium.trust.audit.actions import Action
from collegium.trust.audit.phrases import PHRASES
from collegium.trust.audit.queries import HistoryLine
from collegium.trust.audit.words import tell

ADA = UUID("0197a1c0-0000-7000-8000-000000000001")


def line(action: str) -> HistoryLine:
    at = datetime(2026, 11, 22, 9, 15, tzinfo=UTC)
    return HistoryLine(ADA, at, f"person:{ADA}", "Reader", action, "research.read", "r", None, None, "")


def test_every_action_has_a_phrase_of_its_own() -> None:
    assert set(PHRASES) == set(Action)
    assert len({str(phrase) for phrase in PHRASES.values()}) == len(Action)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("research.read.signed", "signed the read"),
        ("tenancy.membership.added", "added a member"),
        ("dicomweb.series.opened", "opened the images"),
        ("later.version.knows", "later.version.knows"),
    ],
)
def test_a_line_says_who_did_what_in_words(action: str, words: str) -> None:
    (told,) = tell([line(action)], {ADA: "Ada Lovelace"})

    assert (told.who, told.what) == ("Ada Lovelace", words)


@pytest.mark.parametrize(
    ("old", "new", "detail"),
    [
        ({"number": 5}, {"number": 0}, "number: 5 → 0"),
        ({"reason": ""}, {"reason": "Motion"}, "reason: empty → Motion"),
        ({"reason": "Motion"}, {"reason": None}, "reason: Motion → empty"),
        ({"number": 5}, {"number": 5}, "number: 5"),
        (None, {"number": 0}, ""),
    ],
)
def test_a_change_tells_both_sides_and_a_count_of_nothing_stands_only_beside_another(
    old: dict[str, object] | None, new: dict[str, object], detail: str
) -> None:
    (told,) = tell([replace(line("research.read.signed"), old=old, new=new)], {})

    assert told.detail == detail
