"""pydicom as oracle: whatever data set is drawn, our walkers see what it sees, and so it does afterwards."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom._dicom_dict import DicomDictionary

from collegium_deid import SiteKey, clean_object, load_recipe, parse_file, verify_conformance
from collegium_deid.engine.convert import prepare
from collegium_deid.verify.scan import scan
from collegium_testkit.planted.reading import read
from collegium_testkit.planted.tree import Form, Node, Syntax, encode, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

    from collegium_testkit.planted.reading import Found, Key

KEY = SiteKey(bytes(range(32)))
RECIPES = {name: load_recipe(name) for name in ("trial", "strict", "teaching", "onward-clinical")}
SEQUENCES = (0x00081140, 0x00082112, 0x0040A730, 0x52009229, 0x00081115, 0x00321064)
# Any attribute of the dictionary that is no structure of the file and no reason to refuse it.
LEAVES = [
    (tag, row[0])
    for tag, row in DicomDictionary.items()
    if 0x00080020 < tag < 0x50000000
    and not 0x00280000 <= tag < 0x00290000
    and row[0] in {"LO", "SH", "CS", "DS", "IS", "DA", "TM", "DT", "UI", "PN", "US", "FD", "LT", "UT", "AS"}
    and tag not in {0x00080064, 0x0020000D, 0x0020000E, 0x00100020, 0x00080060, 0x00120064}
]
VALUES = {
    "CS": st.sampled_from([b"YES", b"HEAD", b"A\\B", b"ORIGINAL\\PRIMARY"]),
    "DS": st.sampled_from([b"1.5", b"-3e2", b"1\\2\\3", b" 7 "]),
    "IS": st.sampled_from([b"3", b"-12", b"1\\2"]),
    "DA": st.sampled_from([b"20240229", b"", b"2024.02.29", b"nonsense"]),
    "TM": st.sampled_from([b"101112", b"10", b"101112.123456"]),
    "DT": st.sampled_from([b"20240229101112", b"2024", b"20240229101112.5+0100"]),
    "UI": st.sampled_from([b"1.2.3.4", b"1.2.840.10008.1.2.1", b"1.2\\1.3"]),
    "AS": st.sampled_from([b"045Y", b"092Y", b"003M"]),
    "US": st.integers(0, 65535).map(lambda n: n.to_bytes(2, "little")),
    "FD": st.binary(min_size=8, max_size=8),
}
TEXT = st.text("abcdefgh thoraxMRS0123.^", max_size=20).map(str.encode)


def padded(value: bytes, vr: str) -> bytes:
    return value + (b"\0" if vr == "UI" else b" ") if len(value) & 1 else value


@st.composite
def leaf(draw: st.DrawFn) -> Node:
    tag, vr = draw(st.sampled_from(LEAVES))
    return Node(tag, vr, padded(draw(VALUES.get(vr, TEXT)), vr))


def sequence(content: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    item = st.lists(content, max_size=5, unique_by=lambda node: node.tag).map(tuple)
    return st.builds(
        lambda tag, items, hidden: Node(tag, "SQ", items=tuple(items), hidden=hidden),
        st.sampled_from(SEQUENCES),
        st.lists(item, max_size=3),
        st.booleans(),
    )


NODES = st.lists(st.recursive(leaf(), sequence, max_leaves=15), max_size=8, unique_by=lambda node: node.tag)
OWN = (
    Node(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.66.4"),
    Node(0x00080018, "UI", b"1.2.3.4.1"),
    Node(0x00100020, "LO", b"MRN-4471123"),
    Node(0x0020000D, "UI", b"1.2.3.4.2"),
    Node(0x0020000E, "UI", b"1.2.3.4.3"),
)


def file_of(nodes: list[Node], syntax: Syntax, *, open_ended: bool) -> bytes:
    meta = [Node(0x00020010, "UI", syntax.encode())]
    return write(meta, [*OWN, *nodes], syntax, preamble=b"", open_ended=open_ended)


def oracle(data: bytes) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # drawn values are not always valid, and pydicom says so
        return dcmread(io.BytesIO(data))


def paths(ds: Dataset, above: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], bytes | None]]:
    """Every element as pydicom sees it: the tags that lead there, and its raw bytes."""
    for tag in ds.keys():  # noqa: SIM118 - a data set iterates elements
        element = ds.get_item(tag)
        here = (*above, int(tag))
        value = element.value
        if tag in SEQUENCES:
            yield here, None
            for item in ds[tag].value:
                yield from paths(item, here)
        else:
            yield here, value or b""


def seen(data: bytes) -> list[tuple[tuple[int, ...], bytes]]:
    """The same by the verifiers' reader; sequences with no bytes."""
    return [(value.path, value.raw) for value in scan(data) if value.path[0] >> 16 != 2]


