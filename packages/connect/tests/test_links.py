"""The link table: allocation lists in, the table out for the administrator, listed ids only where asked."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collegium_connect.actor import Actor, NotAllowed, Role
from collegium_connect.clock import now
from collegium_connect.journal import channels
from collegium_connect.journal.database import Journal
from collegium_connect.journal.objects import UNKNOWN_ID
from collegium_connect.keys import Secrets
from collegium_connect.links import LinkInUse, LinkList, LinkTable, ListInvalid
from collegium_connect.links.allocation_list import read_list, write_list
from collegium_connect.trail import Trail
from collegium_deid import Rejected, load_recipe
from collegium_wire import Allocation, ChannelSetup

ADMIN = Actor("Ada Admin", Role.ADMINISTRATOR)
OPERATOR = Actor("Ona Operator", Role.OPERATOR)
SECRETS = Secrets(bytes(32))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "journal.sqlite3")
    save(opened, Allocation.AUTOMATIC)
    yield opened
    opened.close()


def save(journal: Journal, allocation: Allocation) -> None:
    recipe = load_recipe("trial")
    setup = ChannelSetup(
        channel_id="ch-1", name="Channel", called_ae="TRIAL1", project_name="Project", site_name="Larkspur",
        site_code="LG", recipe_yaml=recipe.text, recipe_digest=recipe.digest, quiet_time_s=1,
    )  # fmt: skip
    chosen = replace(setup, allocation=allocation)
    with journal.change() as db:
        channels.save_channel(db, chosen, 1, offered=chosen)


@pytest.fixture
def table(journal: Journal) -> LinkTable:
    return LinkTable(journal, SECRETS, now)


@pytest.fixture
def trail(journal: Journal) -> Trail:
    return Trail(journal, SECRETS, now)


@pytest.fixture
def links(journal: Journal, trail: Trail) -> LinkList:
    return LinkList(journal, SECRETS, trail, now)


@pytest.mark.requirement("C19")
def test_a_list_brings_codes_that_new_ids_continue(links: LinkList, table: LinkTable) -> None:
    done = links.import_list(ADMIN, 1, b"local_id,subject\nMRN-1,LG-007\nMRN-2,SCREEN-A\n")

    codes = [table.code_for(1, "LG", local_id) for local_id in ("MRN-1", "MRN-2", "MRN-3")]

    assert (done.added, done.known) == (2, 0)
    assert codes == ["LG-007", "SCREEN-A", "LG-008"]


@pytest.mark.requirement("C19")
def test_what_is_exported_can_be_imported_again(links: LinkList, table: LinkTable) -> None:
    table.code_for(1, "LG", "MRN,1")
    links.import_list(ADMIN, 1, b"local_id;subject\r\nMRN-2;LG-012\r\n")

    text = links.export_list(ADMIN, 1)

    assert text == '"local_id","subject"\n"MRN,1","LG-001"\n"MRN-2","LG-012"\n'
    assert links.import_list(ADMIN, 1, text.encode()).known == 2


STARTS = (
    "=",
    "+",
    "-",
    "@",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)  # the last four: wide forms of the first
FORMULAS = (
    "=cmd|' /C calc'!A0", "+1-555", "-12", "@SUM(A1)", *(f"{start}1" for start in STARTS),
    "'=1", "''-1", 'a";=1', "x;=1",
)  # fmt: skip


@pytest.mark.parametrize("local_id", FORMULAS)
def test_a_spreadsheet_runs_nothing_of_an_export(links: LinkList, table: LinkTable, local_id: str) -> None:
    table.code_for(1, "LG", local_id)

    text = links.export_list(ADMIN, 1)

    for separator in ",;\t":
        cells = [cell for row in csv.reader(io.StringIO(text), delimiter=separator) for cell in row]
        assert not [cell for cell in cells if cell.startswith(STARTS)]


@given(
    st.lists(
        st.text(st.sampled_from([*STARTS, *"'\";,\t 1Aé"]), min_size=1, max_size=8).map(str.strip),
        min_size=1, max_size=6, unique=True,
    )
)  # fmt: skip
def test_an_export_read_again_names_the_same_ids(ids: list[str]) -> None:
    ids = [one for one in ids if one and one.isprintable()]
    rows = [(local_id, f"LG-{number:03d}") for number, local_id in enumerate(ids, 1)]

    again = read_list(write_list(rows).encode())

    assert [(row.local_id, row.code) for row in again] == rows


def test_an_apostrophe_before_anything_else_is_part_of_the_id(links: LinkList) -> None:
    links.import_list(ADMIN, 1, b"local_id,subject\n'MRN-1,LG-001\n'=MRN-2,LG-002\n")

    assert [link.local_id for link in links.links(1)] == ["'MRN-1", "=MRN-2"]


@pytest.mark.requirement("C19")
def test_only_an_administrator_imports_and_exports(links: LinkList) -> None:
    with pytest.raises(NotAllowed):
        links.export_list(OPERATOR, 1)
    with pytest.raises(NotAllowed):
        links.import_list(OPERATOR, 1, b"local_id,subject\nMRN-1,LG-001\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"id,code\nMRN-1,LG-001\n", "Line 1 must be"),
        (b"local_id,subject\nMRN-1\n", "Line 2: a patient id and a subject code"),
        (b"local_id,subject\nMRN-1,LG-001\nMRN-1,LG-002\n", "Line 3: this patient id is there twice"),
        (b"local_id,subject\nMRN-1,LG-001\nMRN-2,LG-001\n", "Line 3: this subject code is there twice"),
        (b"local_id,subject\nMRN-1,LG/1\n", "Line 2: A subject code has"),
        (b"local_id,subject\nMRN\x001,LG-001\n", "Line 2"),
        (b"local_id,subject\nMRN-\xff,LG-001\n", "UTF-8"),
        (b'local_id,subject\n"MRN-1,LG-001\n', "Line"),
        (b"local_id,subject\nMRN-9,LG-555\nKNOWN,LG-002\n", "Line 3: this patient id has another"),
        (b"local_id,subject\nMRN-9,LG-555\nMRN-1,LG-001\n", "Line 3: this subject code stands for another"),
    ],
)
def test_a_list_that_is_wrong_is_refused_whole_by_its_line(
    links: LinkList, table: LinkTable, text: bytes, told: str
) -> None:
    table.code_for(1, "LG", "KNOWN")

    with pytest.raises(ListInvalid, match=told) as error:
        links.import_list(ADMIN, 1, text)

    assert "MRN" not in str(error.value)
    assert [link.local_id for link in links.links(1)] == ["KNOWN"]


@pytest.mark.requirement("C19")
def test_an_unknown_id_gets_no_code_where_only_listed_ids_are_taken(
    journal: Journal, links: LinkList, table: LinkTable
) -> None:
    save(journal, Allocation.LISTED)
    links.import_list(ADMIN, 1, b"local_id,subject\nMRN-1,LG-001\n")

    with pytest.raises(Rejected) as error:
        table.code_for(1, "LG", "MRN-2")

    assert error.value.code == UNKNOWN_ID
    assert "MRN" not in error.value.message
    assert table.code_for(1, "LG", "MRN-1") == "LG-001"
    assert links.numberings()[0].is_listed


def test_a_link_is_found_by_its_local_id(links: LinkList, table: LinkTable) -> None:
    table.code_for(1, "LG", "MRN-1")

    found = links.find(1, "MRN-1")

    assert found is not None
    assert (found.code, found.local_id) == ("LG-001", "MRN-1")
    assert links.find(1, "MRN-2") is None


@pytest.mark.requirement("C19")
def test_imports_and_exports_are_in_the_trail_without_a_local_id(
    links: LinkList, trail: Trail, tmp_path: Path
) -> None:
    links.import_list(ADMIN, 1, b"local_id,subject\nMRN-88421,LG-001\n")
    links.export_list(ADMIN, 1)

    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert [(line.actor, line.action) for line in trail.lines()] == [
        ("Ada Admin", "links.list.exported"),
        ("Ada Admin", "links.list.imported"),
    ]
    assert b"MRN-88421" not in content


@pytest.mark.requirement("C19")
def test_a_mistaken_link_is_taken_back_and_its_id_listed_anew(links: LinkList, trail: Trail) -> None:
    links.import_list(ADMIN, 1, b"local_id,subject\nMRN-1,LG-001\n")

    links.remove(ADMIN, 1, "LG-001", "Line 12 named the wrong patient.")
    links.import_list(ADMIN, 1, b"local_id,subject\nMRN-1,LG-002\n")

    assert [(link.code, link.local_id) for link in links.links(1)] == [("LG-002", "MRN-1")]
    assert trail.lines()[1].reason == "Line 12 named the wrong patient."


@pytest.mark.requirement("C19")
def test_a_link_that_images_were_cleaned_with_stays(links: LinkList, journal: Journal) -> None:
    links.import_list(ADMIN, 1, b"local_id,subject\nMRN-1,LG-001\n")
    with journal.change() as db:
        db.execute(
            "INSERT INTO exams (exam_id, channel_id, study_uid, subject_code, first_ms, last_ms)"
            " VALUES ('exam-1', 'ch-1', '2.25.1', 'LG-001', 1, 1)"
        )

    with pytest.raises(LinkInUse):
        links.remove(ADMIN, 1, "LG-001", "It was the wrong patient.")
    with pytest.raises(NotAllowed):
        links.remove(OPERATOR, 1, "LG-001", "It was the wrong patient.")
