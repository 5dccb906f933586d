"""The trial recipe on planted identity: every row of Annex E, nested, hidden, private, in many scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collegium_deid import clean_object, identifiers_of, verify_against, verify_conformance
from collegium_deid.engine.convert import prepare
from collegium_testkit.planted import Action, Syntax, plant, score, total

if TYPE_CHECKING:
    from collegium_deid import Recipe, SiteKey
    from collegium_testkit.planted import Planted, Score

# The pixel data element of a planted object: 32 bytes behind its head.
SIZES = {True: 12 + 32, False: 8 + 32}


def judged(planted: Planted, recipe: Recipe, key: SiteKey) -> Score:
    """Clean, verify with and without the input, score."""
    data = prepare(planted.data)
    subject = f"S-{planted.truth.person.number:04d}"
    cleaned = clean_object(data, recipe=recipe, key=key, subject=subject, complete=True)
    verify_against(identifiers_of(data), cleaned.head)
    assert verify_conformance(recipe, cleaned.head, pixels_done=False) == ()
    pixels = data[cleaned.pixel_start :][: SIZES[cleaned.explicit]] if cleaned.has_pixels else b""
    return score(planted, cleaned.head + pixels)


@pytest.mark.requirement("C05", "C06")
def test_every_action_is_right_and_no_token_is_left(recipe: Recipe, key: SiteKey) -> None:
    objects = list(plant(11, 80))[::5]

    whole = total(judged(planted, recipe, key) for planted in objects)

    # A word too few is counted below; anything else is wrong.
    wrong = [text for text in whole.problems if " C: " not in text or Action.TEXT_REMOVED in text]
    assert wrong == []
    assert whole.files_with_tokens == 0
    assert whole.share > 0.999
    kept, required = whole.by_action()[Action.TEXT_RETAINED]
    assert kept / required > 0.99


def test_converted_syntaxes_are_cleaned_as_well(recipe: Recipe, key: SiteKey) -> None:
    objects = plant(12, 4, classes=("CT", "SEG"), syntaxes=(Syntax.BIG, Syntax.DEFLATED))

    whole = total(judged(planted, recipe, key) for planted in objects)

    assert whole.files_with_tokens == 0
    assert whole.share > 0.99
