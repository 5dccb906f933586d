"""One recipe against another: what lets more pass is told, what is stricter is not."""

import re

import pytest

from collegium_deid import load_recipe, parse_recipe
from collegium_deid.rules.compare import looser_than

TRIAL = load_recipe("trial").text


def told(before: str, after: str) -> tuple[str, ...]:
    return looser_than(parse_recipe(before), parse_recipe(after))


def changed(old: str, new: str) -> str:
    assert old in TRIAL
    return TRIAL.replace(old, new)


STRICTER = {
    "another version": changed('version: "2"', 'version: "3"'),
    "fewer kinds": changed("  - Ultrasound Image\n", ""),
    "an option less": changed("  - retain_safe_private", "  #"),
    "no descriptions": changed("  - clean_descriptors", "  #"),
    "a lower cap": changed("cap_years: 89", "cap_years: 80"),
    "more text hidden": changed("policy: whitelist", "policy: all_text"),
    "a rule more": TRIAL + "\nrules:\n  - {tag: StudyDescription, action: X, why: not needed}\n",
}
LOOSER = {
    "an option more": changed("  - clean_pixel_data", "  - retain_device_identity\n  - clean_pixel_data"),
    "full dates": changed("retain_longitudinal_modified_dates", "retain_longitudinal_full_dates").replace(
        "dates:\n  shift_days: [-3650, -365]", "#"
    ),
    "more kinds": changed("  - CT Image", "  - CT Image\n  - Video Endoscopic Image"),
    "a higher cap": changed("cap_years: 89", "cap_years: 100"),
    "more text stays": changed("policy: whitelist", "policy: phi_only"),
    "fewer pictures looked at": changed("look: all", "look: doubtful"),
    "nobody looks": changed("release: person", "release: automatic"),
    "other dates": changed("[-3650, -365]", "[-3650, -300]"),
}


@pytest.mark.parametrize("name", STRICTER)
def test_what_is_stricter_needs_nobodys_consent(name: str) -> None:
    assert told(TRIAL, STRICTER[name]) == ()


@pytest.mark.parametrize("name", LOOSER)
def test_what_is_looser_is_told_in_words(name: str) -> None:
    sentences = told(TRIAL, LOOSER[name])

    assert sentences
    assert all(sentence.endswith(".") for sentence in sentences)


def test_taking_a_rule_away_is_looser_and_names_the_attribute() -> None:
    (sentence,) = told(STRICTER["a rule more"], TRIAL)

    assert sentence == "It treats attributes less strictly: StudyDescription."


def test_pictures_that_nobody_looks_at_any_more_are_told() -> None:
    only_ct = re.sub(r"objects:\n(  - .*\n)+", "objects:\n  - CT Image\n", TRIAL)
    unseen = re.sub(r"pixels:\n(  .*\n)+", "", only_ct.replace("  - clean_pixel_data", "  #"))

    assert any("clean_pixel_data" in sentence for sentence in told(only_ct, unseen))


def test_the_same_recipe_is_not_looser() -> None:
    assert told(TRIAL, TRIAL) == ()


@pytest.mark.parametrize("name", ["trial", "teaching", "onward-clinical"])
def test_the_strict_recipe_is_nowhere_looser_in_what_it_does_to_attributes(name: str) -> None:
    sentences = looser_than(load_recipe(name), load_recipe("strict"))

    assert not [sentence for sentence in sentences if "attributes less strictly" in sentence]
