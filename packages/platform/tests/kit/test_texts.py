from __future__ import annotations

import pytest

from collegium.forms.answers import _NUMBER
from collegium.imaging.dicomweb.search import Search, SearchInvalid
from collegium.kit.texts import all_storable, storable


@pytest.mark.parametrize("text", ["a\0", "\ud800"])
def test_what_postgresql_cannot_hold_is_found_at_any_depth(text: str) -> None:
    assert not all_storable({"a": [{"b": text}]})
    assert not all_storable({text: 1})
    assert all_storable(storable(text))


def test_other_text_is_kept_as_it_is() -> None:
    assert storable("Zoë 😀\n") == "Zoë 😀\n"


@pytest.mark.parametrize(
    ("name", "value"), [("limit", "²"), ("offset", "٣"), ("StudyDate", "٢٠٢٠٠١٠١"), ("PatientID", "\0")]
)
def test_a_search_takes_plain_digits_and_no_nul(name: str, value: str) -> None:
    with pytest.raises(SearchInvalid):
        Search.of([(name, value)])


def test_a_number_is_typed_in_plain_digits() -> None:
    assert not _NUMBER.fullmatch("٣")
