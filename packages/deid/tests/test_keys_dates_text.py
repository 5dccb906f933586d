"""The small pure parts: keyed UIDs, offsets, moved dates, cleaned words."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collegium_deid import DeidError, SiteKey
from collegium_deid.engine.dates import is_time, is_zone, shift_date, shift_datetime
from collegium_deid.engine.text import clean, known_tokens, looks_identifying

if TYPE_CHECKING:
    from pathlib import Path

KEY = SiteKey(b"k" * 32)
NOBODY = known_tokens([], [])


def test_a_new_uid_is_what_hmac_says() -> None:
    # echo -ne 'uid\x001.2.3' | openssl dgst -sha256 -hmac kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk: first 16 bytes.
    import hashlib
    import hmac

    digest = hmac.new(b"k" * 32, b"uid\x001.2.3", hashlib.sha256).digest()[:16]

    assert KEY.uid("1.2.3") == f"2.25.{int(digest.hex(), 16)}"


@given(st.text(alphabet="0123456789.", max_size=64))
def test_a_new_uid_is_a_uid(old: str) -> None:
    new = KEY.uid(old)

    assert len(new) <= 64
    assert re.fullmatch(r"2\.25\.(0|[1-9]\d*)", new)


@given(st.text(), st.integers(-5000, 0), st.integers(1, 5000))
def test_an_offset_lies_in_its_range_and_is_never_zero(local_id: str, low: int, high: int) -> None:
    offset = KEY.offset_days(local_id, (low, high))

    assert low <= offset <= high
    assert offset != 0


def test_padding_does_not_change_the_offset() -> None:
    assert KEY.offset_days("A1 ", (-3650, -365)) == KEY.offset_days("A1", (-3650, -365))


def test_offsets_spread_over_the_whole_range() -> None:
    offsets = {KEY.offset_days(str(n), (-10, -1)) for n in range(500)}

    assert offsets == set(range(-10, 0))


def test_a_key_file_is_for_its_owner_only_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "site.key"
    KEY.save_new(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert SiteKey.load(path) == KEY
    with pytest.raises(DeidError):
        SiteKey.generate().save_new(path)


@pytest.mark.parametrize("content", ["", "zz", "00" * 31, "00" * 33])
def test_a_key_file_of_another_shape_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "k").write_text(content)

    with pytest.raises(DeidError):
        SiteKey.load(tmp_path / "k")


def test_a_key_does_not_show_itself() -> None:
    assert "k" * 8 not in repr(KEY)
    assert (b"k" * 8).hex() not in repr(KEY)


@given(st.dates(dt.date(1850, 1, 1), dt.date(2200, 1, 1)), st.integers(-5000, 5000))
def test_a_date_moves_by_whole_days(day: dt.date, days: int) -> None:
    assert shift_date(day.strftime("%Y%m%d"), days) == (day + dt.timedelta(days)).strftime("%Y%m%d")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("20240228", "20240229"),
        ("2024.02.28", "20240229"),  # ACR-NEMA
        ("20231231", "20240101"),
        ("20240230", None),
        ("202402", None),
        ("2024022", None),
        ("99991231", None),
        ("someday", None),
        ("20240228 ", None),
    ],
)
def test_only_a_whole_date_of_the_calendar_moves(old: str, new: str | None) -> None:
    assert shift_date(old, 1) == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("20240228235959.999999+0100", "20240229235959.999999+0100"),
        ("20240228-0530", "20240229-0530"),
        ("2024022812", "2024022912"),
        ("2024022", None),
        ("202413", None),
    ],
)
def test_a_datetime_moves_with_its_time_and_zone(old: str, new: str | None) -> None:
    assert shift_datetime(old, 1) == new


@pytest.mark.parametrize(
    ("old", "days", "new"),
    [
        ("2024", -400, "2023"),  # 1 July 2024 becomes 28 May 2023
        ("2024", -100, "2024"),
        ("202402", -400, "202301"),  # 15 February 2024 becomes 11 January 2023
        ("202402+0100", -20, "202401+0100"),
        ("0001", -400, None),
    ],
)
def test_a_vague_date_moves_by_its_middle_and_stays_vague(old: str, days: int, new: str | None) -> None:
    assert shift_datetime(old, days) == new


def test_times_and_zones_are_known_by_their_shape() -> None:
    assert all(map(is_time, ["10", "1011", "101112", "101112.5", "10:11:12"]))
    assert not any(map(is_time, ["", "1", "10111", "SMITH", "101112 Smith"]))
    assert is_zone("+0100")
    assert not is_zone("+9900")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("CT Thorax", "CT Thorax"),
        ("CT Thorax Brambleworth", "CT Thorax"),
        ("t1_mprage_sag 1.0mm iso", "t1_mprage_sag 1.0mm iso"),
        ("Lung 1.5 mm axial", "Lung 1.5 mm axial"),
        ("PET WB (AC)", "PET WB (AC)"),
        ("MR head w/o contrast", "MR head w/o contrast"),
        ("Dr. Head thorax", "thorax"),
        ("seen by Frau Herzog 12.03.2019", "seen by"),
        ("MRN 4471123 abdomen", "abdomen"),
        ("call +49 30 1234567 liver", "call liver"),
        ("ada@example.org brain", "brain"),
        ("Zorbinski", ""),
        ("JS 1960", ""),
        ("20190312", ""),
        ("March 3, 2019 chest", "chest"),
        ("3 May 2019 chest", "chest"),
        ("4471", ""),
        ("Schädel nativ axial", "Schädel nativ axial"),
        ("", ""),
        ("DWI b1000 ADC", "DWI b1000 ADC"),
        ("ThoraxBrambleworth", ""),
    ],
)
def test_only_words_beyond_doubt_are_kept(text: str, kept: str) -> None:
    assert clean(text, NOBODY) == kept


@pytest.mark.parametrize(
    ("name", "text", "kept"),
    [
        ("Head^Anna", "CT head thorax", "CT thorax"),
        ("Müller^Jörg", "thorax MULLER", "thorax"),
        ("Lung^Li", "Lung axial", "axial"),
        ("Liver^Pool", "Liver Pool", ""),
    ],
)
def test_a_word_that_is_the_person_s_name_goes_although_it_is_medical(
    name: str, text: str, kept: str
) -> None:
    assert clean(text, known_tokens([name], [])) == kept


@given(st.text())
def test_cleaned_text_is_clean(text: str) -> None:
    once = clean(text, NOBODY)

    assert clean(once, NOBODY) == once
    assert not looks_identifying(once)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzäöü", min_size=5, max_size=12), st.text(max_size=30))
def test_a_known_name_never_survives_in_any_place_or_case(name: str, around: str) -> None:
    tokens = known_tokens([f"{name}^X"], [])

    kept = clean(f"{around}{name.upper()} thorax {name}{around}", tokens)

    assert not tokens.in_text(kept)
