"""Free text: what stays, what goes, and what a read line of a picture is."""

from __future__ import annotations

import pytest

from collegium_deid.engine.text import is_diagnostic, known_tokens

NOBODY = known_tokens([], [])


@pytest.mark.parametrize(
    "line", ["L", "R", "120 kV", "SL 5.0 mm", "W: 400 L: 40", "T2 FLAIR axial", "HFS", "Liver", "45/120"]
)
def test_a_line_of_medical_words_and_measures_is_diagnostic(line: str) -> None:
    assert is_diagnostic(line, NOBODY)


@pytest.mark.parametrize(
    "line", ["", "SMITH JOHN", "12.03.1960", "1234567", "Dr. Head", "Liver Zorbinski", "20190312"]
)
def test_a_line_with_one_doubtful_word_is_not_diagnostic(line: str) -> None:
    assert not is_diagnostic(line, NOBODY)


def test_a_line_with_a_name_of_the_header_is_not_diagnostic() -> None:
    assert not is_diagnostic("Lung axial", known_tokens(["Lung^Li"], []))
