"""What is found, what may stay, what must go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from collegium_deid import Rejected
from collegium_deid.engine.text import known_tokens
from collegium_deid.pixels import gate, is_available
from collegium_deid.pixels.classify import reason_to_hide
from collegium_deid.pixels.gate import Box
from collegium_deid.pixels.layout import Layout
from collegium_deid.pixels.look import Seen, Sight
from collegium_deid.pixels.reach import read_on
from collegium_deid.pixels.read import Reader, Reading
from collegium_deid.rules.pixels import PixelPolicy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .conftest import Draw, Hide, Make

CT = "1.2.840.10008.5.1.4.1.1.2"

TOKENS = known_tokens(["Brambleworth^Leopoldine"], ["MRN-4471123", "Quillhaven"])
KEPT = (
    "TIS0.0MI0.6", "TIB:0.5", "2D--100%", "H4.00 MHz", "20dB/DR60", "General", "AdvBreast", "36Hz", "16cm",
    "Sag Liver", "LEFTKIDNEY", "RT L1VER", "Page 1/3", "3.5 cm", "Total DLP 512 mGycm", "R", "kV 120 mAs 200",
    "Total DLP 2045.08", "Delay 35 s", "0:45", "12 MHz 200", "Strokevolume72ml", "TOFMIP", "AGD1.4mGy", "Tls0.4",
    "Murphysignneg",
)  # fmt: skip
HIDDEN = {
    "BRAMBLEW0RTH": "known", "Leopoldlne": "known", "x4471123x": "known", "QUlLLHAVEN": "known",
    "03/02/201705:24:57PM": "pattern", "1209O7058": "pattern", "DOB: unknown": "pattern", "Dr. Hansen": "pattern",
    "D0B 0CT2797": "pattern", "F0CT2366": "pattern", "F 4J1m1976": "pattern", "M1967-05-": "pattern",
    "D0B03/09/0": "pattern", "08:27:43": "pattern", "Op. I. Km": "pattern", "Sonographer:F.L ": "pattern",
    "T.1555-1110": "pattern",
    "Smith John": "words", "Marchand": "words", "LEFTKIDNEYX": "words",
}  # fmt: skip


@pytest.mark.requirement("C11")
@pytest.mark.parametrize("line", KEPT)
def test_the_whitelist_keeps_settings_measures_and_medical_words(line: str) -> None:
    assert reason_to_hide(Reading(line, 0.9), PixelPolicy("whitelist"), TOKENS) is None


@pytest.mark.requirement("C11")
@pytest.mark.parametrize("line", HIDDEN)
def test_the_whitelist_hides_what_identifies_even_misread_and_what_nobody_knows(line: str) -> None:
    assert reason_to_hide(Reading(line, 0.9), PixelPolicy("whitelist"), TOKENS) == HIDDEN[line]


@pytest.mark.parametrize(
    ("policy", "reason"), [("phi_only", None), ("all_text", "all"), ("whitelist", "words")]
)
def test_an_unknown_word_stays_or_goes_by_policy(policy: str, reason: str | None) -> None:
    assert reason_to_hide(Reading("Marchand", 0.9), PixelPolicy(policy), TOKENS) == reason


@pytest.mark.requirement("C11")
@pytest.mark.parametrize("policy", ["all_text", "phi_only", "whitelist"])
@pytest.mark.parametrize("line", [line for line, reason in HIDDEN.items() if reason == "known"])
def test_what_is_close_to_an_identifier_goes_under_every_policy_and_whatever_a_site_allows(
    line: str, policy: str
) -> None:
    allowing = PixelPolicy(policy, allow=("brambleworth", "leopoldine", "quillhaven", line.casefold()))

    assert reason_to_hide(Reading(line, 0.9), allowing, TOKENS) is not None


@pytest.mark.requirement("C11")
@pytest.mark.parametrize("mark", ["R", "L", "RT", "LEFTKIDNEY", "3.5 cm", "16cm", "10 mm"])
@pytest.mark.parametrize("policy", ["phi_only", "whitelist"])
def test_marks_of_the_side_and_scales_stay(mark: str, policy: str) -> None:
    assert reason_to_hide(Reading(mark, 0.9), PixelPolicy(policy), TOKENS) is None


def test_a_site_may_allow_words_of_its_own() -> None:
    assert (
        reason_to_hide(Reading("Marchand", 0.9), PixelPolicy("whitelist", allow=("marchand",)), TOKENS)
        is None
    )


def test_a_reading_shows_no_text_of_itself() -> None:
    assert "Brambleworth" not in repr(Reading("Brambleworth", 0.9))


def test_the_gate_sees_letters_in_a_row_upright_and_turned(draw: Draw) -> None:
    picture = draw(("LEOPOLDINE", 20, 60))

    assert gate.chains(picture)
    assert gate.chains(np.rot90(picture).copy())


def test_the_gate_stays_silent_on_noise_and_smooth_shapes(draw: Draw) -> None:
    picture = draw(rows=512, columns=512)
    cv2.circle(picture, (256, 256), 150, 200, 12)
    cv2.ellipse(picture, (256, 256), (90, 60), 20, 0, 360, 120, -1)

    assert gate.chains(picture) == []


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.2])
def test_the_gate_sees_letters_of_any_size_on_a_slice(scale: float) -> None:
    picture = np.full((512, 512), 90, np.uint8)
    cv2.putText(picture, "MARCHETTI", (10, 300), cv2.FONT_HERSHEY_DUPLEX, scale, 170, round(4 * scale))

    assert gate.chains(picture)


@pytest.mark.requirement("C10")
@pytest.mark.parametrize(("text", "size"), [("BRAMBLEW", 2.2), ("BRAMB", 3.8)])
def test_letters_too_large_for_the_gate_are_hidden_on_a_slice(
    make: Make, hide: Hide, text: str, size: float
) -> None:
    picture = _slice()
    cv2.putText(picture, text, (20, 330), cv2.FONT_HERSHEY_DUPLEX, size, 250, round(2.5 * size), cv2.LINE_AA)
    ink = (picture == 250) & (_slice() != 250)

    ds, done = hide(make(picture, SOPClassUID=CT))

    assert done.code == "redacted"
    assert np.mean(ds.pixel_array[ink] == 250) < 0.05


def test_a_slice_without_writing_is_looked_at_from_afar_and_stays_as_it_is(make: Make, hide: Hide) -> None:
    ds, done = hide(make(_slice(), SOPClassUID=CT))

    assert done.code == "no_text"
    assert np.array_equal(ds.pixel_array, _slice())


def _slice() -> NDArray[np.uint8]:
    """Soft tissue, bone and air, a little noisy."""
    picture = np.zeros((512, 512), np.float32)
    cv2.ellipse(picture, (256, 256), (215, 160), 0, 0, 360, 120, -1)
    cv2.ellipse(picture, (256, 380), (30, 24), 0, 0, 360, 220, -1)
    cv2.ellipse(picture, (150, 230), (40, 55), 20, 0, 360, 20, -1)
    noise = np.random.default_rng(3).normal(0, 4, picture.shape)
    return (cv2.GaussianBlur(picture, (0, 0), 1.2) + noise).clip(0, 245).astype(np.uint8)


@pytest.mark.requirement("C10", "C11")
def test_names_go_and_settings_stay(draw: Draw, make: Make, hide: Hide) -> None:
    picture = draw(("BRAMBLEWORTH", 10, 30), ("Liver 3.5 cm", 10, 80))

    ds, done = hide(make(picture))

    assert [area.reason for area in done.areas] == ["known"]
    assert np.array_equal(ds.pixel_array[60:], picture[60:])


@pytest.mark.parametrize(
    ("text", "confidence", "seen_by_gate", "is_writing"),
    [
        ("URS", 0.57, False, False),
        ("URS", 0.8, False, True),
        ("URS", 0.57, True, True),
        ("URSU", 0.57, False, True),
    ],
)
def test_a_short_word_that_the_gate_does_not_see_must_be_read_well(
    text: str, confidence: float, *, seen_by_gate: bool, is_writing: bool
) -> None:
    layout = Layout("1.2.840.10008.1.2.1", 320, 320, 1, 1, "MONOCHROME2", planar=False, allocated=8, stored=8,
                    high_bit=7, signed=False, padding=None, palette=None,
                    palette_first=0, overlay_bits=0)  # fmt: skip
    sight = Sight(
        Reader(), layout, "MONOCHROME2", PixelPolicy("whitelist"), TOKENS, is_doubtful=True, regions=[]
    )

    found = sight.judge(Seen(Box(226, 125, 253, 175), Reading(text, confidence), seen_by_gate))

    assert (found is not None) == is_writing


@pytest.mark.parametrize("turn", [0, 1, 3])
def test_a_box_that_breaks_off_reaches_as_far_as_letters_are_read(draw: Draw, turn: int) -> None:
    picture = np.ascontiguousarray(np.rot90(draw(("BRAMBLEWORTH LEOPOLDINE", 10, 60)), turn))
    rows, columns = np.nonzero(picture > 120)
    first, last = int((columns, rows)[turn % 2].min()), int((columns, rows)[turn % 2].max())
    box = {0: Box(75, 44, 150, 64), 1: Box(44, 170, 64, 245), 3: Box(56, 75, 76, 150)}[turn]

    longer = read_on(picture, box, [], Reader())

    ends = (longer.left, longer.right) if turn == 0 else (longer.top, longer.bottom)
    # Less than the margin that is hidden round every box, and no more than half a letter too much.
    assert -10 <= ends[0] - first <= 6
    assert -6 <= ends[1] - last <= 10


def test_a_box_does_not_reach_into_what_may_stay(draw: Draw) -> None:
    picture = draw(("BRAMBLEWORTH", 10, 60), ("3.5 cm", 170, 60))

    longer = read_on(picture, Box(75, 44, 150, 64), [Box(166, 44, 230, 64)], Reader())

    assert longer.right <= 166


@pytest.mark.requirement("C10", "C11")
@pytest.mark.parametrize("turn", [1, 3])
def test_turned_text_is_read_as_well(draw: Draw, make: Make, hide: Hide, turn: int) -> None:
    picture = np.ascontiguousarray(np.rot90(draw(("BRAMBLEWORTH", 60, 60)), turn))

    _, done = hide(make(picture), policy="phi_only")

    assert [area.reason for area in done.areas] == ["known"]


@pytest.mark.requirement("C10")
def test_coloured_text_as_bright_as_its_ground_is_seen(make: Make, hide: Hide) -> None:
    picture = np.stack([np.full((120, 320), 90, np.uint8)] * 3, axis=-1)
    cv2.putText(picture, "BRAMBLEWORTH", (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (220, 18, 120), 2)

    _, done = hide(make(picture))

    assert done.code == "redacted"


@pytest.mark.requirement("C10")
@pytest.mark.parametrize("padding", [-32768, -6000, 32767])
def test_writing_is_seen_beside_padding_that_nobody_declared(
    draw: Draw, make: Make, hide: Hide, padding: int
) -> None:
    picture = np.random.default_rng(2).normal(0, 40, (120, 320)).astype(np.int16)
    picture[draw(("BRAMBLEWORTH LEOPOLDINE", 40, 60)) > 128] = 400
    picture[:, :20] = picture[:, -20:] = padding

    ds, done = hide(make(picture))

    after = np.frombuffer(ds.PixelData, np.int16).reshape(picture.shape)
    assert done.code == "redacted"
    assert (after == 400).mean() < 0.05 * (picture == 400).mean()
    assert (after[:, :20] == padding).all()


def test_hidden_text_may_be_black_where_the_recipe_says_so(draw: Draw, make: Make, hide: Hide) -> None:
    ds, done = hide(make(draw(("BRAMBLEWORTH", 10, 30))), fill="black")

    area = done.areas[0]
    filled = ds.pixel_array[area.y : area.y + area.height, area.x : area.x + area.width]
    assert (filled == draw().min()).all() or filled.max() < 30


@pytest.mark.requirement("C12")
def test_what_is_still_seen_after_hiding_refuses_the_object(
    draw: Draw, make: Make, hide: Hide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collegium_deid.pixels.redact.hidden", lambda frame, *_, **__: frame)
    monkeypatch.setattr("collegium_deid.pixels.frames._is_covered", lambda *_: False)

    with pytest.raises(Rejected) as error:
        hide(make(draw(("BRAMBLEWORTH", 10, 30))))

    assert error.value.code == "deid.pixels.left"


def test_without_the_extra_the_object_is_refused_with_a_reason(
    draw: Draw, make: Make, hide: Hide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collegium_deid.pixels.find_spec", _nothing)

    with pytest.raises(Rejected) as error:
        hide(make(draw()))

    assert error.value.code == "deid.pixels.not_installed"
    assert not is_available()


def _nothing(*_: Any) -> None:
    return None


def test_a_frame_that_no_codec_understands_is_refused(make: Make, hide: Hide, draw: Draw) -> None:
    data = make(draw(), syntax="1.2.840.10008.1.2.4.90", frames=[b"\xff\x4f\xff\x90no codestream\xff\xd9"])

    with pytest.raises(Rejected) as error:
        hide(data)

    assert error.value.code == "deid.pixels.codec"
