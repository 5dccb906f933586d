"""What is cleaned by a stencil is what the long way makes of it: every byte, count and refusal."""

from __future__ import annotations

import copy
import dataclasses
import functools
import random
import re
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from collegium_deid import Cleaned, DeidError, SiteKey, clean_object, load_recipe, parse_file
from collegium_deid.dictionary import VRS
from collegium_deid.engine import clean as front
from collegium_deid.engine import documents, elements, person, stencil
from collegium_deid.engine.convert import prepare
from collegium_deid.engine.recent import Recent
from collegium_testkit import real_data

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydicom.dataset import Dataset

    from collegium_deid import Recipe
    from collegium_deid.engine.elements import Element, FileHead
    from collegium_deid.engine.stencil import LongWay, Where

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
ENGINE = Path(front.__file__).parent
FOLDER = real_data.folder()
TRIAL, KEY = load_recipe("trial"), SiteKey(bytes(range(32)))
RECIPES = ("trial", "strict", "teaching", "onward-clinical")
MORE_OF_THE_SAME = (
    "OriginalAttributesSequence", "PatientAddress", "OperatorsName", "ReferringPhysicianName", "KVP", "PatientSize",
    "PatientWeight", "ProtocolName", "ConvolutionKernel", "AccessionNumber", "StudyID", "PatientTelephoneNumbers",
    "DeviceSerialNumber", "ManufacturerModelName", "SeriesDate", "SeriesTime", "InstitutionName", "PatientBirthDate",
    "ImageOrientationPatient", "StudyDescription",
)  # fmt: skip
STREAMED = b"S"
"""The first byte of a preamble, which nobody reads: here it says that more of the file may come."""
both_forms = pytest.mark.parametrize("implicit", [False, True], ids=["explicit", "implicit"])


