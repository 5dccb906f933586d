"""What a recipe may say, and where it says what is wrong."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from collegium_deid import RecipeError, load_recipe, parse_recipe

PLAIN = """recipe: t
version: "1"
profile: basic
options: []
objects: [CT Image]
"""


def fails(text: str) -> RecipeError:
    with pytest.raises(RecipeError) as error:
        parse_recipe(text, "t.yaml")
    return error.value


def test_the_shipped_recipe_loads_by_name() -> None:
    recipe = load_recipe("trial")

    assert (recipe.name, recipe.version) == ("trial", "2")
    assert recipe.digest == hashlib.sha256(recipe.text.encode()).hexdigest()
    assert recipe.method == "Collegium recipe trial 2"


@pytest.mark.parametrize("name", ["trial", "strict", "teaching", "onward-clinical"])
def test_every_shipped_recipe_is_valid_and_says_for_whom_it_is(name: str) -> None:
    recipe = load_recipe(name)

    assert recipe.name == name
    assert recipe.text.startswith("# ")
    assert recipe.anywhere.inner is recipe.anywhere


def test_the_trial_recipe_adds_nothing_to_the_table_but_the_cap_of_ages() -> None:
    recipe = load_recipe("trial")

    assert recipe.lines == ()
    assert recipe.age_cap_years == 89


def test_the_first_trial_recipe_is_still_read() -> None:
    # Channels keep the text they were set up with.
    text = PLAIN.replace("options: []", "options: [retain_longitudinal_modified_dates]")
    recipe = parse_recipe(text + "dates: {shift_days: [-3650, -365]}\nages: {cap_years: 89}\n")

    assert (recipe.shift_days, recipe.age_cap_years, recipe.pixels) == ((-3650, -365), 89, None)


def test_the_recipe_of_the_guide_is_valid() -> None:
    guide = Path(__file__).parents[3] / "docs/operate/de-identification.md"
    text = guide.read_text("utf-8").split("```yaml\n")[1].split("```")[0]

    assert parse_recipe(text, guide.name).name == "our-study"


def test_a_recipe_loads_by_path(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(PLAIN)

    assert load_recipe(tmp_path / "r.yaml").name == "t"
    assert load_recipe(str(tmp_path / "r.yaml")).name == "t"


def test_a_recipe_that_is_not_there_is_an_error() -> None:
    with pytest.raises(RecipeError) as error:
        load_recipe("no-such-recipe")

    assert error.value.code == "deid.recipe.none"


@pytest.mark.parametrize("days", [(-3650, 0), (0, 365)])
def test_a_range_of_days_may_end_or_begin_at_none(days: tuple[int, int]) -> None:
    text = PLAIN.replace("options: []", "options: [retain_longitudinal_modified_dates]")

    assert parse_recipe(f"{text}dates: {{shift_days: {list(days)}}}\n").shift_days == days


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (PLAIN + "surprise: 1\n", 6),
        (PLAIN + "recipe: again\n", 6),
        (PLAIN.replace("basic", "none"), 3),
        (PLAIN.replace('"1"', "1"), 2),
        (PLAIN.replace("options: []", "options: [clean_everything]"), 4),
        (PLAIN.replace("CT Image", "CT Imagine"), 5),
        (PLAIN.replace("[CT Image]", "[CT Image, CT Image]"), 5),
        (PLAIN.replace("[CT Image]", "[]"), 5),
        (PLAIN + "dates: {shift_days: [-100, -1]}\n", 6),
        (PLAIN.replace("options: []", "options: [retain_longitudinal_modified_dates]"), 1),
        (PLAIN + "rules:\n  - {tag: Modality, action: X, why: w}\n", 7),
        (PLAIN + "rules:\n  - {tag: StudyInstanceUID, action: X, why: w}\n", 7),
        (PLAIN + "rules:\n  - {tag: NoSuchThing, action: X, why: w}\n", 7),
        (PLAIN + "rules:\n  - {tag: PatientAge, action: K, why: w}\n", 7),
        (PLAIN + "rules:\n  - {tag: PatientAge, action: Z, why: w}\n", 7),
        (PLAIN + "rules:\n  - {tag: PatientAge, action: Q, why: w}\n", 7),
        (PLAIN + "rules:\n  - {tag: PatientAge, action: X}\n", 7),
        (PLAIN + "rules:\n  - {tag: PatientAge, action: X, why: w, where: x}\n", 7),
        (
            PLAIN
            + "rules:\n  - {tag: KVP, action: X, why: w}\n  - {tag: '(0018,0060)', action: Z, why: w}\n",
            8,
        ),
        (PLAIN.replace("[CT Image]", "&a [CT Image]"), 5),
        (PLAIN.replace("recipe: t", "recipe: !!str t"), 1),
        (PLAIN + "\tbad", 6),
        ("- a\n- b\n", 1),
        ("", 1),
        ("recipe: t\n", 1),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, line: int) -> None:
    error = fails(text)

    assert error.line == line, error.message
    assert error.source == "t.yaml"


def test_an_unknown_object_is_answered_with_names_near_it() -> None:
    assert "Ultrasound Image" in fails(PLAIN.replace("CT Image", "US Ultrasound Image")).message


def test_the_digest_names_exactly_these_words() -> None:
    assert parse_recipe(PLAIN).digest != parse_recipe(PLAIN + "# a remark\n").digest


def test_a_recipe_can_be_stricter() -> None:
    recipe = parse_recipe(
        PLAIN + "rules:\n  - {tag: Manufacturer, action: C, why: w}\n  - {tag: KVP, action: X, why: w}\n"
    )

    assert recipe.anywhere.standard[0x00080070].how == "W"
    assert recipe.anywhere.standard[0x00180060].how == "X"


def test_a_name_that_no_recipe_has_is_answered_with_those_there_are() -> None:
    with pytest.raises(RecipeError, match="Shipped are: onward-clinical, strict, teaching, trial") as error:
        load_recipe("strct")

    assert error.value.code == "deid.recipe.none"
