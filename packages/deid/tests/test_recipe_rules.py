"""The rules of a recipe: what they may name, which one has the word, and that none keeps more than the profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collegium_deid import Recipe, RecipeError, parse_recipe
from collegium_deid.rules.options import FULL, MODIFIED, OPTIONS
from collegium_deid.rules.profile import STRUCTURE, SUBJECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collegium_deid.rules.profile import Rule

CT = "1.2.840.10008.5.1.4.1.1.2"
DESCRIPTION, SERIES, PROTOCOL = 0x00081030, 0x0008103E, 0x00181030
SOURCE, REQUEST, CODE, MEANING = 0x00082112, 0x00400275, 0x0040A170, 0x00080104
# From what leaves nothing to what leaves everything; the letters of Rule.how. The standard's Z is empty or a dummy.
STRICTNESS = ["XQ", "ZDPN", "U", "SMOWA", "RT", "VFIK"]
RANK = {letter: rank for rank, letters in enumerate(STRICTNESS) for letter in letters}
ACTIONS = ["D", "Z", "X", "K", "C", "U"]


def text_of(rules: list[str], options: str = "clean_descriptors", more: str = "") -> str:
    listed = "".join(f"  - {{{rule}, why: w}}\n" for rule in rules)
    return f'recipe: t\nversion: "1"\nprofile: basic\noptions: [{options}]\nobjects: [CT Image]\n{more}' + (
        f"rules:\n{listed}" if rules else ""
    )


def recipe_of(*rules: str, options: str = "clean_descriptors", more: str = "") -> Recipe:
    return parse_recipe(text_of(list(rules), options, more))


def refused(*rules: str, options: str = "clean_descriptors", more: str = "") -> RecipeError:
    with pytest.raises(RecipeError) as error:
        parse_recipe(text_of(list(rules), options, more))
    return error.value


def how(recipe: Recipe, *path: int, sop_class: str = CT) -> str:
    rules = recipe.rules_for(sop_class)
    for tag in path[:-1]:
        rules = rules.below.get(tag, rules.inner)
    return rules.standard.get(path[-1], rules.unknown_standard).how


def test_a_plain_tag_holds_at_every_depth() -> None:
    recipe = recipe_of("tag: SeriesDescription, action: X")

    assert how(recipe, SERIES) == how(recipe, SOURCE, SERIES) == how(recipe, SOURCE, CODE, SERIES) == "X"
    assert how(recipe, DESCRIPTION) == "W"


def test_a_leading_slash_names_the_top_level_alone() -> None:
    recipe = recipe_of("tag: /SeriesDescription, action: X")

    assert how(recipe, SERIES) == "X"
    assert how(recipe, SOURCE, SERIES) == how(recipe, SOURCE, CODE, SERIES) == "W"


def test_a_path_names_what_lies_directly_in_a_sequence_of_the_top_level() -> None:
    recipe = recipe_of("tag: SourceImageSequence/CodeMeaning, action: X")

    assert how(recipe, SOURCE, MEANING) == "X"
    assert "X" not in {how(recipe, MEANING), how(recipe, CODE, MEANING), how(recipe, SOURCE, CODE, MEANING)}
    assert how(recipe, CODE, SOURCE, MEANING) != "X"


def test_two_stars_stand_for_any_number_of_sequences() -> None:
    recipe = recipe_of("tag: SourceImageSequence/**/CodeMeaning, action: X")

    assert how(recipe, SOURCE, MEANING) == how(recipe, SOURCE, CODE, MEANING) == "X"
    assert how(recipe, SOURCE, CODE, CODE, CODE, MEANING) == "X"
    assert how(recipe, MEANING) != "X"
    assert how(recipe, CODE, SOURCE, MEANING) != "X"


def test_two_stars_in_front_find_a_sequence_at_any_depth() -> None:
    recipe = recipe_of("tag: '**/(0008,2112)/CodeMeaning', action: X")

    assert how(recipe, SOURCE, MEANING) == how(recipe, CODE, SOURCE, MEANING) == "X"
    assert how(recipe, CODE, CODE, SOURCE, MEANING) == "X"
    assert how(recipe, SOURCE, CODE, MEANING) != "X"


def test_a_recipe_without_paths_has_one_place() -> None:
    rules = recipe_of("tag: SeriesDescription, action: X").anywhere

    assert rules.inner is rules
    assert rules.below == {}


def test_the_first_rule_that_matches_has_the_word() -> None:
    recipe = recipe_of("tag: SeriesDescription, action: C", "vr: LO, action: X")

    assert how(recipe, SERIES) == "W"
    assert how(recipe, DESCRIPTION) == "X"


def test_a_rule_about_a_vr_holds_for_every_attribute_of_it() -> None:
    recipe = recipe_of("vr: DS, action: Z")

    assert {how(recipe, tag) for tag in (0x00180060, 0x00180050)} == {"Z"}


def test_a_rule_about_a_kind_leaves_alone_what_is_stricter_already() -> None:
    recipe = recipe_of("vr: PN, action: D")

    assert how(recipe, 0x00081048) == "X"  # PhysiciansOfRecord: X in the table
    assert how(recipe, 0x00080090) == "D"  # ReferringPhysicianName: Z, for which the standard allows a dummy


def test_a_rule_about_a_kind_never_makes_pixels_unreadable() -> None:
    recipe = recipe_of("vr: US, action: X")

    assert how(recipe, 0x00280010) == "K"  # Rows
    assert how(recipe, 0x00280106) == "X"  # SmallestImagePixelValue, when it is US


def test_a_repeating_group_can_be_named() -> None:
    assert how(recipe_of("tag: '(60xx,3000)', action: X"), 0x60023000) == "X"


def test_private_elements_stay_by_creator_when_the_option_allows_it() -> None:
    recipe = recipe_of(
        "creator: ACME 1.0, tag: '(0019,xx0A)', action: X",
        "creator: GEMS_PARM_01, tag: '(0043,xx27)', action: K",
        "creator: SIEMENS MR HEADER, tag: '(0019,xx0C)', action: X",
        options="retain_safe_private",
    )

    private = recipe.rules_for(CT).private
    assert private["GEMS_PARM_01", 0x00430027].how == "T"
    assert recipe.anywhere.private_vr["GEMS_PARM_01", 0x00430027] == "SH"
    assert private["SIEMENS MR HEADER", 0x0019000C].how == "X"
    assert private["SIEMENS MR HEADER", 0x0019000E].how == "K"


def test_no_private_element_stays_without_the_option() -> None:
    assert recipe_of().anywhere.private == {}
    assert "retain_safe_private" in refused("creator: GEMS_PARM_01, tag: '(0043,xx27)', action: K").message


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("tag: StudyInstanceUID, action: X", "needs this attribute"),
        ("tag: PatientID, action: X", "needs this attribute"),
        ("tag: BitsStored, action: X", "needs this attribute"),
        ("tag: PatientAge, action: K", "would keep more"),
        ("tag: KVP, action: C", "would keep more"),
        ("tag: KVP, action: U", "would keep more"),
        ("vr: PN, action: K", "everything it names"),
        ("tag: '(60xx,3000)', action: K", "everything it names"),
        ("tag: '(0019,1001)', action: X", "creator"),
        ("tag: '(7777,xx00)', action: X", "creator"),
        ("tag: KVP/PatientAge, action: X", "no sequence"),
        ("vr: QQ, action: X", "No such VR"),
        ("action: X", "names a tag"),
        ("tag: KVP, vr: DS, action: X", "names a tag"),
        ("tag: KVP, action: Q", "one of D, Z, X"),
        ("tag: RequestAttributesSequence/CodeMeaning, action: X", ""),
        ("tag: IconImageSequence/PatientComments, action: X", "can never match"),
        ("tag: NoSuchThing/KVP, action: X", "No such attribute"),
        ("creator: ACME, tag: KVP, action: X", "private element"),
        ("creator: ACME, tag: '(0018,xx10)', action: X", "odd group"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_its_line(rule: str, words: str) -> None:
    if not words:
        assert recipe_of(rule).lines[0].number == 7
        return
    error = refused(rule)

    assert words in error.message
    assert error.line == 7


def test_what_private_bytes_hold_must_be_known() -> None:
    options = "retain_safe_private"
    unknown = refused("creator: NOBODY, tag: '(0029,xx10)', action: K", options=options)
    bulk = refused("creator: SIEMENS CSA HEADER, tag: '(0029,xx10)', action: K", options=options)

    assert "not known" in unknown.message
    assert "not known" in bulk.message


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (("tag: KVP, action: X", "tag: '(0018,0060)', action: X"), "line 7 covers it"),
        (("tag: KVP, action: X", "tag: KVP, action: Z"), "line 7 contradicts it"),
        (("vr: DS, action: X", "tag: KVP, action: Z"), "line 7 contradicts it"),
        (("tag: KVP, action: X", "tag: SourceImageSequence/KVP, action: X"), "line 7 covers it"),
        (("tag: SourceImageSequence, action: X", "tag: SourceImageSequence/KVP, action: X"), "removed"),
        (
            ("creator: A, tag: '(0019,xx0C)', action: X", "creator: A, tag: '(0019,xx0C)', action: X"),
            "line 7 covers it",
        ),
    ],
)
def test_a_rule_that_never_has_the_word_is_refused(rules: tuple[str, str], words: str) -> None:
    error = refused(*rules)

    assert "can never match" in error.message
    assert words in error.message
    assert error.line == 8


def test_what_is_unknown_is_removed_or_refuses_the_object() -> None:
    default, strict = (
        recipe_of(),
        recipe_of(more="defaults: {unknown_standard: reject, unknown_private: reject}\n"),
    )

    assert (default.anywhere.unknown_standard.how, default.anywhere.unknown_private.how) == ("X", "X")
    assert (strict.anywhere.unknown_standard.how, strict.anywhere.unknown_private.how) == ("Q", "Q")
    assert how(strict, 0x60003000) == "X"


@pytest.mark.parametrize(
    "more",
    [
        "defaults: {unknown_standard: K}\n",
        "documents: {sr_text: C}\n",
        "documents: {overlays: K}\n",
        "pixels: {policy: whitelist}\n",
        "on_error: pass\n",
        "defaults: {surprise: X}\n",
    ],
)
def test_a_setting_that_is_looser_or_unknown_is_refused(more: str) -> None:
    assert refused(more=more).line == 6


def test_the_pixel_option_and_the_pixel_policy_belong_together() -> None:
    pixels = "pixels: {policy: phi_only, look: all, fill: black, allow: [venous]}\n"
    policy = recipe_of(options="clean_pixel_data", more=pixels).pixels

    assert policy is not None
    assert (policy.policy, policy.look, policy.fill, policy.allow) == (
        "phi_only",
        "all",
        "black",
        ("venous",),
    )
    assert "needs the key pixels" in refused(options="clean_pixel_data").message


@pytest.mark.requirement("C13")
@pytest.mark.parametrize(
    ("kind", "waits"),
    [
        ("6.1", True),
        ("7", True),
        ("12.1", True),
        ("77.1.1", True),
        ("104.1", True),
        ("2", False),
        ("1.1", False),
    ],
)
def test_pictures_of_screens_and_cameras_wait_for_a_person_unless_the_recipe_waives_it(
    kind: str, *, waits: bool
) -> None:
    uid = f"1.2.840.10008.5.1.4.1.1.{kind}"
    options = "clean_pixel_data"
    default = recipe_of(options=options, more="pixels: {policy: whitelist}\n").pixels
    waived = recipe_of(options=options, more="pixels: {policy: whitelist, release: automatic}\n").pixels

    assert default is not None
    assert waived is not None
    assert default.waits_for_a_person(uid) is waits
    assert not waived.waits_for_a_person(uid)


def test_objects_that_may_carry_text_need_the_pixel_option() -> None:
    text = text_of([]).replace("CT Image", "Ultrasound Image")

    with pytest.raises(RecipeError, match="clean_pixel_data"):
        parse_recipe(text)


def test_full_and_modified_dates_exclude_each_other() -> None:
    assert "choose one" in refused(options=f"{FULL}, {MODIFIED}").message


def test_a_document_s_words_can_go_although_the_option_would_clean_them() -> None:
    cleaned = recipe_of(options="clean_structured_content")
    dummied = recipe_of(options="clean_structured_content", more="documents: {sr_text: X}\n")

    assert how(cleaned, 0x0040A730) == "R"
    assert how(dummied, 0x0040A730) == "N"


def test_a_compound_code_follows_the_type_in_the_kind_of_object() -> None:
    recipe = recipe_of(options="")

    # AcquisitionDate X/Z: type 3 in a CT image; inside a sequence nobody knows.
    assert how(recipe, 0x00080022) == "X"
    assert how(recipe, SOURCE, 0x00080022) == "Z"
    assert how(recipe, 0x00080023) == "Z"  # ContentDate Z/D: type 2


def test_clean_pixel_data_is_declared_by_the_step_that_did_it() -> None:
    recipe = recipe_of(options="clean_pixel_data", more="pixels: {policy: whitelist}\n")

    assert [code.code for code in recipe.method_codes] == ["113100"]
    assert recipe.pixel_code is not None
    assert recipe.pixel_code.code == "113101"


def rules_at(recipe: Recipe, place: str) -> Mapping[int, Rule]:
    top = recipe.rules_for(CT)
    return (top if place == "top" else top.below.get(0x0040A168, top.inner)).standard


def line_of(selector: str, action: str) -> str:
    return f"{selector}, action: {action}"


TAGS = sorted(recipe_of().anywhere.standard)
SELECTORS = st.one_of(
    st.sampled_from(TAGS).map(lambda tag: f"tag: '({tag >> 16:04X},{tag & 0xFFFF:04X})'"),
    st.sampled_from(["DS", "LO", "SH", "PN", "SQ", "UI", "DA", "CS", "LT"]).map(lambda vr: f"vr: {vr}"),
    st.sampled_from(TAGS).map(
        lambda tag: f"tag: '**/ConceptCodeSequence/({tag >> 16:04X},{tag & 0xFFFF:04X})'"
    ),
)


@settings(max_examples=40, deadline=None)
@given(
    selectors=st.lists(st.builds(line_of, SELECTORS, st.sampled_from(ACTIONS)), min_size=1, max_size=3),
    chosen=st.sets(st.sampled_from(sorted(set(OPTIONS) - {FULL, "clean_pixel_data"}))),
)
def test_no_rule_ever_keeps_more_than_the_profile_and_its_options(
    selectors: list[str], chosen: set[str]
) -> None:
    options = ", ".join(chosen)
    more = "dates: {shift_days: [-365, -30]}\n" if MODIFIED in chosen else ""
    plain = recipe_of(options=options, more=more)
    try:
        ruled = recipe_of(*selectors, options=options, more=more)
    except RecipeError:
        return

    for place in ("top", "inner"):
        before, after = (rules_at(recipe, place) for recipe in (plain, ruled))
        assert {tag for tag in TAGS if RANK[after[tag].how] > RANK[before[tag].how]} == set()
        assert {after[tag] == before[tag] for tag in STRUCTURE | SUBJECT} == {True}