class Series:
    """Slices of one series, from the CT of conftest."""

    def __init__(self, ct: Dataset, write: Tool, *, implicit: bool = False) -> None:
        self.ct, self.write, self.implicit = copy.deepcopy(ct), write, implicit
        self.ct.add_new(0x00191002, "OB", b"ACME" * 4)
        self.ct.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(0x39, "IS", "900")

    def slice(
        self,
        number: int,
        *,
        pixels: bytes = bytes(8),
        other: Mapping[int, tuple[str, object]] | None = None,
        **keywords: object,
    ) -> bytes:
        ds = self.ct
        ds.SOPInstanceUID = f"1.2.3.4.5.{10 ** (number % 5)}.{number}"
        ds.InstanceNumber = str(number)
        ds.ImagePositionPatient = [-120.5, -110, 2.5 * number]
        ds.SliceLocation, ds.XRayTubeCurrent = str(2.5 * number), str(200 + number // 3)
        ds.ContentDate, ds.ContentTime = "20240229", f"1011{number % 60:02d}"
        ds.AcquisitionDateTime = f"202402291011{number % 60:02d}"
        ds.SmallestImagePixelValue = number % 2
        ds.add_new(0x00191003, "DS", f"{number}.25")
        for keyword, value in keywords.items():
            setattr(ds, keyword, value)
        for tag, element in (other or {}).items():
            ds.add_new(tag, *element)
        data: bytes = self.write(ds, implicit=self.implicit, pixels=pixels)
        return data

    def slices(self, count: int) -> list[bytes]:
        return [self.slice(number) for number in range(count)]


class Make(Protocol):
    def __call__(self, *, implicit: bool = False) -> Series: ...


@pytest.fixture
def series(ct: Dataset, write: Tool) -> Make:
    return functools.partial(Series, ct, write)


class NoStencils(stencil.Stencils):
    """Every header goes the long way."""

    def find(self, _where: Where, _recipe: Recipe) -> None:
        return None


class Finished(stencil.Stencils):
    """Cuts no more once it was told to stop."""

    stopped = False

    def learn(self, where: Where, done: LongWay) -> None:
        if not self.stopped:
            super().learn(where, done)


@pytest.fixture(autouse=True)
def stencils(monkeypatch: pytest.MonkeyPatch) -> Finished:
    """Memories that no other test has filled."""
    made = Finished()
    monkeypatch.setattr(front, "_stencils", made)
    monkeypatch.setattr(front, "_recent", Recent(32))
    return made


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each header that met a stencil: whether it fitted."""
    told: list[bool] = []
    fill = stencil.Stencil.fill

    def telling(self: stencil.Stencil, buf: bytes) -> stencil.Filled | None:
        filled = fill(self, buf)
        told.append(filled is not None)
        return filled

    monkeypatch.setattr(stencil.Stencil, "fill", telling)
    return told


def outcome(data: bytes, *, recipe: Recipe = TRIAL, key: SiteKey = KEY, subject: Any = "S-001") -> object:
    """All that came out but the time it took, or the refusal."""
    try:
        cleaned = clean_object(data, recipe=recipe, key=key, subject=subject, complete=data[:1] != STREAMED)
    except DeidError as error:
        return type(error), error.code, error.message
    return dataclasses.replace(cleaned, report=dataclasses.replace(cleaned.report, seconds=0.0))


def the_long_way(
    data: bytes, *, recipe: Recipe = TRIAL, key: SiteKey = KEY, subject: Any = "S-001"
) -> object:
    """The same by a process that has never seen a header."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(front, "_stencils", NoStencils())
        patch.setattr(front, "_recent", Recent(1))
        return outcome(data, recipe=recipe, key=key, subject=subject)


@both_forms
def test_a_series_is_known_once_it_was_seen_to_vary(series: Make, used: list[bool], implicit: bool) -> None:
    slices = series(implicit=implicit).slices(40)

    made = [outcome(each) for each in slices]

    assert made == [the_long_way(each) for each in slices]
    assert used.count(True) >= 32
    assert all(used[-20:])


@both_forms
@pytest.mark.filterwarnings("ignore:Invalid value for VR")  # slices that say it are what this is about
@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("seed", range(2))
def test_in_any_order_and_with_any_change_the_result_is_that_of_the_long_way(
    series: Make, name: str, seed: int, implicit: bool
) -> None:
    rng, recipe = random.Random(f"{seed} {name} {implicit}"), load_recipe(name)
    patients = [series(implicit=implicit), series(implicit=implicit)]
    patients[1].ct.PatientName, patients[1].ct.PatientID = "Wexcombe^Orla", "MRN-9913007"
    slices = [one.slice(number, **rng.choice(_changes(rng))) for number in range(14) for one in patients]
    rng.shuffle(slices)

    made = [outcome(each, recipe=recipe) for each in slices]

    assert made == [the_long_way(each, recipe=recipe) for each in slices]


def _changes(rng: random.Random) -> list[dict[str, Any]]:
    """Most slices have none; the rest changes what may vary, and what may not."""
    return [
        *[{}] * 10,
        {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
        {"ContentDate": rng.choice(["", "20240230", "2024.02.29", "29 February", "1900"])},
        {"SliceLocation": rng.choice(["4471123", "20240229", "7.5 "])},
        {"InstanceNumber": rng.choice(["4471123", "", "1\\2"])},
        {"ImageComments": "Brambleworth"},
        {"SpecificCharacterSet": "ISO_IR 192"},
        {"PatientAge": "092Y"},
        {"StudyInstanceUID": "1.2.3.4.9"},
        {"XRayTubeCurrent": "1" * 12},
    ]


@both_forms
def test_a_change_of_any_byte_gives_what_the_long_way_gives(
    series: Make, stencils: Finished, used: list[bool], implicit: bool
) -> None:
    data = _after_two(series(implicit=implicit), stencils)
    end = parse_file(data).pixel_start or 0
    changed = [data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :] for at in range(128, end + 12)]

    made = [outcome(each) for each in changed]

    assert made == [the_long_way(each) for each in changed]
    assert 20 < used.count(True) < used.count(False)


@pytest.mark.parametrize("first", [b"\0", STREAMED], ids=["whole", "streamed"])
def test_a_header_cut_anywhere_gives_what_the_long_way_gives(
    series: Make, stencils: Finished, first: bytes
) -> None:
    data = first + _after_two(series(), stencils)[1:]
    cut = [data[:size] for size in range(100, len(data) + 1, 3)]

    made = [outcome(each) for each in cut]

    assert made == [the_long_way(each) for each in cut]


def _after_two(one: Series, stencils: Finished) -> bytes:
    """The third slice of a short header; a stencil was cut from the second, and stays."""
    for keyword in MORE_OF_THE_SAME:
        delattr(one.ct, keyword)
    slices = one.slices(3)
    for each in slices[:2]:
        outcome(each)
    stencils.stopped = True
    return slices[2]


@both_forms
def test_pixel_data_without_a_byte_is_no_end_of_a_header(series: Make, implicit: bool) -> None:
    one = series(implicit=implicit)
    slices = [one.slice(number, pixels=b"") for number in range(6)]

    made = [outcome(each) for each in slices]

    assert made == [the_long_way(each) for each in slices]
    assert all(isinstance(each, Cleaned) for each in made)


def test_two_patients_in_two_threads_never_get_each_others_bytes(series: Make) -> None:
    first, second = series(), series()
    second.ct.PatientName, second.ct.PatientID = "Grambleworth^Leopoldine", "MRN-4471124"
    second.ct.PatientBirthDate = "19310505"
    codes = {"MRN-4471123": "N1-0001", "MRN-4471124": "N1-0002"}.__getitem__
    slices = [each for pair in zip(first.slices(30), second.slices(30), strict=True) for each in pair]
    expected = [the_long_way(each, subject=codes) for each in slices]
    made: list[list[object]] = [[], [], [], []]

    def work(out: list[object]) -> None:
        out += [outcome(each, subject=codes) for each in slices]

    threads = [threading.Thread(target=work, args=(out,)) for out in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert made == [expected] * 4


def test_the_subject_is_asked_for_once_an_object_and_a_changed_link_is_seen(series: Make) -> None:
    asked: list[str] = []

    def link(local_id: str) -> str:
        asked.append(local_id)
        return "S-001" if len(asked) <= 5 else "S-002"

    made = [clean_object(each, recipe=TRIAL, key=KEY, subject=link) for each in series().slices(8)]

    assert asked == ["MRN-4471123"] * 8
    assert [each.subject_code for each in made] == ["S-001"] * 5 + ["S-002"] * 3
    assert all(b"S-001" not in each.head for each in made[5:])


def test_a_refusal_of_the_link_table_comes_through(series: Make) -> None:
    slices = series().slices(4)
    for each in slices[:3]:
        outcome(each)

    def unknown(_local_id: str) -> str:
        raise KeyError("held")

    with pytest.raises(KeyError, match="held"):
        outcome(slices[3], subject=unknown)


def test_another_recipe_of_the_same_words_is_not_served(series: Make) -> None:
    one, kind = series(), "1.2.840.10008.5.1.4.1.1.9.1.1"
    one.ct.SOPClassUID, strict = kind, load_recipe("strict")
    lax = strict.as_if_taking(kind)
    slices = one.slices(6)
    assert isinstance([outcome(each, recipe=lax) for each in slices][-1], Cleaned)

    refused = outcome(slices[5], recipe=strict)

    assert refused == the_long_way(slices[5], recipe=strict)
    assert not isinstance(refused, Cleaned)


def test_another_key_is_another_memory(series: Make) -> None:
    slices, other = series().slices(6), SiteKey(bytes(32))
    for each in slices:
        outcome(each)

    made = [outcome(each, key=other) for each in slices]

    assert made == [the_long_way(each, key=other) for each in slices]


@pytest.mark.parametrize(
    "element",
    [b"\x19\0\x02\x10OB\0\0\x10\0\0\0" + b"ACME" * 4, b"\x20\0\x41\x10DS\x04\0" + b"7.25"],
    ids=["private", "standard"],
)
def test_a_name_in_what_may_be_a_sequence_still_leaves_every_text(series: Make, element: bytes) -> None:
    one = series()
    one.ct.SeriesDescription = "Lung axial Lung"
    item = b"\xfe\xff\0\xe0\x10\0\0\0\x10\0\x10\0\x08\0\0\0"
    values = [*(b"%04d" % number for number in range(6)), item + b"Axial^L ", item + b"Lung^Axl"]
    slices = [
        one.slice(number, SliceLocation="7.25").replace(
            element, element[:4] + b"UN\0\0" + len(value).to_bytes(4, "little") + value
        )
        for number, value in enumerate(values)
    ]

    made = [outcome(each) for each in slices]

    assert made == [the_long_way(each) for each in slices]
    assert [b"Lung axial" in getattr(each, "head", b"") for each in made] == [True] * 6 + [False] * 2


def test_private_elements_that_stay_and_creators_are_compared(series: Make, used: list[bool]) -> None:
    one = series()
    pitch = [{0x00431039: ("IS", f"{number}77")} for number in range(3)]
    others = {0x00430011: ("LO", "GEMS_PARM_01"), 0x00431139: ("IS", "877")}
    creator = [{**others, 0x00430010: ("LO", f"INVENTED {number}")} for number in range(3)]
    slices = [one.slice(number, other=other) for number, other in enumerate(([{}] * 3 + pitch + creator) * 2)]

    made = [outcome(each) for each in slices]

    assert made == [the_long_way(each) for each in slices]
    assert b"277 " in getattr(made[5], "head", b"")
    assert True in used


def test_a_missing_uid_is_refused_as_ever(series: Make) -> None:
    slices = series().slices(9)
    slices[8] = slices[8].replace(b"1.2.3.4.5.1000.8", bytes(16))
    asked: list[str] = []

    def link(local_id: str) -> str:
        asked.append(local_id)
        return "S-001"

    made = [outcome(each, subject=link) for each in slices]

    assert made[8] == the_long_way(slices[8])
    assert len(asked) == 9


def test_a_series_that_never_repeats_is_not_cut_for_ever(
    series: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, cuts = series(), Counter[str]()
    cut = stencil._cut

    def counting(*each: Any) -> Any:
        cuts["made"] += 1
        return cut(*each)

    monkeypatch.setattr(stencil, "_cut", counting)

    for number in range(30):
        outcome(one.slice(number, SeriesDescription=f"Lung {number}"))

    assert cuts["made"] == 8


def test_only_the_last_series_are_remembered() -> None:
    memory: Recent[int, str] = Recent(2)
    memory.put(1, "first")
    memory.put(2, "second")
    memory.get(1)

    memory.put(3, "third")

    assert [memory.get(number) for number in (1, 2, 3)] == ["first", None, "third"]


class Watched(dict[int, "Element"]):
    """The elements of a header; knows which of them somebody looked up."""

    def __init__(self, found: dict[int, Element]) -> None:
        super().__init__(found)
        self.looked_up: set[int] = set()

    def get(self, tag: int, default: Any = None) -> Any:
        self.looked_up.add(tag)
        return super().get(tag, default)

    def __getitem__(self, tag: int) -> Element:
        self.looked_up.add(tag)
        return super().__getitem__(tag)

    def __contains__(self, tag: object) -> bool:
        self.looked_up.add(tag)  # type: ignore[arg-type] # the engine asks for numbers
        return super().__contains__(tag)


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("kind", ["2", "6.1", "128", "7", "66.4"], ids=["CT", "US", "PT", "SC", "SEG"])
def test_nothing_but_its_own_decision_looks_up_what_may_vary(
    series: Make, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    one = series()
    one.ct.SOPClassUID = f"1.2.840.10008.5.1.4.1.1.{kind}"
    data = one.slice(1)
    watched: list[Watched] = []

    def watching(buf: bytes, *, complete: bool = False) -> FileHead:
        head = parse_file(buf, complete=complete)
        watched.append(Watched(head.elements))
        return dataclasses.replace(head, elements=watched[-1])

    monkeypatch.setattr(front, "parse_file", watching)

    outcome(data, recipe=load_recipe(name).as_if_taking(one.ct.SOPClassUID))

    assert watched[0].looked_up & stencil.MAY_VARY <= {stencil.SOP_INSTANCE_UID}
    assert 0x00080016 in watched[0].looked_up


def test_no_module_that_reads_a_header_names_what_may_vary() -> None:
    readers = [path for path in ENGINE.rglob("*.py") if path.name not in ("stencil.py", "pixelmark.py")]
    named = {
        int(found, 16)
        for path in readers
        if "FileHead" in (text := path.read_text("utf-8"))
        for found in re.findall(r"0x[0-9A-Fa-f]{8}\b", text)
    }

    assert person.PATIENT_ID in named
    assert named & stencil.MAY_VARY == {stencil.SOP_INSTANCE_UID}


def test_what_may_vary_is_no_name_number_sequence_or_subject() -> None:
    vrs = {VRS[tag].encode() for tag in stencil.MAY_VARY}

    assert vrs <= elements.SHORT - {b"PN", b"LO", b"SH", b"LT", b"ST", b"AE", b"CS"}
    assert stencil.MAY_VARY.isdisjoint(person._TOLD)
    assert stencil.MAY_VARY.isdisjoint(documents.VALUES)


def test_nothing_that_is_inserted_may_vary() -> None:
    inserted = {tag for tag, _ in front._make_inserts(TRIAL, b"S-001", explicit=True)}

    assert stencil.MAY_VARY.isdisjoint(inserted)


@pytest.mark.skipif(FOLDER is None, reason="no real data on this machine")
@pytest.mark.parametrize("name", ["petct_mr_sts043", "mr_series_16", "ct_head_phantom", "us", "enhanced"])
def test_real_series_give_what_the_long_way_gives(name: str) -> None:
    assert FOLDER is not None
    files = sorted(path for path in (FOLDER / name).rglob("*.dcm") if path.stat().st_size < 4_000_000)
    data = [prepare(path.read_bytes()) for path in files[:120]]

    made = [outcome(each) for each in data]

    assert made == [the_long_way(each) for each in data]