FORMS = st.tuples(st.sampled_from(list(Syntax)), st.booleans())


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(nodes=NODES, form=FORMS)
def test_every_reader_sees_what_pydicom_sees(nodes: list[Node], form: tuple[Syntax, bool]) -> None:
    data = prepare(file_of(nodes, form[0], open_ended=form[1]))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as above
        expected = [(path, value or b"") for path, value in paths(oracle(data))]

    assert seen(data) == expected
    head = parse_file(data, complete=True)
    assert list(head.elements) == [path[0] for path, _ in expected if len(path) == 1]
    assert [tag for tag in read(data).top if isinstance(tag, int)] == list(head.elements)


def flat(
    item: dict[Key, Found], above: tuple[object, ...] = ()
) -> Iterator[tuple[tuple[object, ...], bytes]]:
    for key, found in item.items():
        yield (*above, key), found.value
        for number, inner in enumerate(found.items or ()):
            yield from flat(inner, (*above, key, number))


@pytest.mark.parametrize("recipe", list(RECIPES))
@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(nodes=NODES, form=FORMS)
def test_what_was_cleaned_holds_nothing_new_and_its_numbers_are_the_same(
    recipe: str, nodes: list[Node], form: tuple[Syntax, bool]
) -> None:
    original = prepare(file_of(nodes, form[0], open_ended=form[1]))

    head = clean_object(original, recipe=RECIPES[recipe], key=KEY, subject="S-1", complete=True).head

    assert verify_conformance(RECIPES[recipe], head, pixels_done=False) == ()
    before, after = dict(flat(read(original).top)), dict(flat(read(head).top))
    written = {0x00100010, 0x00120010, 0x00120020, 0x00120021, 0x00120030, 0x00120031, 0x00120040}
    written |= {0x00120062, 0x00120063, 0x00120064, 0x00280302, 0x00280303}
    assert {path for path in after.keys() - before.keys() if path[0] not in written} == set()
    numbers = {path for path in after if isinstance(path[-1], int) and _vr(path[-1]) in {"US", "FD"}}
    assert {
        path for path in numbers if after[path] not in {before.get(path), b"", bytes(len(after[path]))}
    } == set()
    assert b"4471123" not in head
    assert b"1.2.3.4.1" not in head
    assert len(oracle(head)) >= len(OWN)


def _vr(tag: int) -> str:
    row = DicomDictionary.get(tag)
    return row[0] if row else ""


@settings(max_examples=10, deadline=None, derandomize=True)
@given(nodes=NODES, open_ended=st.booleans())
def test_implicit_and_explicit_files_are_cleaned_to_the_same_values(
    nodes: list[Node], *, open_ended: bool
) -> None:
    outputs = [
        dict(flat(read(
            clean_object(
                file_of([_shown(node) for node in nodes], syntax, open_ended=open_ended),
                recipe=RECIPES["strict"], key=KEY, subject="S-1", complete=True,
            ).head
        ).top))
        for syntax in (Syntax.EXPLICIT, Syntax.IMPLICIT)
    ]  # fmt: skip

    assert outputs[0] == outputs[1]


def _shown(node: Node) -> Node:
    """The same with every sequence called one."""
    if node.items is None:
        return node
    return Node(node.tag, node.vr, items=tuple(tuple(map(_shown, item)) for item in node.items))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(nodes=NODES, cut=st.floats(0, 1), form=FORMS)
def test_a_cut_file_is_refused_or_shorter_never_misread(
    nodes: list[Node], cut: float, form: tuple[Syntax, bool]
) -> None:
    body = encode([*OWN, *nodes], Form(undefined=form[1]))
    size = int(len(body) * cut)
    head = file_of(nodes, Syntax.EXPLICIT, open_ended=form[1])
    data = head[: len(head) - len(body) + size]

    try:
        parsed = parse_file(data, complete=True)
    except Exception as error:  # noqa: BLE001 - the test is about which
        assert type(error).__name__ == "Rejected"  # noqa: PT017 - one of two right answers
        return

    assert data.endswith(data[-1:])
    assert max((element.end for element in parsed.elements.values()), default=0) <= len(data)
