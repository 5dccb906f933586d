"""`collegium-deid recipe`: who decides an attribute and why, and what differs between recipes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collegium_deid import load_recipe, parse_recipe
from collegium_deid.cli import main
from collegium_deid.rules.explain import differences

if TYPE_CHECKING:
    from pathlib import Path

    from collegium_deid.rules.explain import Difference

RULES = """recipe: t
version: "1"
profile: basic
options: [clean_structured_content, retain_safe_private]
objects: [CT Image]
rules:
  - {tag: KVP, action: X, why: nobody asks}
  - {tag: SourceImageSequence/CodeMeaning, action: X, why: not needed}
  - {creator: GEMS_PARM_01, tag: "(0043,xx27)", action: K, why: "the pitch, for dose"}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    file = tmp_path / "r.yaml"
    file.write_text(RULES)
    return str(file)


@pytest.mark.parametrize(
    ("tag", "options", "words"),
    [
        ("KVP", [], ["X, removed", "rule in line 7", "nobody asks"]),
        ("(0018,0060)", [], ["KVP DS", "rule in line 7"]),
        ("PatientName", [], ["subject code", "no rule may change it"]),
        ("StudyInstanceUID", [], ["U, replaced by a new UID", "basic profile: U", "nothing is an object"]),
        ("AcquisitionDate", [], ["X/Z", "right-most: Z"]),
        (
            "AcquisitionDate",
            ["--sop-class", "CT Image"],
            ["type 3 in this kind of object: X", "any sequence: Z"],
        ),
        ("ContentSequence", [], ["Option clean_structured_content (113104): C", "basic profile: D"]),
        ("CodeMeaning", [], ["decided by its VR LO", "inside SourceImageSequence: X", "rule in line 8"]),
        ("SourceImageSequence/CodeMeaning", [], ["inside SourceImageSequence: X"]),
        ("WaveformAnnotationSequence/UnformattedTextValue", ["--recipe", "strict"], ["no text stays inside"]),
        ("PatientBodyMassIndex", [], ["Not in the table; decided by its VR DS"]),
        ("Manufacturer", [], ["data/unlisted.csv"]),
        ("(60xx,3000)", [], ["OverlayData", "X, removed"]),
        ("SIEMENS MR HEADER (0019,xx0C)", [], ["any depth: K, kept if", "E.3.10", "B Value"]),
        ("GEMS_PARM_01 (0043,xx27)", [], ["any depth: C, kept unless", "rule in line 9: K", "for dose"]),
        ("ACME (0043,xx27)", [], ["not kept unless", "unknown_private"]),
        ("(0008,9999)", [], ["X, removed", "unknown_standard"]),
    ],
)
def test_explain_names_what_decides_and_why(
    recipe: str, capsys: pytest.CaptureFixture[str], tag: str, options: list[str], words: list[str]
) -> None:
    assert main(["recipe", "explain", tag, "--recipe", recipe, *options]) == 0

    out = capsys.readouterr().out
    assert [word for word in words if word not in out] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["NoSuchThing"],
        ["KVP/PatientName"],
        ["RequestAttributesSequence/CodeMeaning", "--recipe", "teaching"],
        ["KVP", "--sop-class", "CT Imagine"],
        ["KVP", "--recipe", "no-such-recipe"],
    ],
)
def test_what_cannot_be_explained_is_wrong_use(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(["recipe", "explain", *arguments]) == 2

    assert "[deid." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["patientnam"], "Did you mean PatientName?"),
        (["KVP", "--sop-class", "ct"], "such as: CT Image"),
        (["KVP", "--sop-class", "Ultrasund Image"], "Ultrasound Image"),
    ],
)
def test_a_word_written_wrongly_is_answered_with_the_right_one(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["recipe", "explain", *arguments]) == 2

    assert words in capsys.readouterr().err


def test_a_tag_may_be_written_without_its_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe", "explain", "0018,0060"]) == 0

    assert capsys.readouterr().out.startswith("(0018,0060) KVP DS")


def test_explain_says_when_the_recipe_would_refuse_the_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe", "explain", "KVP", "--recipe", "strict", "--sop-class", "Ultrasound Image"]) == 0

    assert "would be refused" in capsys.readouterr().out


def test_show_says_in_words_what_a_recipe_does(capsys: pytest.CaptureFixture[str], recipe: str) -> None:
    assert main(["recipe", "show", "trial"]) == 0
    trial = capsys.readouterr().out
    assert main(["recipe", "show", "--attributes", recipe]) == 0
    own = capsys.readouterr().out

    assert "option   clean_pixel_data (113101)" in trial
    assert "ages     capped above 89 years" in trial
    assert load_recipe("trial").digest in trial
    assert "rule     line 7: KVP X, because: nobody asks" in own
    assert "(0010,0010) PN D PatientName: replaced by the subject code" in own
    assert "GEMS_PARM_01 (0043,xx27) SH C" in own


def test_check_names_the_line_and_goes_on(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, recipe: str
) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(RULES.replace("KVP", "KPV"))

    code = main(["recipe", "check", str(wrong), recipe, "strict"])

    shown = capsys.readouterr()
    assert code == 1
    assert f"{wrong}, line 7: No such attribute" in shown.err
    assert shown.out.count("valid") == 2


def changes(old: str, new: str) -> dict[str, Difference]:
    return {change.name: change for change in differences(parse_recipe(old), parse_recipe(new))}


def test_diff_tells_stricter_from_looser() -> None:
    stricter = changes(RULES.replace("tag: KVP", "tag: XRayTubeCurrent"), RULES)
    looser = changes(RULES, RULES.replace("[clean_s", "[clean_descriptors, clean_s"))

    assert stricter["(0018,0060) KVP"].direction == "stricter"
    assert stricter["(0018,1151) XRayTubeCurrent"].direction == "looser"
    assert looser["(0008,103E) SeriesDescription"].direction == "looser"
    assert {change.direction for change in looser.values()} == {"looser"}


def test_diff_sees_places_and_private_elements() -> None:
    without = "\n".join(RULES.splitlines()[:-2]) + "\n"

    found = changes(without, RULES)

    assert {name: change.direction for name, change in found.items()} == {
        "inside SourceImageSequence: (0008,0104) CodeMeaning": "stricter",
        "GEMS_PARM_01 (0043,xx27)": "looser",
    }


def test_diff_shows_settings_and_its_exit_code_says_whether_anything_differs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["recipe", "diff", "trial", "trial"]) == 0
    assert main(["recipe", "diff", "strict", "trial"]) == 1

    out = capsys.readouterr().out
    assert "0 stricter, 0 looser, 0 other" in out
    assert "option   + retain_safe_private" in out
    assert "dates    removed -> moved by -3650 to -365 days" in out
